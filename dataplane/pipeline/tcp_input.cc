// Received segments: look-up, and what their arrival changes.
#include <algorithm>

#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/tcp_short.h"
#include "dataplane/steering/steering.h"
#include "proto/tcp/header_prediction.h"
#include "proto/tcp/merged_acks.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/send_room.h"
#include "proto/tcp/timers.h"

namespace corelane::dataplane {
namespace {

// Packets that one connection may park behind a gap: enough for a full window
// of ordinary segments, and a bound on what one-byte segments can pin.
constexpr uint32_t kMaxParkedShare = 2;
// Of a TCP segment, which then has no payload or little.
constexpr uint16_t kLongestHeader = 60;

}  // namespace

// Look-up in stages over the burst: each asks for the lines that the next one
// needs, so that the misses of all its packets overlap. The control block's
// other lines are for the second stage: asked for with the first, they had
// mostly not come when they were needed (tcp_echo/1000000 in bench).
void TcpLayer::PrefetchArrived() {
  for (uint32_t i = 0; i < arrived_count_; ++i) {
    table_.PrefetchRecord(arrived_[i].hash);
  }
  for (uint32_t i = 0; i < arrived_count_; ++i) {
    Arrived& a = arrived_[i];
    a.entry = table_.Find(a.key, a.hash);
    if (!a.entry.found() || a.entry.kind() != EntryKind::kConnection) continue;
    const tcp::ControlBlock& cb = blocks_[a.entry.index()];
    __builtin_prefetch(reinterpret_cast<const char*>(&cb) + 64);
    __builtin_prefetch(reinterpret_cast<const char*>(&cb) + 128);
    if (cb.send_state != kNoIndex) {
      const auto* tx =
          reinterpret_cast<const char*>(&send_states_[cb.send_state]);
      __builtin_prefetch(tx);
      __builtin_prefetch(tx + 64);
      __builtin_prefetch(tx + 128);
    }
    if (cb.buffers != kNoIndex) {
      const auto* buffers =
          reinterpret_cast<const char*>(&buffers_[cb.buffers]);
      __builtin_prefetch(buffers);
      __builtin_prefetch(buffers + 64);
    }
  }
  for (uint32_t i = 0; i < arrived_count_; ++i) {
    const Entry entry = arrived_[i].entry;
    if (!entry.found() || entry.kind() != EntryKind::kConnection) continue;
    if (const Buffers* buffers = BuffersOf(entry.index())) {
      buffers->send.PrefetchHead();
    }
  }
}

void TcpLayer::Ingest() {
  core_.RefillChallenges();
  PrefetchArrived();
  const uint32_t version = table_.version();
  Arrived* const end = &arrived_[0] + arrived_count_;
  for (Arrived* next = &arrived_[0]; next != end;) {
    Arrived& a = *next++;
    // An earlier segment of the burst may have opened or ended something.
    if (table_.version() != version) a.entry = table_.Find(a.key, a.hash);
    if (next != end && a.entry == next->entry &&
        a.packet->data_len <= kLongestHeader && IsSuperseded(a, *next))
        [[unlikely]] {
      ++core_.counters.tcp.segments_in;
      ++core_.counters.tcp.acks_merged;
      ++core_.counters.delivered;
      core_.pool.Free(a.packet);
      continue;
    }
    Dispatch(a);
  }
  arrived_count_ = 0;
}

// An ACK that the next one of the burst makes redundant: bulk transfers bring
// many of them.
bool TcpLayer::IsSuperseded(const Arrived& a, const Arrived& next) {
  if (!a.entry.found() || a.entry.kind() != EntryKind::kConnection ||
      !(a.key == next.key)) {
    return false;
  }
  tcp::Segment segment;
  tcp::Segment after;
  if (tcp::Parse(BytesOf(a.packet), segment) != tcp::ParseStatus::kOk ||
      tcp::Parse(BytesOf(next.packet), after) != tcp::ParseStatus::kOk) {
    return false;
  }
  segment.ce = a.congestion;
  after.ce = next.congestion;
  return tcp::Supersedes(blocks_[a.entry.index()], SendStateOf(a.entry.index()),
                         segment, after);
}

void TcpLayer::Dispatch(const Arrived& a) {
  tcp::Segment segment;
  if (tcp::Parse(BytesOf(a.packet), segment) != tcp::ParseStatus::kOk) {
    core_.Drop(a.packet, DropReason::kTcpMalformed);
    return;
  }
  segment.ce = a.congestion;
  const Entry entry = a.entry;
  if (!entry.found()) {
    // It moved on while this was on its way here.
    if (a.passed_on) [[unlikely]] {
      const uint16_t home = core_.steering->map().OwnerOf(a.key);
      if (home != core_.steering->self()) {
        PassOn(a, home);
        return;
      }
      // ... or it is over. An ACK that its own connection has overtaken between
      // cores is no reason for a reset: whoever still believes in it asks
      // again.
      if (!segment.Has(tcp::kSyn)) {
        ++core_.counters.tcp.segments_in;
        core_.Drop(a.packet, DropReason::kTcpNoSocket);
        return;
      }
    }
    ++core_.counters.tcp.segments_in;
    ToListener(a, segment);
    return;
  }
  if (entry.kind() == EntryKind::kMoved) [[unlikely]] {
    PassOn(a, moves_.forwards[entry.index()].core);
    return;
  }
  ++core_.counters.tcp.segments_in;
  switch (entry.kind()) {
    case EntryKind::kConnection:
      ToConnection(entry.index(), a, segment);
      break;
    case EntryKind::kRequest:
      ToRequest(entry.index(), a, segment);
      break;
    case EntryKind::kTimeWait:
      ToTimeWait(entry.index(), a, segment);
      break;
    case EntryKind::kMoved:  // above
      break;
  }
}

// A reset for a segment that nothing wants, within a bound per second.
void TcpLayer::Refuse(const Arrived& a, const tcp::Segment& segment) {
  if (segment.Has(tcp::kRst)) return;
  constexpr uint32_t kResetsPerSecond = 20000;
  if (core_.now - reset_refilled_ >= 1s || reset_refilled_ == kTimeZero) {
    reset_tokens_ = kResetsPerSecond;
    reset_refilled_ = core_.now;
  }
  if (reset_tokens_ == 0) return;
  --reset_tokens_;
  ++core_.counters.tcp.resets_out;
  SendBare(a.key, tcp::ResetFor(segment));
}

// Whether memory allows a segment's payload to be taken.
bool TcpLayer::MayTake(uint32_t index, const tcp::Segment& segment) const {
  if (segment.seq > blocks_[index].rcv_nxt) return MayPark(index);
  if (!core_.low_memory) return true;
  const Buffers* buffers = BuffersOf(index);
  return !core_.no_memory && (buffers == nullptr || buffers->receive.empty());
}

bool TcpLayer::MayPark(uint32_t index) const {
  if (core_.low_memory) return false;
  const Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr) return true;
  return buffers->reorder.pinned_bytes() + kPacketBufferSize <=
         kMaxParkedShare * tcp::ReceiveLimit(blocks_[index], options(index));
}

