#include "proto/tcp/ranges.h"

#include <algorithm>

namespace corelane::tcp {

RangeSet::Insertion RangeSet::Insert(SeqNum start, SeqNum end) {
  // [first, last) are the ranges that touch the new one.
  uint32_t first = 0;
  while (first < count_ && ranges_[first].end < start) ++first;
  uint32_t last = first;
  while (last < count_ && ranges_[last].start <= end) ++last;

  if (first == last) {
    if (count_ == kCapacity) return Insertion::kFull;
    std::copy_backward(ranges_.begin() + first, ranges_.begin() + count_,
                       ranges_.begin() + count_ + 1);
    ranges_[first] = {start, end};
    ++count_;
    return Insertion::kAdded;
  }
  if (ranges_[first].start <= start && end <= ranges_[first].end) {
    return Insertion::kDuplicate;
  }
  ranges_[first] = {SeqMin(start, ranges_[first].start),
                    SeqMax(end, ranges_[last - 1].end)};
  if (last == first + 1) return Insertion::kAdded;
  std::copy(ranges_.begin() + last, ranges_.begin() + count_,
            ranges_.begin() + first + 1);
  count_ -= last - first - 1;
  return Insertion::kAdded;
}

SeqNum RangeSet::TakeUpTo(SeqNum next) {
  uint32_t taken = 0;
  while (taken < count_ && ranges_[taken].start <= next) {
    next = SeqMax(next, ranges_[taken].end);
    ++taken;
  }
  if (taken == 0) return next;
  std::copy(ranges_.begin() + taken, ranges_.begin() + count_, ranges_.begin());
  count_ -= taken;
  return next;
}

}  // namespace corelane::tcp
