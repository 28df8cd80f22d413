// A fixed array of records with a free list of indices.
#ifndef CORELANE_DATAPLANE_FLOW_SLAB_H_
#define CORELANE_DATAPLANE_FLOW_SLAB_H_

#include <cstdint>
#include <vector>

#include "dataplane/flow/table_memory.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

using tcp::kNoIndex;

// All memory is reserved at construction and touched only when used. The free
// list is a stack, so the record freed last, whose lines are warm, is used
// first. One core only.
template <typename T>
class Slab {
 public:
  explicit Slab(uint32_t capacity) : memory_(capacity), free_(capacity) {}

  // kNoIndex when all are in use. The record is value-initialized.
  uint32_t Allocate() {
    uint32_t index;
    if (free_count_ > 0) {
      index = free_[--free_count_];
    } else if (fresh_ < capacity()) {
      index = fresh_++;
    } else {
      return kNoIndex;
    }
    memory_[index] = T{};
    return index;
  }

  void Free(uint32_t index) { free_[free_count_++] = index; }

  T& operator[](uint32_t index) { return memory_[index]; }
  const T& operator[](uint32_t index) const { return memory_[index]; }

  uint32_t IndexOf(const T& record) const {
    return static_cast<uint32_t>(&record - memory_.data());
  }

  uint32_t capacity() const { return static_cast<uint32_t>(memory_.size()); }
  uint32_t in_use() const { return fresh_ - free_count_; }
  // Indices from here on were never used.
  uint32_t high_water() const { return fresh_; }

 private:
  TableMemory<T> memory_;
  TableMemory<uint32_t> free_;
  uint32_t free_count_ = 0;
  uint32_t fresh_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_SLAB_H_
