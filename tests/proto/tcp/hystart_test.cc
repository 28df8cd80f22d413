#include "proto/tcp/hystart.h"

#include <gtest/gtest.h>

#include "tests/proto/tcp/congestion_harness.h"

namespace corelane::tcp {
namespace {

void Round(HyStartState& hystart, uint32_t rtt_us,
           int samples = kHyStartSamples) {
  StartHyStartRound(hystart);
  for (int i = 0; i < samples; ++i) AddHyStartSample(hystart, rtt_us);
}

// RttThresh = max(4 ms, min(lastRoundMinRTT / 8, 16 ms)).
// rule: RFC9406-4.2
TEST(HyStartTest, Threshold) {
  const struct {
    uint32_t rtt_us, threshold_us;
  } cases[] = {{100, 4000},      {10'000, 4000},    {32'000, 4000},
               {40'000, 5000},   {100'000, 12'500}, {128'000, 16'000},
               {500'000, 16'000}};
  for (const auto& c : cases) {
    HyStartState hystart;
    Round(hystart, c.rtt_us);
    Round(hystart, c.rtt_us + c.threshold_us - 1);
    EXPECT_FALSE(InCss(hystart)) << c.rtt_us;
    hystart = {};
    Round(hystart, c.rtt_us);
    Round(hystart, c.rtt_us + c.threshold_us);
    EXPECT_TRUE(InCss(hystart)) << c.rtt_us;
  }
}

// It is the least of a round that counts, and of eight samples.
TEST(HyStartTest, EightSamplesAndTheLeastOfThem) {
  HyStartState hystart;
  Round(hystart, 10'000);
  Round(hystart, 20'000, 7);
  EXPECT_FALSE(InCss(hystart));
  AddHyStartSample(hystart, 20'000);
  EXPECT_TRUE(InCss(hystart));

  hystart = {};
  Round(hystart, 10'000);
  StartHyStartRound(hystart);
  AddHyStartSample(hystart, 10'500);
  for (int i = 0; i < 100; ++i) AddHyStartSample(hystart, 50'000);
  EXPECT_FALSE(InCss(hystart));
}

TEST(HyStartTest, NeedsARoundBefore) {
  HyStartState hystart;
  Round(hystart, 50'000);
  EXPECT_FALSE(InCss(hystart));
  Round(hystart, 10'000, 0);  // none at all
  Round(hystart, 50'000);
  EXPECT_FALSE(InCss(hystart));
}

// rule: RFC9406-4.2
TEST(HyStartTest, FiveRoundsOfCss) {
  HyStartState hystart;
  Round(hystart, 10'000);
  Round(hystart, 20'000);  // the first, though partly
  for (int i = 0; i < 4; ++i) Round(hystart, 20'000);
  EXPECT_FALSE(HyStartIsDone(hystart));
  Round(hystart, 20'000);
  EXPECT_TRUE(HyStartIsDone(hystart));
}

// rule: RFC9406-4.2
TEST(HyStartTest, JitterResumesSlowStart) {
  HyStartState hystart;
  Round(hystart, 10'000);
  Round(hystart, 20'000);
  Round(hystart, 19'999, 7);
  EXPECT_TRUE(InCss(hystart));
  AddHyStartSample(hystart, 19'999);
  EXPECT_FALSE(InCss(hystart));
  Round(hystart, 30'000);  // and it may begin again, from the first round
  EXPECT_TRUE(InCss(hystart));
  EXPECT_EQ(hystart.css_rounds, 0);
}

TEST(HyStartTest, Step) {
  HyStartState hystart;
  EXPECT_EQ(HyStartStep(hystart, 5000, 1000, false), 5000u);
  EXPECT_EQ(HyStartStep(hystart, 50'000, 1000, false), 44'000u);
  EXPECT_EQ(HyStartStep(hystart, 50'000, 1000, true), 50'000u);
  hystart.baseline_us = 1;
  EXPECT_EQ(HyStartStep(hystart, 5000, 1000, false), 1250u);
  EXPECT_EQ(HyStartStep(hystart, 50'000, 1000, false), 11'000u);
  EXPECT_EQ(HyStartStep(hystart, 50'000, 1000, true), 12'500u);
}

// A path of 200 segments without a queue, and a queue without an end.
class HyStartPathTest : public ::testing::TestWithParam<CongestionControl> {
 protected:
  static constexpr uint32_t kBaseUs = 50'000;
  static constexpr uint32_t kPipe = 200'000;

  void RunRound(CongestionHarness& h) {
    const uint32_t over = h.cb.cwnd > kPipe ? h.cb.cwnd - kPipe : 0;
    h.Round(kBaseUs + static_cast<uint32_t>(uint64_t{over} * kBaseUs / kPipe));
  }
};
INSTANTIATE_TEST_SUITE_P(Controls, HyStartPathTest,
                         ::testing::Values(CongestionControl::kNewReno,
                                           CongestionControl::kCubic));

// rule: RFC9406-4.2
TEST_P(HyStartPathTest, LeavesSlowStartBeforeTheQueueIsLong) {
  CongestionHarness h(GetParam());
  int rounds = 0;
  while (h.cb.ssthresh >= kMaxCwnd && rounds < 30) RunRound(h), ++rounds;
  EXPECT_LT(rounds, 15);
  EXPECT_GT(h.cb.cwnd, kPipe);
  EXPECT_LT(h.cb.cwnd, 6 * kPipe);
  EXPECT_LE(h.cb.ssthresh, h.cb.cwnd);
  // Congestion avoidance from here.
  const uint32_t before = h.cb.cwnd;
  RunRound(h);
  EXPECT_LT(h.cb.cwnd - before, 5000u);
}

TEST_P(HyStartPathTest, OffMeansOff) {
  CongestionHarness h(GetParam());
  h.config.hystart = false;
  for (int i = 0; i < 12; ++i) RunRound(h);
  EXPECT_EQ(h.cb.cwnd, 10'000u << 12);
  EXPECT_EQ(h.cb.ssthresh, kMaxCwnd);
}

// RFC 5681 equation 4 bounds whatever sets it: a loss of a SYN may have left a
// window of one segment.
TEST_P(HyStartPathTest, EndsWithTwoSegmentsAtLeast) {
  CongestionHarness h(GetParam());
  h.cb.cwnd = 1000;
  h.tx.congestion.hystart.baseline_us = 10'000;
  h.tx.congestion.hystart.css_rounds = kCssRounds;
  h.Fill();
  h.Ack(1000, 10'000);
  EXPECT_EQ(h.cb.ssthresh, 2000u);
}

// Only until the first congestion event.
TEST_P(HyStartPathTest, NotInALaterSlowStart) {
  CongestionHarness h(GetParam());
  h.cb.ssthresh = 10'000'000;
  h.cb.cwnd = 10'000;
  for (int i = 0; i < 8; ++i) RunRound(h);
  EXPECT_EQ(h.cb.ssthresh, 10'000'000u);
  EXPECT_EQ(h.cb.cwnd, 10'000u << 8);
}

}  // namespace
}  // namespace corelane::tcp