// Lets go of what waits behind a gap: it was never acknowledged, so the peer
// sends it again. Else the waiting packets could keep memory low for ever, when
// low memory is why the segment that fills the gap is refused.
void TcpLayer::Renege(uint32_t index) {
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr || buffers->holes == kNoIndex) return;
  buffers->reorder.Clear(core_.pool);
  holes_.Free(buffers->holes);
  buffers->holes = kNoIndex;
}

// Where gaps are noted, made when the first one appears.
tcp::ReceiveHoles* TcpLayer::HolesFor(uint32_t index,
                                      const tcp::Segment& segment) {
  Buffers* buffers = BuffersOf(index);
  if (buffers != nullptr && buffers->holes != kNoIndex) {
    return &holes_[buffers->holes];
  }
  // Ahead of its turn, or a duplicate that is to be reported.
  const tcp::ControlBlock& cb = blocks_[index];
  const bool noted =
      segment.seq > cb.rcv_nxt ||
      (segment.seq < cb.rcv_nxt && cb.Has(tcp::kSack) && !cb.Has(tcp::kOrphan));
  if (!noted || segment.Length() == 0) return nullptr;
  buffers = NeedBuffers(index);
  if (buffers == nullptr) return nullptr;
  buffers->holes = holes_.Allocate();
  return buffers->holes == kNoIndex ? nullptr : &holes_[buffers->holes];
}

void TcpLayer::ToConnection(uint32_t index, const Arrived& a,
                            const tcp::Segment& segment) {
  tcp::ControlBlock& cb = blocks_[index];
  const tcp::Context ctx = MakeContext(index);
  const SeqNum rcv_nxt = cb.rcv_nxt;
  tcp::IngestResult result;
  bool refused = false;
  if (core_.low_memory) Renege(index);
  if (core_.low_memory ||
      !tcp::IngestPredicted(cb, segment, SendStateOf(index), ctx, result)) {
    tcp::Segment wanted = segment;
    if (segment.payload_length > 0 && !MayTake(index, segment)) {
      refused = true;
      wanted.text_refused = true;
    }
    result = tcp::Ingest(cb, wanted,
                         {SendStateOf(index), HolesFor(index, wanted)}, ctx);
    if (result.reply_reset) Refuse(a, segment);
  }
  if (result.acked > 0) {
    Buffers* buffers = BuffersOf(index);
    if (buffers != nullptr) {
      buffers->send.Release(result.acked, core_.pool, chunks_);
    }
    if (cb.Has(tcp::kWriteBlocked) && tcp::MaySend(cb.state) &&
        tcp::WorthWriting(cb, ctx.config)) {
      cb.Clear(tcp::kWriteBlocked);
      MarkReady(index, kWritable);
    }
  }
  if (refused) {
    core_.Drop(a.packet, DropReason::kTcpReorderFull);
  } else if (!Place(index, a.packet, segment, result, rcv_nxt)) {
    core_.pool.Free(a.packet);
    ++core_.counters.delivered;
  }
  tcp::RestartKeepalive(cb, ctx);
  MarkDirty(index);
  if (result.events == 0) return;  // Emit gives back what is empty
  DropHolesIfEmpty(index);
  Apply(index, result.events);
  DropBuffersIfEmpty(index);
}

