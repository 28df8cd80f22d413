// The parts of the peer's stream that arrived ahead of a gap.
#ifndef CORELANE_PROTO_TCP_RANGES_H_
#define CORELANE_PROTO_TCP_RANGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "proto/base/sequence.h"
#include "proto/tcp/options.h"

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
  // The range that contains `seq`; nullptr if none does.
  const SeqRange* Find(SeqNum seq) const;
  void Clear() { count_ = 0; }

 private:
  std::array<SeqRange, kCapacity> ranges_{};
  uint32_t count_ = 0;
};

// What a connection needs only while its receive stream has a gap, or a
// duplicate has to be reported.
struct ReceiveHoles {
  RangeSet ranges;
  bool has_fin = false;  // a FIN came ahead of the gap
  bool has_dsack = false;
  uint8_t recent_count = 0;
  SeqNum fin;      // its sequence number
  SeqRange dsack;  // what arrived twice, to be told once (RFC 2883)
  // Where data arrived last, the latest first: the order in which ranges are
  // reported (RFC 2018 section 4).
  std::array<SeqNum, 4> recent{};

  bool Empty() const { return ranges.empty() && !has_fin && !has_dsack; }
  void NoteArrival(SeqNum seq);
  void NoteDuplicate(SeqNum start, SeqNum end) {
    has_dsack = true;
    dsack = {start, end};
  }
  // How many blocks WriteSack would like to write.
  uint32_t SackBlocks() const {
    return static_cast<uint32_t>(ranges.size()) + (has_dsack ? 1 : 0);
  }
  // Fills in as many as fit and returns their number. The duplicate is reported
  // once.
  uint32_t WriteSack(std::span<SackBlock> out);
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RANGES_H_
