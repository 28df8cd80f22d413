// How many connections are open that nobody remembers: those of the same time
// are counted together, and given up together when that time is long ago.
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
  // They are given up `timeout` after they began, or at most a thirtieth of it
  // later.
  explicit OpenCount(Duration timeout)
      : timeout_(timeout), width_(std::max<Duration>(timeout / 30, 1us)) {}

  uint64_t open() const { return open_; }

  void Begin(Time at) {
    const int64_t slot = std::max(SlotOf(at), oldest_);
    if (open_ == 0) oldest_ = newest_ = slot;
    newest_ = std::max(newest_, slot);
    while (newest_ - oldest_ >= kSlots) DropOldest();
    ++CellOf(slot);
    ++open_;
  }
  // One that began then has ended. False if there is none: it was counted
  // before, or given up.
  bool End(Time began) {
    const int64_t slot = SlotOf(began);
    if (open_ == 0 || slot < oldest_ || slot > newest_ || CellOf(slot) == 0) {
      return false;
    }
    --CellOf(slot);
    --open_;
    return true;
  }
  // One has ended of which nobody knows when it began: the oldest, then.
  bool EndAny() {
    if (open_ == 0) return false;
    while (CellOf(oldest_) == 0) ++oldest_;
    --CellOf(oldest_);
    --open_;
    return true;
  }

  // Gives up those that are too old; returns how many that are since the last
  // call.
  uint64_t Expire(Time now) {
    const int64_t limit = SlotOf(now - timeout_);
    while (open_ > 0 && oldest_ < limit) DropOldest();
    return std::exchange(dropped_, 0);
  }
  // When the next ones may be given up.
  Time NextExpiry() const {
    if (open_ == 0) return kTimeNever;
    return kTimeZero + (oldest_ + 1) * width_ + timeout_;
  }

 private:
  static constexpr int64_t kSlots = 64;

  int64_t SlotOf(Time at) const { return at.time_since_epoch() / width_; }
  uint64_t& CellOf(int64_t slot) {
    return cells_[static_cast<size_t>(slot) % kSlots];
  }
  void DropOldest() {
    open_ -= CellOf(oldest_);
    dropped_ += std::exchange(CellOf(oldest_), 0);
    ++oldest_;
  }

  Duration timeout_;
  Duration width_;
  std::array<uint64_t, kSlots> cells_{};
  int64_t oldest_ = 0;  // slots with open ones are from here ...
  int64_t newest_ = 0;  // ... to here
  uint64_t open_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_OPEN_COUNT_H_
