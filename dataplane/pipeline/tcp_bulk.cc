// Bulk: several full segments of new data that TCP has decided on at once
// (tcp::SegmentSpec::piece). The device cuts them where it can (TSO) and what
// is sent is a run of static bytes; else it is done here, and what they have in
// common is made once.
#include <algorithm>
#include <cstring>

#include "dataplane/pipeline/fast_send.h"
#include "dataplane/pipeline/tcp_short.h"
#include "dataplane/steering/steering.h"
#include "proto/ipv4/header.h"

namespace corelane::dataplane {
namespace {

// Segments that are cut here: their packets are there before TCP is asked, and
// a pool reserves so many.
constexpr uint32_t kMostPackets = 32;
constexpr uint32_t kMostHere = kMostPackets / 2;
// Segments that a device cuts. 64 KiB of 1,460 bytes; with a small MSS that
// would be so many that a receiver's ring may not take them.
constexpr uint32_t kMostLarge = 44;
// What an IP packet has room for behind the largest headers.
constexpr uint32_t kMostLargeBytes =
    ipv4::kMaxTotalLength - ipv4::kHeaderLength - 60;
// Some devices refuse smaller pieces.
constexpr uint32_t kLeastPiece = 256;
constexpr uint32_t kPacketRoom = kPacketBufferSize - kPacketHeadroom;

}  // namespace

// Whether bytes go down as they lie. Else they are copied: for a device that
// sees packet memory only, or as another core has its queue, and references are
// not counted across cores.
bool TcpLayer::SendsInPlace(const Interface& interface) const {
  return interface.config.caps.tx_any_memory &&
         (core_.steering == nullptr ||
          core_.steering->HasQueue(interface.index));
}

// How many static bytes from `seq` on the device may be given as one segment,
// if it takes such.
uint32_t TcpLayer::LargeRun(uint32_t index, SeqNum seq, const Path& path) {
  const DeviceCaps& caps = path.interface->config.caps;
  const tcp::ControlBlock& cb = blocks_[index];
  if (caps.tso_piece < cb.mss || cb.mss < kLeastPiece) return 0;
  // Without a known way the frame may have to wait, or to carry a VLAN tag.
  if (ip_.FindWay(cb.key.remote()) == nullptr) return 0;
  const SendQueue::Place place = BuffersOf(index)->send.Locate(seq);
  if (place.chunk->packet != nullptr) return 0;
  const uint32_t run = place.chunk->length - place.offset;
  // The header has a packet to itself, or the first buffer of the copy.
  const uint32_t buffers =
      std::min<uint32_t>(caps.tso_buffers, kMostPackets) - 1;
  return std::min({run, kMostLargeBytes,
                   SendsInPlace(*path.interface) ? kMostLargeBytes
                                                 : buffers * kPacketRoom});
}

// How many of the `left` segments of new data may be decided on at once: what
// they need is there.
uint32_t TcpLayer::RoomAtOnce(uint32_t index, const Path& path, uint32_t left) {
  const tcp::ControlBlock& cb = blocks_[index];
  const SeqNum two = cb.snd_nxt + 2u * cb.mss;
  if (cb.state < tcp::State::kEstablished || two > cb.snd_queued ||
      two > cb.snd_edge) {
    return 1;
  }
  if (const uint32_t run = LargeRun(index, cb.snd_nxt, path); run > 0) {
    // One segment may bridge the end of a run; the device cuts the next.
    const uint32_t large = std::min({run / cb.mss, kMostLarge, left});
    return large > 1 && core_.pool.Reserve(kMostPackets) ? large : 1;
  }
  const uint32_t here =
      std::min({left, kMostHere, path.interface->tx().room() / kTxPerSegment});
  return here > 1 && core_.pool.Reserve(2 * here) ? here : 1;
}

void TcpLayer::TransmitPieces(uint32_t index, const Path& path,
                              const tcp::SegmentSpec& all,
                              const tcp::Config& config) {
  if (LargeRun(index, all.seq, path) >= all.length) {
    TransmitLarge(index, path, all, config);
    return;
  }
  const tcp::FlowKey& key = blocks_[index].key;
  const bool way_known = ip_.FindWay(key.remote()) != nullptr;
  // The one that the others are like.
  const Packet* first = nullptr;
  tcp::SegmentSpec one = all;
  one.length = all.piece;
  one.piece = 0;
  for (uint32_t left = all.length; left > 0; left -= one.length) {
    one.flags = all.flags;
    if (left > one.length) {
      one.flags &= static_cast<uint8_t>(~(tcp::kPsh | tcp::kFin));
    }
    Packet* packet = BuildData(index, one.seq, one.length, path);
    if (packet == nullptr) {
      // Lost like any other.
    } else if (first != nullptr) {
      ip_.OutputLike(*path.interface, *first, packet, one.seq, one.flags);
    } else {
      Transmit(path, packet, key, one, config);
      if (way_known) first = packet;
    }
    one.seq += one.length;
  }
}

// All of it as one frame, which the device cuts.
void TcpLayer::TransmitLarge(uint32_t index, const Path& path,
                             const tcp::SegmentSpec& all,
                             const tcp::Config& config) {
  const SendQueue::Place place = BuffersOf(index)->send.Locate(all.seq);
  const SendChunk& chunk = *place.chunk;
  Packet* packet = SendsInPlace(*path.interface)
                       ? BuildWithStatic(chunk, place.offset, all.length)
                       : CopyIntoChain({chunk.data + place.offset, all.length});
  if (packet == nullptr) return;
  ++core_.counters.tx_large;
  Transmit(path, packet, blocks_[index].key, all, config);
}

Packet* TcpLayer::CopyIntoChain(ByteView bytes) {
  Packet* head = nullptr;
  Packet* tail = nullptr;
  while (!bytes.empty()) {
    Packet* packet = core_.pool.Alloc();
    if (packet == nullptr) {
      if (head != nullptr) core_.pool.Free(head);
      return nullptr;
    }
    const size_t n = std::min<size_t>(bytes.size(), kPacketRoom);
    std::memcpy(Append(packet, static_cast<uint16_t>(n)), bytes.data(), n);
    bytes = bytes.subspan(n);
    if (head == nullptr) {
      head = packet;
    } else {
      tail->next = packet;
      ++head->nb_segs;
      head->pkt_len += static_cast<uint32_t>(n);
    }
    tail = packet;
  }
  return head;
}

}  // namespace corelane::dataplane
