#include "dataplane/flow/send_queue.h"

#include <algorithm>
#include <cstring>

namespace corelane::dataplane {

void SendQueue::FreeChunk(SendChunk* chunk, PacketPool& pool,
                          ChunkPool& chunks) {
  // A packet's chunk lies inside the packet and goes with it.
  if (chunk->packet != nullptr) {
    pool.Free(chunk->packet);
  } else {
    chunks.Free(chunk);
  }
}

void SendQueue::Release(uint32_t n, PacketPool& pool, ChunkPool& chunks) {
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

SendQueue::Place SendQueue::Locate(SeqNum seq) {
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

void SendQueue::Copy(SeqNum seq, uint32_t n, uint8_t* out) {
  Place place = Locate(seq);
  while (n > 0) {
    const uint32_t run = std::min(n, place.chunk->length - place.offset);
    std::memcpy(out, place.chunk->data + place.offset, run);
    out += run;
    n -= run;
    place = {place.chunk->next, 0};
  }
}

void SendQueue::Clear(PacketPool& pool, ChunkPool& chunks) {
  while (head_ != nullptr) {
    SendChunk* next = head_->next;
    FreeChunk(head_, pool, chunks);
    head_ = next;
  }
  tail_ = cursor_ = nullptr;
}

}  // namespace corelane::dataplane
