#include "proto/tcp/timers.h"

#include <gtest/gtest.h>

#include <limits>

namespace corelane::tcp {
namespace {

class TimersTest : public ::testing::TestWithParam<Tick> {
 protected:
  void SetUp() override {
    cb.state = State::kEstablished;
    cb.mss = 1000;
    cb.rto_us = 300'000;
    cb.cwnd = 10'000;
    cb.snd_edge = cb.snd_una + 10'000;
  }
  Context After(Duration d) {
    Now now;
    now.tick = GetParam() + ToTicks(d);
    return {config, counters, now};
  }
  Config config;
  Counters counters;
  ControlBlock cb;
};
INSTANTIATE_TEST_SUITE_P(Wrap, TimersTest,
                         ::testing::Values(Tick{0}, Tick{0x7ffffff0},
                                           Tick{0xfffffff0}));

TEST_P(TimersTest, NothingArmed) {
  EXPECT_FALSE(NextDeadline(cb));
  EXPECT_EQ(OnTimers(cb, After(10h)), kTimerNothing);
}

TEST_P(TimersTest, EarliestComesFirst) {
  ArmIdle(cb, After(0s).now, 60s);
  ArmApp(cb, After(0s).now, 5s);
  EXPECT_EQ(NextDeadline(cb), After(5s).now.tick);
  ArmRetransmit(cb, After(0s).now);
  EXPECT_EQ(NextDeadline(cb), After(300ms).now.tick);
  ArmDelayedAck(cb, After(0s));
  EXPECT_EQ(NextDeadline(cb), After(40ms).now.tick);
}

TEST_P(TimersTest, DelayedAckIsNotPutOff) {
  ArmDelayedAck(cb, After(0s));
  ArmDelayedAck(cb, After(30ms));
  EXPECT_EQ(OnTimers(cb, After(39ms)), kTimerNothing);
  EXPECT_EQ(OnTimers(cb, After(41ms)), kTimerEmit);
  EXPECT_TRUE(cb.Has(kAckNow));
  EXPECT_FALSE(NextDeadline(cb));
}

TEST_P(TimersTest, RetransmitFallsBackAndBacksOff) {
  cb.snd_nxt = cb.snd_max = cb.snd_queued = cb.snd_una + 5000;
  ArmRetransmit(cb, After(0s).now);
  EXPECT_EQ(OnTimers(cb, After(299ms)), kTimerNothing);
  EXPECT_EQ(OnTimers(cb, After(301ms)), kTimerEmit);
  EXPECT_EQ(cb.snd_nxt, cb.snd_una);
  EXPECT_EQ(cb.rto_us, 600'000u);
  EXPECT_EQ(cb.retransmits, 1);
  EXPECT_EQ(NextDeadline(cb), After(301ms).now.tick + ToTicks(600ms));
}

TEST_P(TimersTest, ClosedWindowMakesItAProbe) {
  cb.snd_nxt = cb.snd_max = cb.snd_queued = cb.snd_una + 5000;
  cb.snd_edge = cb.snd_una;
  ArmRetransmit(cb, After(0s).now);
  EXPECT_EQ(OnTimers(cb, After(301ms)), kTimerEmit);
  EXPECT_TRUE(cb.Has(kProbe));
  EXPECT_TRUE(cb.Has(kPersist));
  EXPECT_EQ(cb.cwnd, 10'000u);
}

TEST_P(TimersTest, ApplicationAndIdle) {
  ArmApp(cb, After(0s).now, 1s);
  ArmIdle(cb, After(0s).now, 2s);
  EXPECT_EQ(OnTimers(cb, After(3s)), kTimerApp | kTimerDone);
  EXPECT_EQ(OnTimers(cb, After(3s)), kTimerNothing);
}

TEST(Clock, TicksRoundUp) {
  EXPECT_EQ(ToTicks(0ns), 0u);
  EXPECT_EQ(ToTicks(1ns), 1u);
  EXPECT_EQ(ToTicks(65'536ns), 1u);
  EXPECT_EQ(ToTicks(65'537ns), 2u);
  EXPECT_EQ(MicrosToTicks(66), 2u);
  EXPECT_GE(MicrosToTicks(std::numeric_limits<uint32_t>::max()), 65'535'999u);
  EXPECT_TRUE(TickBefore(0xffffffff, 0));
  EXPECT_FALSE(TickBefore(0, 0xffffffff));
}

}  // namespace
}  // namespace corelane::tcp
