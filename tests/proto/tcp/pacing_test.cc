#include "proto/tcp/pacing.h"

#include <gtest/gtest.h>

#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

class Pacing : public ::testing::Test {
 protected:
  Pacing() {
    config_.pacing = true;
    cb_.mss = 1000;
    cb_.cwnd = 10'000;
    cb_.ssthresh = 1 << 30;
    cb_.srtt_us = 8 * 100'000;
  }

  Context At(Duration t) { return {config_, counters_, Now(kTimeZero + t)}; }
  bool Holds(Duration t) { return PaceHolds(cb_, tx_, At(t)); }
  void Send(Duration t) { AdvancePace(cb_, tx_, 1000, At(t)); }

  Config config_;
  Counters counters_;
  ControlBlock cb_;
  SendState tx_;
};

TEST_F(Pacing, RateFollowsTheWindow) {
  EXPECT_EQ(PaceInterval(cb_, 1000), 5000u);  // twice the window per round trip
  cb_.ssthresh = cb_.cwnd;
  EXPECT_EQ(PaceInterval(cb_, 1000), 8333u);  // 1.2 times
  cb_.cwnd = 0;
  EXPECT_GT(PaceInterval(cb_, 1000), 0u);
}

TEST_F(Pacing, BurstOfTwoThenSpread) {
  EXPECT_FALSE(Holds(1s));
  Send(1s);
  EXPECT_FALSE(Holds(1s));
  Send(1s);
  EXPECT_TRUE(Holds(1s));
  EXPECT_TRUE(Holds(1s + 4900us));
  EXPECT_FALSE(Holds(1s + 5ms));
  Send(1s + 5ms);
  EXPECT_TRUE(Holds(1s + 5ms));
  // A wait of any length allows two again, and no more.
  EXPECT_FALSE(Holds(3s));
  Send(3s);
  Send(3s);
  EXPECT_TRUE(Holds(3s));
}

TEST_F(Pacing, TimerEndsTheWait) {
  Send(1s);
  Send(1s);
  EXPECT_FALSE(NextDeadline(cb_, &tx_));
  ASSERT_TRUE(Holds(1s));
  const auto next = NextDeadline(cb_, &tx_);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, At(1s).now.tick + MicrosToTicks(5000));
  EXPECT_EQ(OnTimers(cb_, &tx_, At(1s + 4ms)), kTimerNothing);
  EXPECT_EQ(OnTimers(cb_, &tx_, At(1s + 6ms)), kTimerEmit);
  EXPECT_FALSE(NextDeadline(cb_, &tx_));
}

// The 32-bit clock has gone half round since the last segment.
TEST_F(Pacing, TimesLongAgoDoNotHold) {
  Send(1s);
  Send(1s);
  EXPECT_FALSE(Holds(1s + 2200s));
  Send(1s + 2200s);
  EXPECT_FALSE(Holds(1s + 2200s));
}

TEST_F(Pacing, OffOrWithoutARoundTripTime) {
  config_.pacing = false;
  Send(1s);
  Send(1s);
  EXPECT_FALSE(Holds(1s));
  config_.pacing = true;
  cb_.srtt_us = 0;
  Send(1s);
  Send(1s);
  EXPECT_FALSE(Holds(1s));
}

}  // namespace
}  // namespace corelane::tcp
