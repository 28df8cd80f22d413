#include "proto/tcp/reno_growth.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/proto/tcp/congestion_harness.h"

namespace corelane::tcp {
namespace {

class RenoGrowthTest : public ::testing::Test {
 protected:
  void SetUp() override { h.config.hystart = false; }
  void Avoid(uint32_t cwnd) { h.cb.cwnd = h.cb.ssthresh = cwnd; }

  CongestionHarness h{CongestionControl::kNewReno};
};

TEST_F(RenoGrowthTest, SlowStartDoubles) {
  for (uint32_t cwnd = 10'000; cwnd < 1'000'000; cwnd *= 2) {
    ASSERT_EQ(h.cb.cwnd, cwnd);
    h.Round(1000, 2);
  }
}

// Splitting an ACK earns nothing (RFC 5681 section 3.1).
TEST_F(RenoGrowthTest, AckDivision) {
  h.Fill();
  for (int i = 0; i < 1000; ++i) h.Ack(1, 100);
  EXPECT_EQ(h.cb.cwnd, 11'000u);
}

// RFC 3465 section 2.3, with our limit.
TEST_F(RenoGrowthTest, StretchAckIsLimited) {
  h.cb.cwnd = 50'000;
  h.Fill();
  h.Ack(50'000, 100);
  EXPECT_EQ(h.cb.cwnd, 60'000u);
  h.tx.phase = SendPhase::kLoss;
  h.Ack(50'000, 100);
  EXPECT_EQ(h.cb.cwnd, 61'000u);
}

TEST_F(RenoGrowthTest, SlowStartEndsAtTheThreshold) {
  h.cb.ssthresh = 15'000;
  h.Fill();
  h.Ack(8000, 100);
  // 5000 up to ssthresh, and 3000 of 15000 of a segment.
  EXPECT_EQ(h.cb.cwnd, 15'200u);
}

// dW = mss / W for each byte: W^2 = W0^2 + 2 mss * bytes.
TEST_F(RenoGrowthTest, AvoidanceIsOneSegmentPerWindow) {
  Avoid(20'000);
  for (int i = 1; i <= 10'000; ++i) {
    h.Fill();
    h.Ack(1000, 100);
    ASSERT_NEAR(h.cb.cwnd, std::sqrt(4e8 + 2e6 * i), 60) << i;
  }
}

// However the bytes are divided into acknowledgments.
TEST_F(RenoGrowthTest, AvoidanceCountsBytes) {
  for (const uint32_t step : {1u, 7u, 1000u, 10'000u, 100'000u}) {
    Avoid(1'000'000);
    h.tx.congestion = {};
    for (uint32_t bytes = 0; bytes < 1'000'000; bytes += step) {
      h.Fill();
      h.Ack(step, 100);
    }
    EXPECT_NEAR(h.cb.cwnd, 1'001'000, 2) << step;
  }
}

// What was in flight before a reduction does not count for the smaller window.
TEST_F(RenoGrowthTest, AtMostASegmentPerAck) {
  Avoid(2000);
  h.cb.snd_nxt = h.cb.snd_una + 100'000;
  h.Ack(100'000, 100);
  EXPECT_EQ(h.cb.cwnd, 3000u);
}

TEST_F(RenoGrowthTest, SlowGrowthIsNotLost) {
  h.cb.mss = 88;
  Avoid(1u << 29);
  for (int i = 0; i < 1'000'000; ++i) {
    h.Fill();
    h.Ack(88, 100);
  }
  EXPECT_NEAR(h.cb.cwnd - (1u << 29), 1e6 * 88 * 88 / (1u << 29), 1.1);
}

TEST_F(RenoGrowthTest, AnUnusedWindowDoesNotGrow) {
  h.limited = false;
  h.Round(1000);
  EXPECT_EQ(h.cb.cwnd, 10'000u);
  Avoid(10'000);
  h.Round(1000);
  EXPECT_EQ(h.cb.cwnd, 10'000u);
}

// RFC 5681 equation 4 and what UsedWindow says of it.
TEST_F(RenoGrowthTest, ThresholdIsHalfOfWhatWasUsed) {
  const auto threshold = [&] {
    return ThresholdAfter(h.cb, h.tx, CongestionEvent::kLoss, h.context());
  };
  h.cb.cwnd = 100'000;
  EXPECT_EQ(threshold(), 2000u);  // nothing is in flight nor was
  h.cb.snd_nxt = h.cb.snd_una + 40'000;
  EXPECT_EQ(threshold(), 20'000u);
  h.cb.snd_nxt = h.cb.snd_una + 103'000;  // limited transmit
  EXPECT_EQ(threshold(), 50'000u);
  // The tail of a transfer: half a window's loss is answered as one.
  h.limited = false;
  for (int i = 0; i < 100; ++i) h.Ack(1000, 100);
  EXPECT_EQ(h.cb.snd_nxt - h.cb.snd_una, 3000u);
  EXPECT_EQ(threshold(), 50'000u);
  // One round later it still counts, then it is the past.
  h.Ack(3000, 100);
  for (const uint32_t expected : {50'000u, 5000u}) {
    h.cb.snd_nxt = h.cb.snd_una + 10'000;
    h.Ack(10'000, 100);
    EXPECT_EQ(threshold(), expected);
  }
}

TEST_F(RenoGrowthTest, AckClockedSawtooth) {
  Avoid(64'000);
  for (int cycle = 0; cycle < 20; ++cycle) {
    h.Fill();
    h.Event(CongestionEvent::kLoss);
    ASSERT_NEAR(h.cb.cwnd, 32'000, 1000);
    h.cb.snd_nxt = h.cb.snd_una;
    while (h.cb.cwnd < 64'000) h.Round(1000);
  }
}

}  // namespace
}  // namespace corelane::tcp
