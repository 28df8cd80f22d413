// A doubly linked list of slab records through their `next` and `prev` indices.
#ifndef CORELANE_DATAPLANE_FLOW_INDEX_LIST_H_
#define CORELANE_DATAPLANE_FLOW_INDEX_LIST_H_

#include <cstdint>

#include "dataplane/flow/slab.h"

namespace corelane::dataplane {

// Kept in order of expiry without sorting, because every record in a list has
// the same timeout. The caller remembers which list a record is in.
template <typename T>
class IndexList {
 public:
  bool empty() const { return head_ == kNoIndex; }
  uint32_t front() const { return head_; }

  void PushBack(Slab<T>& slab, uint32_t index) {
    slab[index].next = kNoIndex;
    slab[index].prev = tail_;
    if (tail_ == kNoIndex) {
      head_ = index;
    } else {
      slab[tail_].next = index;
    }
    tail_ = index;
  }

  void Remove(Slab<T>& slab, uint32_t index) {
    const T& record = slab[index];
    if (record.prev == kNoIndex) {
      head_ = record.next;
    } else {
      slab[record.prev].next = record.next;
    }
    if (record.next == kNoIndex) {
      tail_ = record.prev;
    } else {
      slab[record.next].prev = record.prev;
    }
  }

 private:
  uint32_t head_ = kNoIndex;
  uint32_t tail_ = kNoIndex;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_INDEX_LIST_H_
