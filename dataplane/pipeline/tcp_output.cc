// What leaves: each dirty connection is asked what is due, and the answers are
// made into packets.
#include <algorithm>
#include <cstring>

#include "dataplane/pipeline/fast_send.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/base/checksum.h"
#include "proto/ipv4/header.h"
#include "proto/tcp/emit.h"
#include "proto/tcp/send_times.h"
#include "proto/tcp/short_emit.h"
#include "proto/tcp/timers.h"

namespace corelane::dataplane {
namespace {

// Segments one connection may send in a turn, so that one bulk transfer does
// not hold up the rest.
constexpr uint32_t kEmitBudget = 64;
// Connections that are asked in vain before a turn ends: millions may wait for
// room in the transmit queue, as when all time out at once, and to ask each of
// them in every turn would take longer than to send what there is room for.
// More than one, as another device's queue may have room; the next turn begins
// behind them.
constexpr uint32_t kPatience = 64;
// Below this, copying payload behind the headers is cheaper than a chain.
constexpr uint32_t kCopyLimit = 256;

constexpr uint32_t kHeadersRoom = 14 + 4 + 20 + 20 + tcp::kMaxOptionsLength;

// The queued packet itself goes out if it is just the chunk and was not sent
// before: its headers go in front of the payload, in place.
inline bool MayGoItself(const SendChunk& chunk) {
  const Packet* owner = chunk.packet;
  return owner != nullptr && owner->refcnt == 1 && owner->nb_segs == 1 &&
         DataOf(owner) == chunk.data && HeadroomOf(owner) >= kHeadersRoom &&
         owner->data_len == chunk.length;
}

}  // namespace

void TcpLayer::Emit() {
  if (moves_.quota > 0) [[unlikely]] {
    WishQuota();
  }
  uint32_t in_vain = 0;
  for (size_t left = dirty_.size(); left > 0 && in_vain < kPatience; --left) {
    const uint32_t index = dirty_.Pop();
    tcp::ControlBlock& cb = blocks_[index];
    if (!cb.Has(tcp::kDirty)) continue;  // freed since
    if (EmitOne(index)) {
      cb.Clear(tcp::kDirty);
    } else {
      dirty_.Push(index);
      ++in_vain;
    }
    FileTimer(index);
  }
  core_.counters.tcp_put_off += in_vain;
  dirty_.Compact();
}

// Sends what is due. False if something is left for the next turn.
bool TcpLayer::EmitOne(uint32_t index) {
  const bool done = EmitDue(index);
  if (tcp::SendState* tx = SendStateOf(index)) {
    tcp::NoteSendTimes(blocks_[index], *tx, core_.tcp_now);
  }
  return done;
}

bool TcpLayer::EmitDue(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  const bool closed = cb.Has(tcp::kDetached) || cb.state == tcp::State::kClosed;
  if (closed || tcp::NothingDue(cb, SendStateOf(index))) {
    DropHolesIfEmpty(index);
    DropBuffersIfEmpty(index);
    return true;
  }
  if (EmitShort(index)) return true;
  const tcp::Context ctx = MakeContext(index);
  Path path;
  const bool routed = ip_.FindPath(FlowOf(cb.key), path);
  // Only a SYN says it, and only with a route is one sent.
  const uint16_t own_mss = tcp::OwnMss(path.mtu, ctx.config);
  tcp::Extras extras{SendStateOf(index), HolesOf(index)};
  if (extras.tx == nullptr && tcp::NeedsSendState(cb)) {
    extras.tx = NeedSendState(index);
    if (extras.tx == nullptr) return false;
  }
  for (uint32_t n = 0; n < kEmitBudget; ++n) {
    if (routed && path.interface->tx().room() < kTxPerSegment) return false;
    if (!core_.pool.Reserve(2)) {
      ++core_.counters.tx_dropped_no_packet;
      return false;
    }
    extras.at_once = routed ? RoomAtOnce(index, path, kEmitBudget - n) : 1;
    tcp::SegmentSpec spec;
    if ((n > 0 && tcp::NothingDue(cb, extras.tx)) ||
        !tcp::NextSegment(cb, extras, ReceiveSpace(index), own_mss, ctx,
                          spec)) {
      DropHolesIfEmpty(index);
      DropBuffersIfEmpty(index);
      return true;
    }
    if (!routed) {
      ++core_.counters.tx_dropped_no_route;
      continue;
    }
    if (spec.piece != 0) {
      n += spec.length / spec.piece - 1;
      TransmitPieces(index, path, spec, ctx.config);
      continue;
    }
    Packet* packet = BuildData(index, spec.seq, spec.length, path);
    if (packet != nullptr) Transmit(path, packet, cb.key, spec, ctx.config);
  }
  return false;
}

// The ordinary case: one segment, by a way that is known, and then no more.
bool TcpLayer::EmitShort(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  const Buffers* buffers = BuffersOf(index);
  if (buffers != nullptr && buffers->holes != kNoIndex) return false;
  const Way* way = ip_.FindWay(cb.key.remote());
  if (way == nullptr || way->path.interface->tx().room() < kTxPerSegment ||
      !core_.pool.Reserve(2)) {
    return false;
  }
  const tcp::Context ctx = MakeContext(index);
  tcp::ShortSegment segment;
  const uint32_t space = SpaceIn(buffers, tcp::ReceiveLimit(cb, ctx.config));
  if (!tcp::EmitShort(cb, SendStateOf(index), space, way->path.mtu, ctx,
                      segment)) {
    return false;
  }
  Packet* packet = nullptr;
  if (segment.length == 0) {
    packet = core_.pool.Alloc();
    DropBuffersIfEmpty(index);
  } else if (buffers->send.HeadIs(segment.length) &&
             MayGoItself(buffers->send.head())) {
    packet = buffers->send.head().packet;
    ++packet->refcnt;
  } else {
    packet = BuildData(index, segment.seq, segment.length, way->path);
  }
  if (packet == nullptr) return true;  // lost like any other
  OutputSpec out;
  out.source = cb.key.local();
  out.destination = cb.key.remote();
  out.protocol = ipv4::kTcp;
  out.tos = static_cast<uint8_t>((ctx.config.tos & ~ipv4::kEcnMask) |
                                 (segment.ect ? ipv4::kEcnCapable : 0));
  out.ttl = ctx.config.ttl;
  out.dont_fragment = true;
  out.l4_header_length = tcp::ShortHeaderLength(cb);
  tcp::WriteShort(Prepend(packet, out.l4_header_length), cb, segment,
                  core_.tcp_now);
  ip_.OutputOn<ipv4::kTcp>(*way, packet, out);
  return true;
}

// The packet with the segment's payload as its data, and room for headers.
Packet* TcpLayer::BuildData(uint32_t index, SeqNum seq, uint32_t length,
                            const Path& path) {
  if (length == 0) return core_.pool.Alloc();
  Buffers* buffers = BuffersOf(index);
  const SendQueue::Place place = buffers->send.Locate(seq);
  SendChunk& chunk = *place.chunk;
  Packet* owner = chunk.packet;
  const bool whole = place.offset == 0 && length == chunk.length;
  if (whole && MayGoItself(chunk)) {
    ++owner->refcnt;
    return owner;
  }
  if (owner == nullptr && length > kCopyLimit &&
      path.interface->config.caps.tx_multi_segs &&
      path.interface->config.caps.tx_any_memory &&
      place.offset + length <= chunk.length) {
    return BuildWithStatic(chunk, place.offset, length);
  }
  Packet* packet = core_.pool.Alloc();
  if (packet == nullptr) return nullptr;
  buffers->send.Copy(seq, length,
                     Append(packet, static_cast<uint16_t>(length)));
  return packet;
}

// A header packet with a view of static bytes behind it.
Packet* TcpLayer::BuildWithStatic(const SendChunk& chunk, uint32_t offset,
                                  uint32_t length) {
  Packet* head = core_.pool.Alloc();
  Packet* body = core_.pool.Alloc();
  if (head == nullptr || body == nullptr) {
    if (head != nullptr) core_.pool.Free(head);
    return nullptr;
  }
  AttachExternal(body, {chunk.data + offset, length},
                 reinterpret_cast<uintptr_t>(chunk.data + offset),
                 &static_owner_);
  head->next = body;
  head->nb_segs = 2;
  head->pkt_len += length;
  return head;
}

void TcpLayer::SendBare(const tcp::FlowKey& key, const tcp::SegmentSpec& spec,
                        const tcp::Config& options) {
  Path path;
  if (!ip_.FindPath(FlowOf(key), path)) {
    ++core_.counters.tx_dropped_no_route;
    return;
  }
  Packet* packet = core_.pool.Alloc();
  if (packet == nullptr) {
    ++core_.counters.tx_dropped_no_packet;
    return;
  }
  Transmit(path, packet, key, spec, options);
}

// Puts the TCP header in front of the payload and hands it down.
void TcpLayer::Transmit(const Path& path, Packet* packet,
                        const tcp::FlowKey& key, const tcp::SegmentSpec& spec,
                        const tcp::Config& config) {
  const size_t options_length = tcp::OptionsLength(spec);
  const auto header_length =
      static_cast<uint16_t>(tcp::kHeaderLength + options_length);
  uint8_t* header = Prepend(packet, header_length);
  tcp::HeaderFields fields;
  fields.source_port = key.local_port;
  fields.destination_port = key.remote_port;
  fields.seq = spec.seq;
  fields.ack = spec.ack;
  fields.flags = spec.flags;
  fields.window = spec.window;
  fields.header_length = header_length;
  tcp::Write(header, fields);
  if (options_length != 0) {
    tcp::WriteOptions(header + tcp::kHeaderLength, spec);
  }

  OutputSpec out;
  out.source = key.local();
  out.destination = key.remote();
  out.protocol = ipv4::kTcp;
  out.tos = static_cast<uint8_t>((config.tos & ~ipv4::kEcnMask) |
                                 (spec.ect ? ipv4::kEcnCapable : 0));
  out.ttl = config.ttl;
  out.dont_fragment = true;
  out.l4_header_length = header_length;
  out.piece = spec.piece;
  const Way* way = ip_.FindWay(key.remote());
  if (way != nullptr && spec.piece != 0) {
    ip_.OutputOn<ipv4::kTcp, true>(*way, packet, out);
  } else if (way != nullptr) {
    ip_.OutputOn<ipv4::kTcp>(*way, packet, out);
  } else {
    ip_.OutputWithChecksum(path, packet, out, /*checksum_offset=*/16);
  }
}

}  // namespace corelane::dataplane
