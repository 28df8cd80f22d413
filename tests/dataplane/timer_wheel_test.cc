#include "dataplane/flow/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::dataplane {
namespace {

using tcp::Tick;

constexpr uint32_t kConnections = 500;

// The wheel beside a plain map from connection to deadline. Time is kept in 64
// bits here and handed to the wheel in its 32.
class WheelAndModel {
 public:
  explicit WheelAndModel(uint64_t start)
      : now_(start),
        blocks_(kConnections),
        wheel_(blocks_.data(), kConnections, static_cast<Tick>(start)) {}

  void Schedule(uint32_t index, uint64_t deadline) {
    wheel_.Schedule(index, static_cast<Tick>(deadline));
    const auto it = model_.find(index);
    // An entry that is filed earlier stays; its owner files again.
    if (it == model_.end() || deadline < it->second) model_[index] = deadline;
  }

  void Cancel(uint32_t index) {
    wheel_.Cancel(index);
    model_.erase(index);
  }

  // Everything due comes up, nothing else does, each once.
  void Advance(uint64_t to, uint32_t room) {
    now_ = to;
    std::vector<uint32_t> due(room);
    std::multiset<uint32_t> seen;
    for (;;) {
      const uint32_t n =
          wheel_.Advance(static_cast<Tick>(now_), due.data(), room);
      ASSERT_LE(n, room);
      for (uint32_t i = 0; i < n; ++i) seen.insert(due[i]);
      if (n < room) break;
    }
    std::multiset<uint32_t> want;
    for (const auto& [index, deadline] : model_) {
      if (deadline <= now_) want.insert(index);
    }
    ASSERT_EQ(seen, want) << "at " << now_;
    for (uint32_t index : want) model_.erase(index);
  }

  // The wheel may want to turn before the first deadline, but never after.
  void CheckNext() {
    const auto next = wheel_.NextDeadline();
    ASSERT_EQ(next.has_value(), !model_.empty());
    if (!next) return;
    uint64_t first = ~uint64_t{0};
    for (const auto& [index, deadline] : model_) {
      first = std::min(first, deadline);
    }
    const auto ahead = static_cast<int32_t>(*next - static_cast<Tick>(now_));
    const uint64_t wants = now_ + static_cast<uint64_t>(std::max(ahead, 0));
    ASSERT_LE(wants, std::max(first, now_)) << "at " << now_;
  }

  uint64_t now() const { return now_; }

 private:
  uint64_t now_;
  std::vector<tcp::ControlBlock> blocks_;
  std::map<uint32_t, uint64_t> model_;
  TimerWheel wheel_;
};

uint64_t Magnitude(Rng& rng, uint32_t bits) {
  return rng.Below(uint32_t{1} << rng.Between(1, bits));
}

// Starts close before each place where something wraps: the 32 bits, and each
// level's round.
TEST(TimerWheel, BehavesLikeAMap) {
  const uint64_t starts[] = {0,
                             200,
                             65'500,
                             (uint64_t{1} << 24) - 300,
                             (uint64_t{1} << 31) - 300,
                             (uint64_t{1} << 32) - 300,
                             (uint64_t{1} << 32) - 70'000,
                             (uint64_t{5} << 32) + 12'345};
  uint64_t seed = 0;
  for (const uint64_t start : starts) {
    for (int run = 0; run < 4; ++run) {
      Rng rng(++seed, 0x3ee1);
      WheelAndModel w(start);
      for (int step = 0; step < 3'000; ++step) {
        const uint32_t index = rng.Below(kConnections);
        switch (rng.Below(10)) {
          case 0:
            w.Cancel(index);
            break;
          case 1:
            // Also long sleeps, over several rounds of several levels.
            ASSERT_NO_FATAL_FAILURE(
                w.Advance(w.now() + Magnitude(rng, 22), rng.Between(1, 64)));
            break;
          case 2:
            ASSERT_NO_FATAL_FAILURE(w.CheckNext());
            break;
          default:
            w.Schedule(index, w.now() + Magnitude(rng, 30));
        }
      }
      // All that is left comes up in the end.
      for (int i = 0; i < 9; ++i) {
        ASSERT_NO_FATAL_FAILURE(w.Advance(w.now() + (1u << 28), 64));
      }
      ASSERT_NO_FATAL_FAILURE(w.CheckNext());
    }
  }
}

TEST(TimerWheel, StepByStepNothingIsEarlyOrLate) {
  Rng rng(77);
  WheelAndModel w((uint64_t{1} << 32) - 2'000);
  for (uint32_t i = 0; i < kConnections; ++i) {
    w.Schedule(i, w.now() + rng.Below(5'000));
  }
  for (int tick = 0; tick < 5'001; ++tick) {
    ASSERT_NO_FATAL_FAILURE(w.CheckNext());
    ASSERT_NO_FATAL_FAILURE(w.Advance(w.now() + 1, 32));
  }
  w.CheckNext();
}

TEST(TimerWheel, ADeadlineInThePastIsDueAtOnce) {
  std::vector<tcp::ControlBlock> blocks(2);
  TimerWheel wheel(blocks.data(), 8, 1000);
  wheel.Schedule(1, 900);
  uint32_t due[4];
  ASSERT_EQ(wheel.Advance(1000, due, 4), 1u);
  EXPECT_EQ(due[0], 1u);
  EXPECT_FALSE(wheel.NextDeadline());
}

TEST(TimerWheel, AnEarlierDeadlineMovesTheEntry) {
  std::vector<tcp::ControlBlock> blocks(2);
  TimerWheel wheel(blocks.data(), 8, 0);
  wheel.Schedule(0, 100'000);
  wheel.Schedule(0, 10);
  uint32_t due[4];
  EXPECT_EQ(wheel.Advance(9, due, 4), 0u);
  EXPECT_EQ(wheel.Advance(10, due, 4), 1u);
  EXPECT_EQ(wheel.Advance(200'000, due, 4), 0u);  // not twice
}

TEST(TimerWheel, SleepingLongWithNothingToDoIsCheap) {
  std::vector<tcp::ControlBlock> blocks(1);
  TimerWheel wheel(blocks.data(), 8, 5);
  uint32_t due[1];
  EXPECT_EQ(wheel.Advance(0x7fff'0000, due, 1), 0u);
  wheel.Schedule(0, 0x7fff'0010);
  EXPECT_EQ(wheel.Advance(0x7fff'0010, due, 1), 1u);
}

}  // namespace
}  // namespace corelane::dataplane
