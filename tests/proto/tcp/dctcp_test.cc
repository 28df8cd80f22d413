#include "proto/tcp/dctcp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/proto/tcp/congestion_harness.h"

namespace corelane::tcp {
namespace {

double Alpha(const DctcpState& dctcp) {
  return static_cast<double>(DctcpAlpha(dctcp)) / kDctcpOne;
}

class DctcpTest : public ::testing::Test {
 protected:
  void SetUp() override { h.cb.cwnd = h.cb.ssthresh = 100'000; }
  // A window of which the first `marked` of 100 segments bear a mark.
  void Window(int marked) {
    h.cb.cwnd = 100'000;
    h.Fill();
    for (int i = 0; i < 100; ++i) {
      h.ece = i < marked;
      h.Ack(1000, 100);
      h.cb.cwnd = 100'000;
    }
  }
  uint32_t Threshold(CongestionEvent event) {
    h.cb.cwnd = 100'000;
    return ThresholdAfter(h.cb, h.tx, event, h.context());
  }

  CongestionHarness h{CongestionControl::kDctcp};
};

// Section 3.3: alpha begins at 1, where a mark is what it is to RFC 3168.
TEST_F(DctcpTest, BeginsAsReno) {
  EXPECT_EQ(Alpha(h.tx.congestion.dctcp), 1.0);
  EXPECT_EQ(Threshold(CongestionEvent::kEcn), 50'000u);
}

// alpha = (1 - g) * alpha + g * M.
// rule: RFC8257-3.3
TEST_F(DctcpTest, AlphaFollowsTheShareOfMarkedBytes) {
  double alpha = 1;
  DctcpState dctcp;
  const int marks[] = {0, 0, 0, 100, 30, 30, 5, 0, 0, 77, 100, 100, 1};
  for (int round = 0; round < 500; ++round) {
    const int marked = marks[round % 13];
    CountMarks(dctcp, marked * 1000, true);
    CountMarks(dctcp, (100 - marked) * 1000, false);
    EndDctcpWindow(dctcp);
    alpha += (marked / 100.0 - alpha) / 16;
    ASSERT_NEAR(Alpha(dctcp), alpha, 2e-5) << round;
  }
}

// The fixed point reaches both ends (a truncating average would not).
TEST_F(DctcpTest, AlphaReachesItsEnds) {
  DctcpState dctcp;
  for (int i = 0; i < 400; ++i) {
    CountMarks(dctcp, 100'000, false);
    EndDctcpWindow(dctcp);
  }
  EXPECT_EQ(DctcpAlpha(dctcp), 0u);
  for (int i = 0; i < 400; ++i) {
    CountMarks(dctcp, 100'000, true);
    EndDctcpWindow(dctcp);
  }
  EXPECT_EQ(DctcpAlpha(dctcp), kDctcpOne);
}

TEST_F(DctcpTest, EmptyWindowsSayNothing) {
  DctcpState dctcp;
  EndDctcpWindow(dctcp);
  CountMarks(dctcp, 0, true);
  EndDctcpWindow(dctcp);
  EXPECT_EQ(DctcpAlpha(dctcp), kDctcpOne);
}

// Through the interface: windows of SND.NXT, once per window.
// rule: RFC8257-3.3
TEST_F(DctcpTest, ObservationWindows) {
  for (int i = 0; i < 100; ++i) Window(0);
  EXPECT_NEAR(Alpha(h.tx.congestion.dctcp), std::pow(15.0 / 16, 99), 0.001);
  for (int i = 0; i < 200; ++i) Window(20);
  EXPECT_NEAR(Alpha(h.tx.congestion.dctcp), 0.2, 0.01);
  EXPECT_NEAR(Threshold(CongestionEvent::kEcn), 90'000, 600);
  // Section 3.5: a loss is a loss.
  EXPECT_EQ(Threshold(CongestionEvent::kLoss), 50'000u);
  EXPECT_EQ(Threshold(CongestionEvent::kTimeout), 50'000u);
}

TEST_F(DctcpTest, GrowsAsReno) {
  const uint32_t before = h.cb.cwnd;
  h.Round(100);
  EXPECT_NEAR(h.cb.cwnd - before, 1000, 10);
}

TEST_F(DctcpTest, ThresholdIsTwoSegmentsAtLeast) {
  h.cb.cwnd = 1000;
  EXPECT_EQ(ThresholdAfter(h.cb, h.tx, CongestionEvent::kEcn, h.context()),
            2000u);
}

TEST_F(DctcpTest, CountsDoNotOverflow) {
  DctcpState dctcp;
  for (int i = 0; i < 10; ++i) CountMarks(dctcp, UINT32_MAX, true);
  EndDctcpWindow(dctcp);
  EXPECT_EQ(DctcpAlpha(dctcp), kDctcpOne);
}

}  // namespace
}  // namespace corelane::tcp
