#include <gtest/gtest.h>

#include "proto/tcp/congestion.h"

namespace corelane::tcp {
namespace {

class NewRenoTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    cb.mss = 1000;
    cb.iss = SeqNum(GetParam());
    cb.snd_una = cb.snd_nxt = cb.snd_max = cb.iss + 1;
    StartCongestion(cb, config);
  }
  void Send(uint32_t bytes) { cb.snd_nxt = cb.snd_max = cb.snd_max + bytes; }
  void Ack(uint32_t bytes) {
    OnNewAck(cb, cb.snd_una + bytes, bytes);
    cb.snd_una += bytes;
  }
  void Duplicates(int n) {
    for (int i = 0; i < n; ++i) OnDuplicateAck(cb, counters);
  }

  Config config;
  Counters counters;
  ControlBlock cb;
};
INSTANTIATE_TEST_SUITE_P(Wrap, NewRenoTest,
                         ::testing::Values(1000u, 0xffffff00u, 0x7fffff00u));

// RFC 6928: min(10 * MSS, max(2 * MSS, 14600)).
TEST_P(NewRenoTest, InitialWindow) {
  const struct {
    uint16_t mss;
    uint32_t cwnd;
  } cases[] = {{536, 5360}, {1460, 14'600}, {8960, 17'920}, {4000, 14'600}};
  for (const auto& c : cases) {
    cb.mss = c.mss;
    StartCongestion(cb, config);
    EXPECT_EQ(cb.cwnd, c.cwnd);
  }
}

TEST_P(NewRenoTest, SlowStartDoubles) {
  Send(10'000);
  for (int i = 0; i < 5; ++i) Ack(2000);
  EXPECT_EQ(cb.cwnd, 20'000u);
}

// Splitting an ACK earns nothing (RFC 5681 section 3.1).
TEST_P(NewRenoTest, AckDivision) {
  Send(10'000);
  for (int i = 0; i < 1000; ++i) Ack(1);
  EXPECT_EQ(cb.cwnd, 11'000u);
}

TEST_P(NewRenoTest, AvoidanceIsOneSegmentPerWindow) {
  cb.cwnd = 20'000;
  cb.ssthresh = 10'000;
  Send(20'000);
  for (int i = 0; i < 20; ++i) Ack(1000);
  EXPECT_NEAR(cb.cwnd, 21'000u, 60u);
}

TEST_P(NewRenoTest, CwndIsBounded) {
  for (int i = 0; i < 200'000; ++i) {
    Send(100'000);
    Ack(100'000);
  }
  EXPECT_EQ(cb.cwnd, 1u << 30);
}

TEST_P(NewRenoTest, WorkedRecovery) {
  Send(10'000);
  Duplicates(2);
  EXPECT_FALSE(cb.Has(kFastRecovery));
  EXPECT_EQ(CongestionRoom(cb), 2000u);  // RFC 3042
  Send(2000);
  Duplicates(1);
  EXPECT_TRUE(cb.Has(kFastRecovery | kRetransmitHead));
  EXPECT_EQ(cb.ssthresh, 5000u);
  EXPECT_EQ(cb.cwnd, 8000u);
  EXPECT_EQ(cb.recover, cb.snd_max);
  Ack(3000);  // partial: deflate by 3000, add one segment
  EXPECT_EQ(cb.cwnd, 6000u);
  EXPECT_TRUE(cb.Has(kRetransmitHead));
  Ack(500);  // less than a segment: nothing is added back
  EXPECT_EQ(cb.cwnd, 5500u);
  Ack(8500);
  EXPECT_FALSE(cb.Has(kFastRecovery));
  EXPECT_FALSE(cb.Has(kRetransmitHead));
  EXPECT_EQ(cb.cwnd, 2000u);  // nothing is in flight: no burst
}

TEST_P(NewRenoTest, SsthreshIsTwoSegmentsAtLeast) {
  Send(1000);
  OnTimeout(cb);
  EXPECT_EQ(cb.ssthresh, 2000u);
  EXPECT_EQ(cb.cwnd, 1000u);
}

TEST_P(NewRenoTest, NoLimitedTransmitAfterATimeout) {
  Send(10'000);
  cb.retransmits = 1;
  OnTimeout(cb);
  cb.snd_nxt = cb.snd_una + 1000;
  Duplicates(2);
  EXPECT_EQ(CongestionRoom(cb), 0u);
}

// The boundary case of RFC 6582 section 3.2 step 2: exactly `recover`.
TEST_P(NewRenoTest, RecoverItselfIsNotPastIt) {
  Send(10'000);
  OnTimeout(cb);
  Ack(10'000);
  Send(5000);
  Duplicates(3);
  EXPECT_FALSE(cb.Has(kFastRecovery));
  Ack(1);
  Duplicates(3);
  EXPECT_TRUE(cb.Has(kFastRecovery));
}

TEST_P(NewRenoTest, RecoverDoesNotFallBehindByHalfTheSpace) {
  for (int i = 0; i < 5000; ++i) {
    Send(1 << 20);
    Ack(1 << 20);
  }
  Send(10'000);
  Duplicates(3);
  EXPECT_TRUE(cb.Has(kFastRecovery));
}

}  // namespace
}  // namespace corelane::tcp
