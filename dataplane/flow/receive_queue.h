// Received payload on its way to the application: in order, and ahead of a gap.
//
// Packets stay as the device delivered them, trimmed to their payload, and are
// linked through their private areas. A small piece is copied into the packet
// before it, so that a peer who sends single bytes does not pin one buffer for
// each.
#ifndef CORELANE_DATAPLANE_FLOW_RECEIVE_QUEUE_H_
#define CORELANE_DATAPLANE_FLOW_RECEIVE_QUEUE_H_

#include <cstdint>
#include <cstring>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/packet_pool.h"
#include "proto/base/bytes.h"
#include "proto/base/sequence.h"

namespace corelane::dataplane {

// In-order bytes that the application has not consumed.
class ReceiveQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  uint32_t bytes() const { return bytes_; }

  // Takes the packet, whose whole data is payload (at least one byte).
  void Append(Packet* packet, PacketPool& pool);

  // The first contiguous run; empty if there is none. Valid until Consume,
  // TakeFront or Append.
  ByteView Front() const;
  // Drops the first `n` bytes; n <= bytes().
  void Consume(uint32_t n, PacketPool& pool);
  // Copies bytes from `offset` on, as many as there are and fit; returns how
  // many.
  uint32_t Peek(uint32_t offset, MutableByteView out) const;
  // Removes the first packet and hands it over; nullptr if there is none.
  Packet* TakeFront();

  void Clear(PacketPool& pool);

 private:
  // Copying this much is cheaper than holding a 2 KiB buffer for it.
  static constexpr uint16_t kCopyLimit = 512;

  Packet* head_ = nullptr;
  Packet* tail_ = nullptr;
  uint32_t bytes_ = 0;
};

// Segments that wait for the gap before them, ordered by sequence number. They
// may overlap; Drain sorts that out.
class ReorderQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  uint32_t bytes() const { return bytes_; }

  // Bytes of memory that the waiting packets hold, whatever their payload.
  uint32_t pinned_bytes() const { return packets_ * kPacketBufferSize; }

  // Takes the packet; `seq` is the sequence number of its first byte.
  void Insert(Packet* packet, SeqNum seq);

  // Moves the bytes [from, to) to `queue`; all of them are here. Packets that
  // hold nothing from `to` on are removed.
  void Drain(SeqNum from, SeqNum to, ReceiveQueue& queue, PacketPool& pool);

  void Clear(PacketPool& pool);

 private:
  Packet* head_ = nullptr;
  Packet* tail_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t packets_ = 0;
};

inline void ReceiveQueue::Append(Packet* packet, PacketPool& pool) {
  bytes_ += packet->data_len;
  // A packet that something else still holds must not be written to.
  if (tail_ != nullptr && packet->data_len <= kCopyLimit &&
      tail_->refcnt == 1 && packet->data_len <= TailroomOf(tail_)) {
    const uint16_t n = packet->data_len;
    std::memcpy(dataplane::Append(tail_, n), DataOf(packet), n);
    pool.Free(packet);
    return;
  }
  MetaOf(packet).link = nullptr;
  if (head_ == nullptr) {
    head_ = packet;
  } else {
    MetaOf(tail_).link = packet;
  }
  tail_ = packet;
}

inline ByteView ReceiveQueue::Front() const {
  return head_ == nullptr ? ByteView() : BytesOf(head_);
}

inline Packet* ReceiveQueue::TakeFront() {
  Packet* packet = head_;
  if (packet == nullptr) return nullptr;
  head_ = MetaOf(packet).link;
  if (head_ == nullptr) tail_ = nullptr;
  bytes_ -= packet->data_len;
  return packet;
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_RECEIVE_QUEUE_H_
