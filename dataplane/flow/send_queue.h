// What a connection has queued and the peer has not acknowledged.
//
// The queue is a list of chunks in stream order. A chunk's bytes lie in a
// packet that the queue owns (a small write that was copied, or a received
// packet that is sent on) or in static memory. A packet is kept until its bytes
// are acknowledged; while a device transmits it its reference count is raised.
#ifndef CORELANE_DATAPLANE_FLOW_SEND_QUEUE_H_
#define CORELANE_DATAPLANE_FLOW_SEND_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "dataplane/flow/table_memory.h"
#include "dataplane/packet/packet.h"
#include "dataplane/packet/packet_pool.h"
#include "proto/base/sequence.h"

namespace corelane::dataplane {

// Chunks for static bytes; a bounded free list.
class ChunkPool;

class SendQueue {
 public:
  // A place in the stream: a chunk and an offset into it.
  struct Place {
    SendChunk* chunk = nullptr;
    uint32_t offset = 0;
  };

  bool empty() const { return head_ == nullptr; }
  SendChunk* tail() const { return tail_; }
  // The queue is not empty.
  const SendChunk& head() const { return *head_; }
  // Whether it begins with a chunk of `length` bytes.
  bool HeadIs(uint32_t length) const {
    return head_ != nullptr && head_->length == length;
  }

  // The lines that letting go of the first chunk will touch, as though it were
  // a packet's.
  void PrefetchHead() const {
    if (head_ == nullptr) return;
    const auto* meta =
        reinterpret_cast<const char*>(head_) - offsetof(PacketMeta, chunk);
    __builtin_prefetch(meta - sizeof(Packet));
    __builtin_prefetch(meta - sizeof(Packet) + 64);
    __builtin_prefetch(meta);
  }

  // Adds a chunk at the end. `first` is the sequence number of its first byte.
  void Append(SendChunk* chunk, SeqNum first) {
    chunk->next = nullptr;
    if (head_ == nullptr) {
      head_ = chunk;
      head_seq_ = first;
    } else {
      tail_->next = chunk;
    }
    tail_ = chunk;
  }

  // Lets go of the first `n` bytes: they are acknowledged.
  void Release(uint32_t n, PacketPool& pool, ChunkPool& chunks);

  // Where byte `seq` lies. It is queued.
  Place Locate(SeqNum seq);

  // Copies [seq, seq + n) to `out`; all of it is queued.
  void Copy(SeqNum seq, uint32_t n, uint8_t* out);

  // Frees everything.
  void Clear(PacketPool& pool, ChunkPool& chunks);

 private:
  static void FreeChunk(SendChunk* chunk, PacketPool& pool, ChunkPool& chunks);

  SendChunk* head_ = nullptr;
  SendChunk* tail_ = nullptr;
  // Where the last look-up ended: new data is sent in order, so that the next
  // one starts there.
  SendChunk* cursor_ = nullptr;
  SeqNum head_seq_;
  SeqNum cursor_seq_;
};

class ChunkPool {
 public:
  explicit ChunkPool(uint32_t capacity) : all_(capacity) {}

  bool exhausted() const { return free_ == nullptr && fresh_ == all_.size(); }

  // nullptr when all are in use.
  SendChunk* Allocate() {
    if (free_ == nullptr) {
      return fresh_ < all_.size() ? &all_[fresh_++] : nullptr;
    }
    SendChunk* chunk = free_;
    free_ = chunk->next;
    return chunk;
  }
  void Free(SendChunk* chunk) {
    chunk->next = free_;
    free_ = chunk;
  }

 private:
  TableMemory<SendChunk> all_;
  size_t fresh_ = 0;  // chunks from here on were never used
  SendChunk* free_ = nullptr;
};

inline void SendQueue::FreeChunk(SendChunk* chunk, PacketPool& pool,
                                 ChunkPool& chunks) {
  // A packet's chunk lies inside the packet and goes with it.
  if (chunk->packet != nullptr) {
    pool.Free(chunk->packet);
  } else {
    chunks.Free(chunk);
  }
}

inline void SendQueue::Release(uint32_t n, PacketPool& pool,
                               ChunkPool& chunks) {
  head_seq_ += n;
  while (n > 0) {
    SendChunk* chunk = head_;
    if (n < chunk->length) {
      if (cursor_ == chunk) cursor_seq_ = head_seq_;
      chunk->data += n;
      chunk->length -= n;
      return;
    }
    n -= chunk->length;
    head_ = chunk->next;
    if (cursor_ == chunk) cursor_ = nullptr;
    FreeChunk(chunk, pool, chunks);
  }
  if (head_ == nullptr) tail_ = nullptr;
}

inline SendQueue::Place SendQueue::Locate(SeqNum seq) {
  if (cursor_ == nullptr || seq < cursor_seq_) {
    cursor_ = head_;
    cursor_seq_ = head_seq_;
  }
  uint32_t offset = seq - cursor_seq_;
  while (offset >= cursor_->length && cursor_->next != nullptr) {
    offset -= cursor_->length;
    cursor_seq_ += cursor_->length;
    cursor_ = cursor_->next;
  }
  return {cursor_, offset};
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_SEND_QUEUE_H_
