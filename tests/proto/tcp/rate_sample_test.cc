#include "proto/tcp/rate_sample.h"

#include <gtest/gtest.h>

#include "proto/tcp/sent_list.h"

namespace corelane::tcp {
namespace {

// Sends and acknowledges, by times of transmission, as the scoreboard would.
class RateSampleTest : public ::testing::Test {
 protected:
  void Send(uint32_t at, uint32_t in_flight, bool idle = false) {
    sampler_.OnSend(at, in_flight, idle, grain_);
  }
  RateSample Ack(uint32_t at, uint32_t bytes, uint32_t sent_at,
                 bool resent = false) {
    Delivery d;
    d.bytes = bytes;
    d.has_latest = true;
    d.latest_us = sent_at;
    d.latest_resent = resent;
    return sampler_.OnAck(bytes, d, min_rtt_, at);
  }

  RateSampler sampler_;
  uint32_t grain_ = 0;
  uint32_t min_rtt_ = 1000;
};

// A byte per microsecond, whatever the clock reads.
// rule: BBR-4.1
TEST_F(RateSampleTest, RateOfAFullPipe) {
  for (const uint32_t base : {0u, 0x7fffff00u, 0xffffff00u}) {
    sampler_ = {};
    for (uint32_t i = 0; i < 40; ++i) {
      Send(base + i * 1000, std::min(i + 1, 10u) * 1000, i == 0);
      if (i < 10) continue;
      // What left ten segments ago arrives.
      const RateSample rs = Ack(base + i * 1000, 1000, base + (i - 10) * 1000);
      EXPECT_TRUE(rs.valid);
      EXPECT_EQ(rs.rtt_us, 10'000u);
      EXPECT_EQ(rs.newly_acked, 1000u);
      if (i < 21) continue;
      EXPECT_EQ(rs.rate, 1'000'000u) << i;
      EXPECT_EQ(rs.delivered, 11'000u);
      EXPECT_EQ(rs.in_flight, 10'000u);
    }
  }
}

// Acknowledgments that come all at once say nothing of the path: the rate of
// sending bounds it (section 4.1.1.2.3).
TEST_F(RateSampleTest, CompressedAcksAreBoundedBySending) {
  for (uint32_t i = 0; i < 10; ++i) Send(i * 1000, (i + 1) * 1000, i == 0);
  Ack(10'000, 1000, 0);
  for (uint32_t i = 10; i < 20; ++i) Send(i * 1000, 10'000);
  const RateSample rs = Ack(20'000, 9'000, 9'000);
  EXPECT_LE(rs.rate, 1'111'112u);
}

TEST_F(RateSampleTest, ShorterThanARoundTripIsNoSample) {
  Send(0, 1000, true);
  EXPECT_TRUE(Ack(999, 1000, 0).valid);
  Send(2000, 1000, true);
  EXPECT_EQ(Ack(2999, 1000, 2000).rate, 0u);
  Send(4000, 1000, true);
  EXPECT_EQ(Ack(5000, 1000, 4000).rate, 1'000'000u);
}

TEST_F(RateSampleTest, RetransmissionsGiveNoRoundTripTime) {
  Send(0, 1000, true);
  const RateSample rs = Ack(2000, 1000, 0, true);
  EXPECT_EQ(rs.rtt_us, 0u);
  EXPECT_EQ(rs.rate, 500'000u);
}

TEST_F(RateSampleTest, AppLimitedUntilTheBubbleHasArrived) {
  Send(0, 1000, true);
  sampler_.MarkAppLimited(1000);
  Send(1000, 2000);
  EXPECT_FALSE(Ack(5000, 1000, 0).app_limited);
  EXPECT_TRUE(sampler_.app_limited());
  Send(5000, 2000);
  EXPECT_TRUE(Ack(6000, 1000, 1000).app_limited);
  EXPECT_FALSE(sampler_.app_limited());
  Send(6000, 2000);
  EXPECT_TRUE(Ack(10'000, 1000, 5000).app_limited);
  EXPECT_FALSE(Ack(11'000, 1000, 6000).app_limited);
}

TEST_F(RateSampleTest, LossesSinceTheTransmission) {
  Send(0, 1000, true);
  Send(1000, 2000);
  EXPECT_NE(sampler_.OnLost(1000, 0), nullptr);
  Send(2000, 2000);
  EXPECT_EQ(sampler_.OnLost(500, 1000)->in_flight, 2000u);
  EXPECT_EQ(Ack(5000, 1000, 1000).lost, 1500u);
  EXPECT_EQ(Ack(6000, 1000, 2000).lost, 500u);
  EXPECT_EQ(sampler_.lost(), 1500u);
}

// What has left long ago is forgotten; what left between two records counts
// from the first of them.
TEST_F(RateSampleTest, RecordsAreFew) {
  grain_ = 100;
  Send(0, 1000, true);
  Send(90, 2000);
  EXPECT_EQ(Ack(2000, 1000, 90).in_flight, 2000u);
  for (uint32_t i = 1; i <= RateSampler::kRecords; ++i) Send(i * 101, 3000);
  EXPECT_FALSE(Ack(10'000, 1000, 90).valid);
  EXPECT_TRUE(Ack(10'000, 1000, 101).valid);
  EXPECT_TRUE(Ack(10'000, 1000, 150).valid);
}

TEST_F(RateSampleTest, NothingDeliveredIsNoSample) {
  Send(0, 1000, true);
  EXPECT_FALSE(sampler_.OnAck(0, Delivery{}, min_rtt_, 5000).valid);
  // Duplicates without SACK: bytes, but nobody knows which.
  EXPECT_FALSE(sampler_.OnAck(1000, Delivery{}, min_rtt_, 5000).valid);
  EXPECT_EQ(sampler_.delivered(), 1000u);
}

TEST_F(RateSampleTest, NoRateIsBeyondBounds) {
  min_rtt_ = 0;
  Send(0, 1u << 30, true);
  EXPECT_LE(Ack(1, 1u << 30, 0).rate, kMaxRate);
  Send(10, 1u << 30, true);
  EXPECT_EQ(Ack(10, 1u << 30, 10).rate, 0u);
}

}  // namespace
}  // namespace corelane::tcp
