// How many connections are open that nobody remembers: those that were due at
// the same time are counted together, and given up together.
#ifndef CORELANE_DATAPLANE_LOAD_OPEN_COUNT_H_
#define CORELANE_DATAPLANE_LOAD_OPEN_COUNT_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "proto/base/time.h"

namespace corelane::dataplane {

class OpenCount {
 public:
  // One that has begun is given up `timeout` later; with it, those that were
  // due within a thirtieth of that before it.
  explicit OpenCount(Duration timeout)
      : timeout_(timeout), width_(std::max<Duration>(timeout / 30, 1us)) {}

  uint64_t open() const { return open_; }

  // Neither time is before those of the last call, and `due` not more than a
  // timeout before `now`.
  void Begin(Time due, Time now) {
    const int64_t slot = std::max(SlotOf(due), oldest_);
    if (open_ == 0) oldest_ = newest_ = slot;
    newest_ = std::max(newest_, slot);
    while (newest_ - oldest_ >= kSlots) DropOldest();
    CellOf(slot).last = now;
    ++CellOf(slot).count;
    ++open_;
  }
  // One that was due then has ended. False if there is none: it was counted
  // before, or given up.
  bool End(Time due) {
    const int64_t slot = SlotOf(due);
    if (open_ == 0 || slot < oldest_ || slot > newest_) return false;
    return TakeFrom(slot);
  }
  // One has ended of which nobody knows when it was due: the oldest, then.
  bool EndAny() {
    SkipEmpty();
    return open_ > 0 && TakeFrom(oldest_);
  }

  // Gives up those that are too old; returns how many that are since the last
  // call.
  uint64_t Expire(Time now) {
    for (SkipEmpty(); open_ > 0 && NextExpiry() <= now; SkipEmpty()) {
      DropOldest();
    }
    return std::exchange(dropped_, 0);
  }
  // When some may be given up, at the earliest; right after Expire when some
  // are.
  Time NextExpiry() const {
    return open_ == 0 ? kTimeNever : CellOf(oldest_).last + timeout_;
  }

 private:
  static constexpr int64_t kSlots = 64;  // two timeouts, and more
  struct Cell {
    uint64_t count = 0;
    Time last = kTimeZero;  // when the last of them began
  };

  int64_t SlotOf(Time due) const { return due.time_since_epoch() / width_; }
  static size_t IndexOf(int64_t slot) {
    return static_cast<size_t>(slot) % kSlots;
  }
  Cell& CellOf(int64_t slot) { return cells_[IndexOf(slot)]; }
  const Cell& CellOf(int64_t slot) const { return cells_[IndexOf(slot)]; }

  bool TakeFrom(int64_t slot) {
    if (CellOf(slot).count == 0) return false;
    --CellOf(slot).count;
    --open_;
    return true;
  }
  void SkipEmpty() {
    while (open_ > 0 && CellOf(oldest_).count == 0) ++oldest_;
  }
  void DropOldest() {
    const uint64_t n = std::exchange(CellOf(oldest_).count, 0);
    open_ -= n;
    dropped_ += n;
    ++oldest_;
  }

  Duration timeout_;
  Duration width_;
  std::array<Cell, kSlots> cells_{};
  int64_t oldest_ = 0;  // slots with open ones are from here ...
  int64_t newest_ = 0;  // ... to here
  uint64_t open_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_OPEN_COUNT_H_
