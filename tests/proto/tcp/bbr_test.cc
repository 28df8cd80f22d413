#include "proto/tcp/bbr.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "proto/tcp/bbr_model.h"
#include "proto/tcp/pacing.h"
#include "proto/tcp/scaled_growth.h"
#include "tests/proto/tcp/bbr_harness.h"

namespace corelane::tcp {
namespace {

using Phase = BbrPhase;

// rule: BBR-5.3.1 BBR-5.3.2
TEST(BbrTest, StartupFindsTheBandwidthThenDrains) {
  BbrHarness h;
  h.Start();
  EXPECT_EQ(h.bbr.phase, Phase::kStartup);
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kDrain, 1s));
  EXPECT_NEAR(static_cast<double>(bbr::MaxBw(h.bbr)), 1e6, 5e4);
  EXPECT_EQ(h.dropped, 0u);
  ASSERT_TRUE(h.RunUntil(Phase::kProbeCruise, 200ms));
  EXPECT_LE(Pipe(h.cb, h.tx), h.Bdp() + 1u * h.kMss);
  EXPECT_NEAR(h.bbr.min_rtt_us, 20'000, 2'000);
}

// rule: BBR-5.3.1.3
TEST(BbrTest, StartupEndsByLoss) {
  BbrHarness h;
  h.queue = 8'000;
  h.delay = 50ms;
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kDrain, 3s));
  EXPECT_GT(h.dropped, 0u);
  EXPECT_NE(h.bbr.inflight_longterm, kNoBound);
  EXPECT_TRUE(h.bbr.filled_pipe);
  EXPECT_GT(h.Goodput(10s), 750'000u);
}

// A few losses are noise.

TEST(BbrTest, StartupSurvivesSingleLosses) {
  BbrHarness h;
  h.delay = 50ms;
  h.queue = 300'000;
  h.lose = [](uint64_t n) { return n == 5 || n == 60; };
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kDrain, 3s));
  EXPECT_EQ(h.bbr.inflight_longterm, kNoBound);
  EXPECT_NEAR(static_cast<double>(bbr::MaxBw(h.bbr)), 1e6, 5e4);
}

// rule: BBR-5.3.3
TEST(BbrTest, CyclesThroughProbing) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  std::vector<Phase> phases;
  h.Run(15s, [&] {
    if (phases.empty() || phases.back() != h.bbr.phase) {
      phases.push_back(h.bbr.phase);
    }
  });
  int ups = 0;
  for (size_t i = 1; i < phases.size(); ++i) {
    const Phase before = phases[i - 1];
    switch (phases[i]) {
      case Phase::kStartup:
        ADD_FAILURE() << "Startup again";
        break;
      case Phase::kDrain:
        EXPECT_EQ(before, Phase::kStartup);
        break;
      case Phase::kProbeDown:
        EXPECT_TRUE(before == Phase::kDrain || before == Phase::kProbeUp);
        break;
      case Phase::kProbeCruise:
        // Where nothing has to be drained, ProbeDown ends as it begins.
        EXPECT_NE(before, Phase::kStartup);
        EXPECT_NE(before, Phase::kProbeRefill);
        break;
      case Phase::kProbeRefill:
        EXPECT_TRUE(before == Phase::kProbeCruise ||
                    before == Phase::kProbeDown);
        break;
      case Phase::kProbeUp:
        EXPECT_EQ(before, Phase::kProbeRefill);
        ++ups;
        break;
      case Phase::kProbeRtt:
        break;
    }
  }
  EXPECT_GE(ups, 5);
  EXPECT_EQ(h.dropped, 0u);
  EXPECT_GT(h.Goodput(10s), 950'000u);
}

// A queue of a bandwidth-delay product and more stays mostly empty.

