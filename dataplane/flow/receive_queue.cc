#include "dataplane/flow/receive_queue.h"

#include <algorithm>
#include <cstring>

namespace corelane::dataplane {

void ReceiveQueue::Consume(uint32_t n, PacketPool& pool) {
  bytes_ -= n;
  while (n > 0) {
    Packet* packet = head_;
    if (n < packet->data_len) {
      TrimFront(packet, static_cast<uint16_t>(n));
      return;
    }
    n -= packet->data_len;
    head_ = MetaOf(packet).link;
    pool.Free(packet);
  }
  if (head_ == nullptr) tail_ = nullptr;
}

uint32_t ReceiveQueue::Peek(uint32_t offset, MutableByteView out) const {
  uint32_t done = 0;
  for (Packet* p = head_; p != nullptr && done < out.size();
       p = MetaOf(p).link) {
    if (offset >= p->data_len) {
      offset -= p->data_len;
      continue;
    }
    const auto n = std::min<uint32_t>(p->data_len - offset,
                                      static_cast<uint32_t>(out.size()) - done);
    std::memcpy(out.data() + done, DataOf(p) + offset, n);
    done += n;
    offset = 0;
  }
  return done;
}

void ReceiveQueue::Clear(PacketPool& pool) {
  while (Packet* packet = TakeFront()) pool.Free(packet);
}

void ReorderQueue::Insert(Packet* packet, SeqNum seq) {
  PacketMeta& meta = MetaOf(packet);
  meta.sequence = seq.value();
  bytes_ += packet->data_len;
  ++packets_;
  // Most arrive in order behind one gap: try the end first.
  if (tail_ != nullptr && SeqNum(MetaOf(tail_).sequence) <= seq) {
    meta.link = nullptr;
    MetaOf(tail_).link = packet;
    tail_ = packet;
    return;
  }
  Packet** at = &head_;
  while (*at != nullptr && SeqNum(MetaOf(*at).sequence) <= seq) {
    at = &MetaOf(*at).link;
  }
  meta.link = *at;
  *at = packet;
  if (meta.link == nullptr) tail_ = packet;
}

void ReorderQueue::Drain(SeqNum from, SeqNum to, ReceiveQueue& queue,
                         PacketPool& pool) {
  while (head_ != nullptr && SeqNum(MetaOf(head_).sequence) < to) {
    Packet* packet = head_;
    head_ = MetaOf(packet).link;
    bytes_ -= packet->data_len;
    --packets_;
    const SeqNum start(MetaOf(packet).sequence);
    const SeqNum end = start + packet->data_len;
    if (end <= from) {
      pool.Free(packet);
      continue;
    }
    if (start < from) TrimFront(packet, static_cast<uint16_t>(from - start));
    from = end;
    queue.Append(packet, pool);
  }
  if (head_ == nullptr) tail_ = nullptr;
}

void ReorderQueue::Clear(PacketPool& pool) {
  while (head_ != nullptr) {
    Packet* next = MetaOf(head_).link;
    pool.Free(head_);
    head_ = next;
  }
  tail_ = nullptr;
  bytes_ = 0;
  packets_ = 0;
}

}  // namespace corelane::dataplane
