#include "proto/tcp/cubic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "proto/tcp/cubic_curve.h"
#include "proto/tcp/recovery.h"
#include "tests/proto/tcp/congestion_harness.h"

namespace corelane::tcp {
namespace {

constexpr auto kCubic = CongestionControl::kCubic;

// RFC 9438's formulas in segments, seconds and floating point.
struct Model {
  double cwnd, w_max, cwnd_prior, rtt;
  double k = 0, w_est = 0, t = 0;

  void Start() {
    k = w_max > cwnd ? std::cbrt((w_max - cwnd) / 0.4) : 0;
    w_max = std::max(w_max, cwnd);
    w_est = cwnd;
    t = 0;
  }
  double Curve(double at) const {
    return 0.4 * (at - k) * (at - k) * (at - k) + w_max;
  }
  void Ack(double segments) {
    const double alpha = w_est >= cwnd_prior ? 1 : 3 * (1 - 0.7) / (1 + 0.7);
    w_est += alpha * segments / cwnd;
    if (Curve(t) < w_est) {
      cwnd = std::max(cwnd, w_est);
      return;
    }
    const double target = std::clamp(Curve(t + rtt), cwnd, 1.5 * cwnd);
    cwnd += (target - cwnd) / cwnd * segments;
  }
};

// A connection in congestion avoidance after a loss at `segments`.
CongestionHarness AfterLoss(uint32_t segments, uint32_t rtt_us,
                            uint16_t mss = 1000) {
  CongestionHarness h(kCubic, mss);
  h.cb.srtt_us = rtt_us * 8;
  h.cb.cwnd = segments * mss;
  h.Fill();
  h.Event(CongestionEvent::kLoss);
  return h;
}

struct Path {
  uint32_t segments;
  uint32_t rtt_us;
  uint16_t mss;
};
class CubicModelTest : public ::testing::TestWithParam<Path> {};

// Through the concave and the convex region, or the Reno-friendly one. The
// bound: a segment and 0.1 %.
// rule: RFC9438-4.2
TEST_P(CubicModelTest, TheWindowIsTheFormulas) {
  const auto [segments, rtt_us, mss] = GetParam();
  CongestionHarness h = AfterLoss(segments, rtt_us, mss);
  Model model{.cwnd = static_cast<double>(h.cb.cwnd) / mss,
              .w_max = static_cast<double>(segments),
              .cwnd_prior = static_cast<double>(segments),
              .rtt = rtt_us / 1e6};
  const double k = std::cbrt(0.3 * segments / 0.4);
  const auto rounds = static_cast<int>(std::min(3 * k * 1e6 / rtt_us, 3000.0));
  uint64_t acks = 0;
  for (int i = 0; i < rounds && acks < 3'000'000; ++i) {
    h.Fill();
    const uint32_t n = std::max(h.cb.cwnd / mss, 1u);
    const uint64_t start = h.now_us;
    for (uint32_t j = 0; j < n; ++j) {
      const uint64_t before = h.now_us;
      h.now_us = start + uint64_t{rtt_us} * (j + 1) / n;
      if (acks++ == 0) {
        model.Start();
      } else {
        model.t += static_cast<double>(h.now_us - before) / 1e6;
      }
      h.Ack(mss, rtt_us);
      model.Ack(1);
    }
    ASSERT_NEAR(static_cast<double>(h.cb.cwnd) / mss, model.cwnd,
                1 + 0.001 * model.cwnd)
        << "round " << i;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Paths, CubicModelTest,
    ::testing::Values(Path{2, 1000, 1460}, Path{4, 20'000, 1460},
                      Path{10, 100, 1460}, Path{10, 200'000, 536},
                      Path{40, 50'000, 1460}, Path{100, 1000, 8948},
                      Path{100, 100'000, 1460}, Path{300, 20'000, 1460},
                      Path{1000, 100'000, 1460}, Path{1000, 500, 8948},
                      Path{8000, 200'000, 1460}, Path{20'000, 300'000, 88}));

// Section 4.6 and 4.7.
// rule: RFC9438-4.6 RFC9438-4.7
TEST(CubicTest, ReductionAndFastConvergence) {
  CongestionHarness h = AfterLoss(100, 10'000);
  EXPECT_EQ(h.cb.ssthresh, 70'000u);
  EXPECT_EQ(h.tx.congestion.cubic.now.w_max, 100'000u);
  EXPECT_EQ(h.tx.congestion.cubic.now.cwnd_prior, 100'000u);
  h.Event(CongestionEvent::kEcn);  // below W_max: gives way
  EXPECT_EQ(h.cb.ssthresh, 49'000u);
  EXPECT_EQ(h.tx.congestion.cubic.now.w_max, 59'500u);
  EXPECT_EQ(h.tx.congestion.cubic.now.cwnd_prior, 70'000u);
}

TEST(CubicTest, ThresholdIsTwoSegmentsAtLeast) {
  CongestionHarness h(kCubic);
  h.cb.cwnd = 1000;
  EXPECT_EQ(ThresholdAfter(h.cb, h.tx, CongestionEvent::kLoss, h.context()),
            2000u);
}

// Concave up to W_max, a plateau there, convex beyond.
TEST(CubicTest, ShapeOfTheCurve) {
  const uint32_t rtt_us = 100'000;
  CongestionHarness h = AfterLoss(1000, rtt_us);
  // K = cbrt(300 / 0.4) = 9.09 s = 91 rounds.
  std::vector<double> growth;
  for (int i = 0; i < 182; ++i) {
    const uint32_t before = h.cb.cwnd;
    h.Round(rtt_us);
    growth.push_back(static_cast<double>(h.cb.cwnd - before));
    if (i == 90) {
      EXPECT_NEAR(h.cb.cwnd, 1'000'000, 2000);
    }
  }
  for (int i = 5; i < 85; i += 5) EXPECT_GT(growth[i], growth[i + 5]) << i;
  for (int i = 88; i < 94; ++i) EXPECT_LT(growth[i], 1000) << i;
  for (int i = 97; i < 175; i += 5) EXPECT_LT(growth[i], growth[i + 5]) << i;
  EXPECT_NEAR(h.cb.cwnd, 1'300'000, 20'000);
}

// Figure 1 is of time, not of round trips: the window after 5 s is the same
// whatever the round trip, where it is not Reno's.
TEST(CubicTest, RttIndependent) {
  for (const uint32_t rtt_us : {50'000u, 100'000u, 250'000u}) {
    CongestionHarness h = AfterLoss(1000, rtt_us);
    for (uint32_t us = 0; us < 5'000'000; us += rtt_us) h.Round(rtt_us, 2);
    const double expected = 1000 + 0.4 * std::pow(5 - 9.0856, 3);
    EXPECT_NEAR(h.cb.cwnd / 1000.0, expected, 15) << rtt_us;
  }
}

// Section 4.3: at a small bandwidth-delay product the window is Reno's, at 9/17
// of a segment per round trip until cwnd_prior is reached and one after.
// rule: RFC9438-4.3
TEST(CubicTest, RenoFriendly) {
  CongestionHarness h = AfterLoss(100, 1000);
  for (int i = 0; i < 50; ++i) h.Round(1000);
  EXPECT_NEAR(h.cb.cwnd, 70'000 + 50 * 9000.0 / 17, 600);
  int rounds = 50;
  while (h.cb.cwnd < 100'000 && rounds < 100) h.Round(1000), ++rounds;
  EXPECT_NEAR(rounds, 30 * 17.0 / 9, 2);
  const uint32_t before = h.cb.cwnd;
  for (int i = 0; i < 50; ++i) h.Round(1000);
  EXPECT_NEAR(h.cb.cwnd - before, 50'000, 1200);
}

// Section 4.2: not more than half of what is acknowledged, wherever the curve
// is; here it is far above the window at once, for the round trip is long.
TEST(CubicTest, TargetIsClamped) {
  CongestionHarness h = AfterLoss(1000, 60'000'000);
  h.Fill();
  h.Ack(1000, 60'000'000);  // t = 0
  for (int i = 0; i < 100; ++i) {
    const uint32_t before = h.cb.cwnd;
    h.now_us += 100'000;
    h.Ack(1000, 60'000'000);
    ASSERT_NEAR(h.cb.cwnd - before, 500, 1);
  }
}

// Section 4.8.
// rule: RFC9438-4.8
TEST(CubicTest, AfterATimeoutTheCurveBeginsAtItsPlateau) {
  CongestionHarness h(kCubic);
  h.cb.cwnd = 100'000;
  h.Event(CongestionEvent::kTimeout);
  EXPECT_EQ(h.cb.ssthresh, 70'000u);
  EXPECT_EQ(h.cb.cwnd, 1000u);
  while (h.cb.cwnd < h.cb.ssthresh) h.Round(100'000);
  EXPECT_TRUE(h.tx.congestion.cubic.running);
  EXPECT_EQ(h.tx.congestion.cubic.now.k, 0u);
  EXPECT_EQ(h.tx.congestion.cubic.now.w_max, 70'000u);
  h.Event(CongestionEvent::kLoss);  // and the next one is ordinary again
  h.Round(100'000);
  EXPECT_GT(h.tx.congestion.cubic.now.k, 0u);
}

// Slow start in between, after a pause: what comes next is another stage.
TEST(CubicTest, SlowStartEndsAStage) {
  CongestionHarness h = AfterLoss(1000, 100'000);
  for (int i = 0; i < 20; ++i) h.Round(100'000);
  EXPECT_NEAR(h.tx.congestion.cubic.now.elapsed_us, 2e6, 1e5);
  h.cb.cwnd = 10'000;
  while (h.cb.cwnd < h.cb.ssthresh) h.Round(100'000);
  h.Round(100'000);
  EXPECT_LT(h.tx.congestion.cubic.now.elapsed_us, 300'000u);
}

// Section 4.10: slow start ended without a loss.
TEST(CubicTest, WithoutWMaxTheCurveBeginsAtItsPlateau) {
  CongestionHarness h(kCubic);
  h.cb.cwnd = h.cb.ssthresh = 500'000;
  h.Round(100'000);
  EXPECT_EQ(h.tx.congestion.cubic.now.k, 0u);
  EXPECT_EQ(h.tx.congestion.cubic.now.w_max, 500'000u);
  EXPECT_EQ(h.tx.congestion.cubic.now.cwnd_prior, 500'000u);
}

// Section 4.9: as if nothing had happened, the time of the mistake included.
TEST(CubicTest, Undo) {
  CongestionHarness h = AfterLoss(1000, 100'000);
  CongestionHarness other = h;
  for (int i = 0; i < 30; ++i) h.Round(100'000), other.Round(100'000);
  const uint32_t cwnd = h.cb.cwnd;
  const uint32_t ssthresh = h.cb.ssthresh;
  h.Event(CongestionEvent::kLoss);
  for (int i = 0; i < 3; ++i) h.Round(100'000), other.Round(100'000);
  h.cb.cwnd = cwnd;
  h.cb.ssthresh = ssthresh;
  UndoReduction(h.cb, h.tx, h.context());
  EXPECT_TRUE(h.tx.congestion.cubic.running);
  const CubicEpoch& now = h.tx.congestion.cubic.now;
  EXPECT_EQ(now.w_max, 1'000'000u);
  EXPECT_NEAR(now.elapsed_us, other.tx.congestion.cubic.now.elapsed_us, 10);
  for (int i = 0; i < 10; ++i) h.Round(100'000), other.Round(100'000);
  EXPECT_NEAR(h.cb.cwnd, other.cb.cwnd, 5000);
}

// Section 5.8: time in which the window was not used is not the curve's.
// rule: RFC7661-4.4
TEST(CubicTest, ApplicationLimitedTimeDoesNotCount) {
  CongestionHarness h = AfterLoss(1000, 100'000);
  CongestionHarness other = h;
  for (int i = 0; i < 20; ++i) h.Round(100'000), other.Round(100'000);
  const uint32_t before = h.cb.cwnd;
  h.limited = false;
  for (int i = 0; i < 200; ++i) {
    h.cb.snd_nxt = h.cb.snd_una + 5000;
    h.now_us += 100'000;
    h.Ack(5000, 100'000);
  }
  EXPECT_EQ(h.cb.cwnd, before);
  h.limited = true;
  for (int i = 0; i < 20; ++i) h.Round(100'000), other.Round(100'000);
  EXPECT_NEAR(h.cb.cwnd, other.cb.cwnd, 3000);
}

// Nor is a pause, though the first acknowledgments after it are of a full
// window; be it longer than the clock. Of the pause itself a round trip counts,
// in which the curve rises by 6 segments.
TEST(CubicTest, IdleTimeDoesNotCount) {
  for (const uint64_t pause_us :
       {uint64_t{3'000'000}, uint64_t{4'294'000'000}, uint64_t{4'300'000'000},
        uint64_t{90'000'000'000}}) {
    CongestionHarness h = AfterLoss(1000, 100'000);
    CongestionHarness other = h;
    for (int i = 0; i < 20; ++i) h.Round(100'000), other.Round(100'000);
    h.now_us += pause_us;
    for (int i = 0; i < 20; ++i) h.Round(100'000), other.Round(100'000);
    EXPECT_NEAR(h.cb.cwnd, other.cb.cwnd, 6500) << pause_us;
  }
}

// The window that a pause has cost comes back by growth: what Reno would have
// is not what it was before (RFC 5681 section 4.1).
TEST(CubicTest, RestartAfterIdleBeginsAStage) {
  CongestionHarness h = AfterLoss(20, 1'000);
  for (int i = 0; i < 300; ++i) h.Round(1'000);
  ASSERT_GT(h.cb.cwnd, 60'000u);
  h.cb.ssthresh = 5'000;
  h.cb.snd_una = h.cb.snd_nxt;
  h.cb.una_since = 0;
  h.cb.rto_us = 200'000;
  h.now_us += 10'000'000;
  Context ctx = h.context();
  ctx.now.tick = MicrosToTicks(10'000'000);
  RestartAfterIdle(h.cb, h.tx, ctx);
  ASSERT_EQ(h.cb.cwnd, 10'000u);
  h.Round(1'000);
  EXPECT_LE(h.cb.cwnd, 15'000u);
}

// A stage that outlasts the microsecond clock: the curve does not begin anew.
TEST(CubicTest, AnEpochOfHours) {
  CongestionHarness h = AfterLoss(100, 1'000'000);
  h.cb.srtt_us = 8'000'000;
  uint32_t before = 0;
  for (int i = 0; i < 10'000; ++i) {  // 2 h 46 min
    h.cb.cwnd = std::min(h.cb.cwnd, 200'000u);
    before = h.cb.cwnd;
    h.Round(1'000'000, 50);
    ASSERT_GE(h.cb.cwnd, before);
  }
  EXPECT_GE(h.tx.congestion.cubic.now.elapsed_us, 1'900'000'000u);
}

// Steps of a byte's fraction: 88-byte segments and a window of a gigabyte.
TEST(CubicTest, SlowGrowthIsNotLost) {
  CongestionHarness h(kCubic, 88);
  h.cb.cwnd = h.cb.ssthresh = 1u << 28;
  h.cb.srtt_us = 8 * 100;
  h.tx.congestion.cubic.now.w_max = 1u << 29;
  h.tx.congestion.cubic.now.cwnd_prior = 1u << 28;
  h.Fill();
  h.Ack(88, 100);
  const uint32_t w_est = h.tx.congestion.cubic.now.w_est;
  for (int i = 0; i < 1'000'000; ++i) h.Ack(88, 100);
  // 88 * 88 / 2^28 bytes each.
  EXPECT_NEAR(h.tx.congestion.cubic.now.w_est - w_est, 28.8, 1.1);
}

}  // namespace
}  // namespace corelane::tcp
