#include "proto/tcp/timers.h"

#include <gtest/gtest.h>

#include <limits>

#include "proto/tcp/recovery.h"
#include "proto/tcp/sent_list.h"

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
  void Send(uint32_t bytes) {
    cb.snd_nxt = cb.snd_queued = cb.snd_una + bytes;
    InitSendState(cb, tx);
    ASSERT_TRUE(SentList(tx, cb.snd_una).Append(cb.snd_nxt, 0, 0));
  }

  Counters counters;
  ControlBlock cb;
  SendState tx;
};
INSTANTIATE_TEST_SUITE_P(Wrap, TimersTest,
                         ::testing::Values(Tick{0}, Tick{0x7ffffff0},
                                           Tick{0xfffffff0}));

TEST_P(TimersTest, NothingArmed) {
  EXPECT_FALSE(NextDeadline(cb));
  EXPECT_EQ(OnTimers(cb, &tx, After(10h)), kTimerNothing);
}

TEST_P(TimersTest, EarliestComesFirst) {
  ArmIdle(cb, After(0s).now, 60s);
  ArmApp(cb, After(0s).now, 5s);
  EXPECT_EQ(NextDeadline(cb), After(5s).now.tick);
  ArmRetransmit(cb, After(0s));
  EXPECT_EQ(NextDeadline(cb), After(300ms).now.tick);
  ArmDelayedAck(cb, After(0s));
  EXPECT_EQ(NextDeadline(cb), After(40ms).now.tick);
}

TEST_P(TimersTest, DelayedAckIsNotPutOff) {
  ArmDelayedAck(cb, After(0s));
  ArmDelayedAck(cb, After(30ms));
  EXPECT_EQ(OnTimers(cb, &tx, After(39ms)), kTimerNothing);
  EXPECT_EQ(OnTimers(cb, &tx, After(41ms)), kTimerEmit);
  EXPECT_TRUE(cb.Has(kAckNow));
  EXPECT_FALSE(NextDeadline(cb));
}

TEST_P(TimersTest, RetransmitFallsBackAndBacksOff) {
  Send(5000);
  ArmRetransmit(cb, After(0s));
  EXPECT_EQ(OnTimers(cb, &tx, After(299ms)), kTimerNothing);
  EXPECT_EQ(OnTimers(cb, &tx, After(301ms)), kTimerEmit);
  EXPECT_EQ(tx.lost_bytes, 5000u);
  EXPECT_EQ(tx.phase, SendPhase::kLoss);
  EXPECT_EQ(cb.rto_us, 600'000u);
  EXPECT_EQ(cb.retransmits, 1);
  EXPECT_EQ(NextDeadline(cb), After(301ms).now.tick + ToTicks(600ms));
}

TEST_P(TimersTest, ClosedWindowMakesItAProbe) {
  Send(5000);
  cb.snd_edge = cb.snd_una;
  ArmRetransmit(cb, After(0s));
  EXPECT_EQ(OnTimers(cb, &tx, After(301ms)), kTimerEmit);
  EXPECT_TRUE(cb.Has(kProbe));
  EXPECT_TRUE(cb.Has(kPersist));
  EXPECT_EQ(cb.cwnd, 10'000u);
}

TEST_P(TimersTest, ApplicationAndIdle) {
  cb.Set(kOrphan);  // the idle timer is FIN-WAIT-2's
  ArmApp(cb, After(0s).now, 1s);
  ArmIdle(cb, After(0s).now, 2s);
  EXPECT_EQ(OnTimers(cb, &tx, After(3s)), kTimerApp | kTimerDone);
  EXPECT_EQ(OnTimers(cb, &tx, After(3s)), kTimerNothing);
}

// RFC 9293 section 3.8.4, with the probes' answers never coming.
TEST_P(TimersTest, KeepaliveProbesAndGivesUp) {
  config.keepalive = true;
  config.keepalive_idle = 10s;
  config.keepalive_interval = 2s;
  config.keepalive_probes = 2;
  RestartKeepalive(cb, After(0s));
  EXPECT_EQ(OnTimers(cb, nullptr, After(10s)), kTimerEmit);
  EXPECT_TRUE(cb.Has(kProbe));
  EXPECT_EQ(OnTimers(cb, nullptr, After(12s)), kTimerEmit);
  EXPECT_EQ(OnTimers(cb, nullptr, After(14s)), kTimerAbort);
  EXPECT_EQ(cb.error, Error::kTimedOut);
}

// Seed 496352: with a short interval the probes, of which 255 are counted,
// never were long enough for the user timeout.
TEST_P(TimersTest, TheUserTimeoutEndsKeepaliveHoweverShortTheInterval) {
  config.keepalive = true;
  config.keepalive_idle = 1s;
  config.keepalive_interval = 10ms;
  config.user_timeout = 5s;
  RestartKeepalive(cb, After(0s));
  uint8_t actions = kTimerNothing;
  Duration at = 0s;
  while ((actions & kTimerAbort) == 0 && at < 10s) {
    at += 100us;
    actions = OnTimers(cb, nullptr, After(at));
  }
  EXPECT_GE(at, 5s);
  EXPECT_LE(at, 5s + 50ms);
  EXPECT_EQ(cb.error, Error::kTimedOut);
}

// RFC 5482: the application's patience, not the number of attempts.
TEST_P(TimersTest, UserTimeoutEndsRetransmissions) {
  config.user_timeout = 2s;
  Send(5000);
  cb.una_since = After(0s).now.tick;
  ArmRetransmit(cb, After(0s));
  uint8_t actions = kTimerNothing;
  Duration at = 0s;
  while ((actions & kTimerAbort) == 0 && at < 10s) {
    at += 10ms;
    actions = OnTimers(cb, &tx, After(at));
  }
  EXPECT_GE(at, 2s);
  EXPECT_LE(at, 2s + 20ms);
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
