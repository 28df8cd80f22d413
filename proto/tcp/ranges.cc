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

const SeqRange* RangeSet::Find(SeqNum seq) const {
  for (uint32_t i = 0; i < count_; ++i) {
    if (ranges_[i].start <= seq && seq < ranges_[i].end) return &ranges_[i];
  }
  return nullptr;
}

void ReceiveHoles::NoteArrival(SeqNum seq) {
  // One entry for each range: those in the same one as `seq` go.
  const SeqRange* range = ranges.Find(seq);
  uint8_t kept = 1;
  std::array<SeqNum, 4> next{seq};
  for (uint8_t i = 0; i < recent_count && kept < next.size(); ++i) {
    const SeqRange* other = ranges.Find(recent[i]);
    if (other != nullptr && other != range) next[kept++] = recent[i];
  }
  recent = next;
  recent_count = kept;
}

uint32_t ReceiveHoles::WriteSack(std::span<SackBlock> out) {
  uint32_t n = 0;
  if (has_dsack && !out.empty()) {
    has_dsack = false;
    out[n++] = {dsack.start, dsack.end};
  }
  const uint32_t first = n;
  auto add = [&](const SeqRange* range) {
    if (range == nullptr || n == out.size()) return;
    for (uint32_t i = first; i < n; ++i) {
      if (out[i].start == range->start) return;
    }
    out[n++] = {range->start, range->end};
  };
  // RFC 2883 section 4.1: a duplicate inside a range is followed by that range.
  if (n == 1) add(ranges.Find(dsack.start));
  for (uint8_t i = 0; i < recent_count; ++i) add(ranges.Find(recent[i]));
  for (size_t i = 0; i < ranges.size(); ++i) add(&ranges[i]);
  return n;
}

}  // namespace corelane::tcp
