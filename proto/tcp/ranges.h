// The parts of the peer's stream that arrived ahead of a gap.
#ifndef CORELANE_PROTO_TCP_RANGES_H_
#define CORELANE_PROTO_TCP_RANGES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/base/sequence.h"

namespace corelane::tcp {

struct SeqRange {
  SeqNum start;
  SeqNum end;  // one past the last
};

// A bounded, sorted list of disjoint, non-adjacent ranges. All of them lie
// within one window of another, so comparisons are meaningful.
class RangeSet {
 public:
  // A peer that makes more gaps than this (SegmentSmack, CVE-2018-5390) has
  // to send the surplus again; inserting stays cheap.
  static constexpr size_t kCapacity = 32;

  enum class Insertion : uint8_t {
    kAdded,      // at least one new sequence number
    kDuplicate,  // nothing new
    kFull,       // no room for one more gap; nothing changed
  };

  Insertion Insert(SeqNum start, SeqNum end);

  // If a range begins at or before `next`, removes every such range and
  // returns the end of the last (or `next` if that is further on).
  SeqNum TakeUpTo(SeqNum next);

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  const SeqRange& operator[](size_t i) const { return ranges_[i]; }
  void Clear() { count_ = 0; }

 private:
  std::array<SeqRange, kCapacity> ranges_{};
  uint32_t count_ = 0;
};

// What a connection needs only while its receive stream has a gap.
struct ReceiveHoles {
  RangeSet ranges;
  bool has_fin = false;  // a FIN came ahead of the gap
  SeqNum fin;            // its sequence number
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RANGES_H_