// Puts the payload where the protocol said. False if the packet is not kept.
bool TcpLayer::Place(uint32_t index, Packet* packet,
                     const tcp::Segment& segment,
                     const tcp::IngestResult& result, SeqNum rcv_nxt_before) {
  if (result.placement == tcp::Placement::kNone) return false;
  Buffers* buffers = NeedBuffers(index);
  if (buffers == nullptr) return false;
  const auto front =
      static_cast<uint16_t>(segment.header_length + result.payload_offset);
  TrimFront(packet, front);
  TrimTo(packet, result.length);
  ++core_.counters.delivered;
  if (result.placement == tcp::Placement::kPark) {
    buffers->reorder.Insert(packet, segment.seq + result.payload_offset);
    return true;
  }
  buffers->receive.Append(packet, core_.pool);
  tcp::ControlBlock& cb = blocks_[index];
  if (!buffers->reorder.empty()) {
    const SeqNum end = rcv_nxt_before + result.length;
    const bool fin = (result.events & tcp::kPeerClosed) != 0;
    buffers->reorder.Drain(end, cb.rcv_nxt - (fin ? 1 : 0), buffers->receive,
                           core_.pool);
  }
  MarkReady(index, kReadable);
  return true;
}

void TcpLayer::Apply(uint32_t index, uint8_t events) {
  tcp::ControlBlock& cb = blocks_[index];
  if ((events & tcp::kConnected) != 0) MarkReady(index, kOpened);
  if ((events & tcp::kPeerClosed) != 0) MarkReady(index, kPeerClosed);
  if ((events & tcp::kToTimeWait) != 0) {
    MoveToTimeWait(index);
  } else if ((events & (tcp::kBroken | tcp::kFinished)) != 0) {
    Detach(index);
    if (cb.Has(tcp::kOrphan)) {
      FreeBlock(index);
    } else if ((events & tcp::kBroken) != 0) {
      MarkReady(index, kGone);
    }
  }
}

// Anybody can forge an ICMP error. It counts only if what it quotes is in
// flight (RFC 5927 section 4.1), and never ends an established connection
// (section 5.2).
uint16_t TcpLayer::OnIcmpError(const tcp::FlowKey& key, SeqNum seq, bool hard,
                               bool fragmentation_needed,
                               uint16_t next_hop_mtu) {
  constexpr uint16_t kHere = Forward::kNoCore;
  const Entry entry = EntryOf(key);
  if (!entry.found()) return kHere;
  if (entry.kind() == EntryKind::kMoved) {
    return moves_.forwards[entry.index()].core;
  }
  if (entry.kind() != EntryKind::kConnection) return kHere;
  tcp::ControlBlock& cb = blocks_[entry.index()];
  if (seq < cb.snd_una || seq >= cb.snd_nxt) return kHere;
  ++core_.counters.icmp_errors_in;
  if (fragmentation_needed) {
    // RFC 1191; the floor is the least MTU that hosts must take (RFC 1122),
    // whatever a forger says.
    constexpr uint16_t kMinPathMtu = 552;
    const uint16_t options = cb.Has(tcp::kTimestamps) ? 12 : 0;
    const auto mss = static_cast<uint16_t>(std::max(next_hop_mtu, kMinPathMtu) -
                                           40 - options);
    if (mss >= cb.mss) return kHere;
    cb.mss = mss;
    cb.cwnd = std::max<uint32_t>(cb.cwnd, cb.mss);
    // What was too large is sent again; that is no sign of congestion.
    if (tcp::SendState* tx = SendStateOf(entry.index())) {
      tcp::ResendAll(cb, *tx);
    }
    MarkDirty(entry.index());
    return kHere;
  }
  if (cb.state != tcp::State::kSynSent) return kHere;
  cb.soft_error = tcp::Error::kUnreachable;
  if (hard) {
    cb.error = tcp::Error::kUnreachable;
    ++core_.counters.tcp.failed_opens;
    Apply(entry.index(), tcp::kBroken);
  }
  return kHere;
}

}  // namespace corelane::dataplane
