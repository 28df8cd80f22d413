// The small functions of TcpLayer that a packet's way goes through several
// times, to be inlined there.
#ifndef CORELANE_DATAPLANE_PIPELINE_TCP_SHORT_H_
#define CORELANE_DATAPLANE_PIPELINE_TCP_SHORT_H_

#include "dataplane/pipeline/tcp_layer.h"
#include "proto/tcp/emit.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/send_room.h"
#include "proto/tcp/timers.h"

namespace corelane::dataplane {

inline void TcpLayer::Enqueue(Packet* packet, const tcp::FlowKey& key,
                              uint16_t device, bool congestion,
                              bool passed_on) {
  if (arrived_count_ == kMaxBurst) Ingest();
  const uint64_t hash = HashOf(key);
  table_.PrefetchBucket(hash);
  arrived_[arrived_count_++] = {packet, key,        hash,     Entry(),
                                device, congestion, passed_on};
}

inline void TcpLayer::FileTimer(uint32_t index) {
  const auto deadline = tcp::NextDeadline(blocks_[index], SendStateOf(index));
  if (deadline) wheel_.Schedule(index, *deadline);
}

inline Buffers* TcpLayer::NeedBuffers(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.buffers == kNoIndex) cb.buffers = buffers_.Allocate();
  return BuffersOf(index);
}

inline void TcpLayer::DropBuffersIfEmpty(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.buffers == kNoIndex || !buffers_[cb.buffers].Empty()) return;
  buffers_.Free(cb.buffers);
  cb.buffers = kNoIndex;
}

inline uint32_t TcpLayer::ReceiveSpace(uint32_t index) const {
  return SpaceIn(BuffersOf(index),
                 tcp::ReceiveLimit(blocks_[index], options(index)));
}

inline uint32_t TcpLayer::SpaceIn(const Buffers* buffers, uint32_t all) {
  if (buffers == nullptr) return all;
  // What waits behind a gap lies within the window that was already offered.
  const uint32_t used = buffers->receive.bytes();
  return used < all ? all - used : 0;
}

inline uint32_t TcpLayer::Readable(uint32_t index) const {
  const Buffers* buffers = BuffersOf(index);
  return buffers == nullptr ? 0 : buffers->receive.bytes();
}

inline bool TcpLayer::AtEnd(uint32_t index) const {
  const tcp::State state = blocks_[index].state;
  const bool ended =
      state == tcp::State::kClosed ||
      (state >= tcp::State::kEstablished && !tcp::MayReceive(state));
  return ended && Readable(index) == 0;
}

inline ByteView TcpLayer::Front(uint32_t index) const {
  const Buffers* buffers = BuffersOf(index);
  return buffers == nullptr ? ByteView() : buffers->receive.Front();
}

inline void TcpLayer::MarkDirty(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.Has(tcp::kDirty)) return;
  cb.Set(tcp::kDirty);
  dirty_.Push(index);
}

inline void TcpLayer::MarkReady(uint32_t index, uint8_t events) {
  tcp::ControlBlock& cb = blocks_[index];
  if (cb.Has(tcp::kOrphan)) return;
  cb.flags |= static_cast<uint32_t>(events) << 24;
  if (cb.Has(tcp::kReady)) return;
  cb.Set(tcp::kReady);
  ready_.push_back(index);
}

// The window may have opened far enough to tell the peer.
inline void TcpLayer::OfferFreed(tcp::ControlBlock& cb, const Buffers* buffers,
                                 const tcp::Context& ctx) {
  const uint32_t unread = buffers == nullptr ? 0 : buffers->receive.bytes();
  tcp::TuneReceiveSpace(cb, unread, !core_.low_memory, ctx);
  tcp::OnReceiveSpace(cb, SpaceIn(buffers, tcp::ReceiveLimit(cb, ctx.config)),
                      ctx);
}

inline void TcpLayer::OnConsumed(uint32_t index) {
  tcp::ControlBlock& cb = blocks_[index];
  OfferFreed(cb, BuffersOf(index), MakeContext(index));
  if (cb.Has(tcp::kAckNow)) MarkDirty(index);
  // Else Emit does it, when whoever reads has perhaps written.
  if (!cb.Has(tcp::kDirty)) DropBuffersIfEmpty(index);
}

inline Packet* TcpLayer::TakeFront(uint32_t index) {
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr) return nullptr;
  Packet* packet = buffers->receive.TakeFront();
  if (packet != nullptr) OnConsumed(index);
  return packet;
}

inline uint32_t TcpLayer::SendSpace(uint32_t index) const {
  const tcp::ControlBlock& cb = blocks_[index];
  if (!tcp::MaySend(cb.state) && cb.state != tcp::State::kSynSent &&
      cb.state != tcp::State::kSynReceived) {
    return 0;
  }
  return tcp::SendRoom(cb, options(index));
}

// The packet's data, as a part of the stream.
inline SendChunk* TcpLayer::ChunkOf(Packet* packet) {
  SendChunk& chunk = MetaOf(packet).chunk;
  chunk.data = DataOf(packet);
  chunk.length = packet->data_len;
  chunk.packet = packet;
  return &chunk;
}

inline SendChunk* TcpLayer::AppendPacketChunk(uint32_t index, Packet* packet,
                                              SeqNum first) {
  SendChunk* chunk = ChunkOf(packet);
  NeedBuffers(index)->send.Append(chunk, first);
  return chunk;
}

inline tcp::ReceiveHoles* TcpLayer::HolesOf(uint32_t index) {
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr || buffers->holes == kNoIndex) return nullptr;
  return &holes_[buffers->holes];
}

inline void TcpLayer::DropHolesIfEmpty(uint32_t index) {
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr || buffers->holes == kNoIndex ||
      !holes_[buffers->holes].Empty()) {
    return;
  }
  holes_.Free(buffers->holes);
  buffers->holes = kNoIndex;
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_TCP_SHORT_H_
