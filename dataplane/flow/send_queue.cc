#include "dataplane/flow/send_queue.h"

#include <algorithm>
#include <cstring>

namespace corelane::dataplane {

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