// rule: BBR-5.3.4
TEST(BbrTest, ProbeRttEveryFiveSeconds) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  // Cross traffic, or a route, that makes the round trip longer for good.
  h.Run(1s);
  h.late = [](uint64_t) { return 10ms; };
  Time entered = kTimeZero;
  ASSERT_TRUE(h.RunUntil(Phase::kProbeRtt, 6s));
  entered = h.now;
  const uint32_t before = h.bbr.prior_cwnd;
  h.Run(100ms);
  EXPECT_LE(h.cb.cwnd, std::max(h.Bdp(), 4u * h.kMss));
  EXPECT_EQ(h.bbr.phase, Phase::kProbeRtt);
  ASSERT_TRUE(h.RunUntil(Phase::kProbeCruise, 1s));
  EXPECT_GE(h.now - entered, 200ms);
  EXPECT_LE(h.now - entered, 400ms);
  EXPECT_GE(h.cb.cwnd, before / 2);
  // The old minimum is believed for 10 s.
  EXPECT_NEAR(h.bbr.min_rtt_us, 20'000, 2'000);
  h.Run(11s);
  EXPECT_NEAR(h.bbr.min_rtt_us, 30'000, 3'000);
  EXPECT_GT(h.Goodput(5s), 900'000u);
}

// Short exchanges refresh the round-trip time by themselves.

// rule: BBR-5.4
TEST(BbrTest, NoProbeRttForOneThatRests) {
  BbrHarness h;
  h.Start();
  h.Write(200'000);
  h.Run(2s);
  for (int i = 0; i < 100; ++i) {
    h.Write(3'000);
    h.Run(130ms, [&] { ASSERT_NE(h.bbr.phase, Phase::kProbeRtt); });
  }
}

// The application's rate is not taken for the path's.

// Losses that are not congestion: between probes each round gives up as much of

// the rate as it has lost, and a probe takes it back.

// Spurious: the segment is late, not lost (Eifel cannot tell without

// timestamps, D-SACK can; here the undo is called as recovery would).

// rule: BBR-5.5.11
TEST(BbrTest, UndoGoesBackToStartup) {
  BbrHarness h;
  h.queue = 6'000;
  h.delay = 50ms;
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kDrain, 3s));
  ASSERT_EQ(h.bbr.undo_phase, Phase::kStartup);
  const uint32_t prior = h.bbr.prior_cwnd;
  BbrUndo(h.cb, h.tx);
  EXPECT_EQ(h.bbr.phase, Phase::kStartup);
  EXPECT_FALSE(h.bbr.filled_pipe);
  EXPECT_EQ(h.bbr.inflight_longterm, kNoBound);
  EXPECT_GE(h.cb.cwnd, prior);
  // Only once.
  h.bbr.phase = Phase::kProbeCruise;
  BbrUndo(h.cb, h.tx);
  EXPECT_EQ(h.bbr.phase, Phase::kProbeCruise);
}

// rule: BBR-5.5.10 BBR-5.5.11
TEST(BbrTest, UndoOfALossWhileCruising) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kProbeCruise, 3s));
  const uint64_t from = h.segments + 1;
  h.lose = [&](uint64_t n) { return n >= from && n < from + 3; };
  const uint32_t cwnd = h.cb.cwnd;
  h.Run(100ms);
  ASSERT_NE(h.bbr.bw_shortterm, kNoRateBound);
  BbrUndo(h.cb, h.tx);
  EXPECT_EQ(h.bbr.bw_shortterm, kNoRateBound);
  EXPECT_EQ(h.bbr.inflight_shortterm, kNoBound);
  EXPECT_GE(h.cb.cwnd, cwnd);
}

// RFC 6298: what a timeout lets go is one segment, and then it grows again.

TEST(BbrTest, TimeoutAndBack) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  h.Run(2s);
  bool dark = true;
  h.lose = [&](uint64_t) { return dark; };
  bool saw_loss = false;
  h.Run(3s, [&] {
    if (h.tx.phase == SendPhase::kLoss) saw_loss = true;
  });
  ASSERT_TRUE(saw_loss);
  EXPECT_LE(h.cb.cwnd, Pipe(h.cb, h.tx) + 2u * h.kMss);
  dark = false;
  h.Run(10s);
  EXPECT_EQ(h.tx.phase, SendPhase::kOpen);
  EXPECT_GT(h.Goodput(10s), 850'000u);
}

