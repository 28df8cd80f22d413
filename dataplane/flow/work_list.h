// Records that are due for something, in turn: first in, first out.
#ifndef CORELANE_DATAPLANE_FLOW_WORK_LIST_H_
#define CORELANE_DATAPLANE_FLOW_WORK_LIST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace corelane::dataplane {

// Of slab indices. What is taken is not moved up at once but in bulk, so that a
// turn costs what it takes and not what waits. One core only.
class WorkList {
 public:
  bool empty() const { return head_ == all_.size(); }
  size_t size() const { return all_.size() - head_; }
  std::span<const uint32_t> waiting() const {
    return std::span(all_).subspan(head_);
  }

  void Push(uint32_t index) { all_.push_back(index); }
  // The list is not empty.
  uint32_t Pop() { return all_[head_++]; }

  // To be called now and then: gives the place of what was taken back.
  void Compact() {
    if (head_ == all_.size()) {
      all_.clear();
    } else if (head_ > all_.size() / 2) {
      all_.erase(all_.begin(), all_.begin() + static_cast<ptrdiff_t>(head_));
    } else {
      return;
    }
    head_ = 0;
  }

 private:
  std::vector<uint32_t> all_;
  size_t head_ = 0;  // what is before it was taken
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_WORK_LIST_H_