// draft-ietf-ccwg-bbr section 3.8 asks for a response to marks.

TEST(BbrTest, MarksEndStartup) {
  BbrHarness h;
  h.cb.flags |= kEcn;
  h.delay = 50ms;
  h.mark = [](uint64_t n) { return n == 40; };
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kDrain, 400ms));
  EXPECT_NE(h.bbr.inflight_longterm, kNoBound);
}

// rule: BBR-3.8
TEST(BbrTest, MarksReduceWhileCruising) {
  BbrHarness h;
  h.cb.flags |= kEcn;
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kProbeCruise, 3s));
  const uint64_t bw = h.bbr.bw;
  const uint32_t cwnd = h.cb.cwnd;
  const uint64_t from = h.segments + 1;
  h.mark = [&](uint64_t n) { return n == from; };
  h.Run(70ms);
  EXPECT_LE(h.bbr.bw, bw * 90 / 100);
  EXPECT_LE(h.cb.cwnd, cwnd * 90 / 100);
  EXPECT_EQ(h.counters.ecn_reductions, 1u);
  // Until the next probe.
  h.Run(5s);
  EXPECT_GT(h.bbr.bw, bw * 95 / 100);
}

// rule: BBR-5.6.2
TEST(BbrTest, PacesWhatItSends) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  ASSERT_TRUE(h.RunUntil(Phase::kProbeCruise, 3s));
  h.departures.clear();
  h.Run(100ms);
  ASSERT_GT(h.departures.size(), 80u);
  // No more than a few leave within what a few take.
  for (size_t i = 0; i + 6 < h.departures.size(); ++i) {
    EXPECT_GE(h.departures[i + 6] - h.departures[i], 2ms);
  }
}

TEST(BbrTest, PaceIntervalLosesNothing) {
  BbrState s;
  EXPECT_EQ(BbrPaceInterval(s, 1000), 0u);
  s.pacing_rate = 3'000'000'000;  // a segment takes less than a microsecond
  uint64_t sum = 0;
  for (int i = 0; i < 3'000'000; ++i) sum += BbrPaceInterval(s, 1000);
  EXPECT_EQ(sum, 1'000'000u);
  s.pacing_rate = 1;
  EXPECT_EQ(BbrPaceInterval(s, 1000), kLongestPaceUs);
}

TEST(BbrTest, TakesOverAndGivesBack) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  h.Run(500ms);
  StopBbr(h.cb, h.tx);
  EXPECT_EQ(h.cb.ssthresh, h.cb.cwnd);
  h.config.congestion = CongestionControl::kCubic;
  h.Run(1s);
  const uint32_t cwnd = h.cb.cwnd;
  h.config.congestion = CongestionControl::kBbr;
  StartBbr(h.cb, h.tx, h.bbr, h.Ctx());
  EXPECT_EQ(h.cb.cwnd, cwnd);  // in the middle of a transfer
  EXPECT_EQ(h.cb.ssthresh, kMaxCwnd);
  h.Run(3s);
  EXPECT_GT(h.Goodput(5s), 930'000u);
}

// Proportional rate reduction goes on from nothing.

TEST(BbrTest, GivesBackInTheMiddleOfRecovery) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  h.Run(500ms);
  const uint64_t from = h.segments;
  h.lose = [&](uint64_t n) { return n >= from && n < from + 5; };
  h.Run(100ms, [&] {
    if (h.tx.phase == SendPhase::kRecovery && h.tx.bbr != nullptr) {
      h.config.congestion = CongestionControl::kCubic;
      StopBbr(h.cb, h.tx);
    }
  });
  EXPECT_EQ(h.tx.bbr, nullptr);
  EXPECT_GT(h.Goodput(5s), 930'000u);
}

}  // namespace
}  // namespace corelane::tcp
