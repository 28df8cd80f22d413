// Retransmission: RFC 6298, RFC 5681, RFC 6582, RFC 3042.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RetransmitTest : public ConnectionTest {
 protected:
  void SetUp() override {
    h.rtt = 100ms;  // RTO 300 ms
    h.Connect();
    ASSERT_EQ(h.cb.rto_us, 300'000u);
  }
  void Ack(int64_t n) { h.Receive(". 1(0) ack " + std::to_string(n)); }
  void Acks(int64_t n, int times) {
    for (int i = 0; i < times; ++i) Ack(n);
  }
};
INSTANTIATE_TEST_SUITE_P(Origins, RetransmitTest, ::testing::Range(0, 4));

TEST_P(RetransmitTest, BackOffDoublesUpToTheLimitAndGivesUp) {
  h.Write(100);
  h.Advance(530s);
  EXPECT_THAT(h.SentAt(), ElementsAre(0, 300, 900, 2'100, 4'500, 9'300, 18'900,
                                      38'100, 76'500, 136'500, 196'500, 256'500,
                                      316'500, 376'500, 436'500, 496'500));
  EXPECT_FALSE(h.aborted);
  h.Advance(30s);
  EXPECT_TRUE(h.aborted);
  EXPECT_EQ(h.cb.error, Error::kTimedOut);
  EXPECT_EQ(h.timer_actions & kTimerAbort, kTimerAbort);
}

TEST_P(RetransmitTest, OrphanGivesUpSooner) {
  h.Write(100);
  Release(h.cb, h.Context());
  h.Pump();
  h.Advance(80s);
  EXPECT_FALSE(h.aborted);
  h.Advance(80s);
  EXPECT_TRUE(h.aborted);
}

TEST_P(RetransmitTest, TimerRestartsWithEachAckOfNewData) {
  h.Write(3000);
  h.Sent();
  h.Advance(200ms);
  Ack(1001);  // a sample of 200 ms; the timer counts from here
  const uint32_t rto = h.cb.rto_us;
  EXPECT_GT(rto, 300'000u);
  h.Advance(Duration((rto - 2'000) * 1us));
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Advance(4ms);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1001(1000) ack 1"));
}

TEST_P(RetransmitTest, TimerStopsWhenAllIsAcknowledged) {
  h.Write(3000);
  Ack(3001);
  h.Sent();
  h.Advance(1h);
  EXPECT_THAT(h.Sent(), IsEmpty());
}

// Karn: the ACK of what was sent twice gives no sample, and the backed-off RTO
// stays until one of new data does.
TEST_P(RetransmitTest, Karn) {
  h.Write(100);
  h.Advance(350ms);
  EXPECT_EQ(h.cb.rto_us, 600'000u);
  const uint32_t srtt = h.cb.srtt_us;
  Ack(101);
  EXPECT_EQ(h.cb.srtt_us, srtt);
  EXPECT_EQ(h.cb.rto_us, 600'000u);
  h.Write(100);
  h.Advance(100ms);
  Ack(201);
  EXPECT_LE(h.cb.rto_us, 300'000u);
  EXPECT_EQ(h.cb.retransmits, 0);
}

TEST_P(RetransmitTest, SlowStartAfterATimeoutGoesBack) {
  h.Write(8000);
  EXPECT_EQ(h.Sent().size(), 8u);
  h.Advance(310ms);
  EXPECT_EQ(h.cb.cwnd, 1000u);
  EXPECT_EQ(h.cb.ssthresh, 4000u);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));
  Ack(1001);
  EXPECT_EQ(h.cb.cwnd, 2000u);
  EXPECT_THAT(h.Sent(),
              ElementsAre(". 1001(1000) ack 1", ". 2001(1000) ack 1"));
  // The rest was only delayed: nothing of it is sent again.
  Ack(8001);
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(RetransmitTest, SecondTimeoutLeavesSsthresh) {
  h.Write(8000);
  h.Advance(310ms);
  EXPECT_EQ(h.cb.ssthresh, 4000u);
  h.Advance(600ms);
  EXPECT_EQ(h.cb.ssthresh, 4000u);
}

// After a timeout, SND.NXT has fallen back behind what the peer has: a bare
// ACK from there would be unacceptable to it, and what it says ignored.
TEST_P(RetransmitTest, AcksAfterATimeoutAreAcceptable) {
  h.Write(8000);
  h.Advance(310ms);
  h.Sent();
  h.Receive(". 1(1000) ack 1");
  h.Receive("P. 1001(1000) ack 1");
  EXPECT_THAT(h.Sent(), ElementsAre(". 8001(0) ack 2001"));
}

TEST_P(RetransmitTest, LimitedTransmit) {
  h.Write(20'000);
  EXPECT_EQ(h.Sent().size(), 10u);
  Ack(1);
  EXPECT_THAT(h.Sent(), ElementsAre(". 10001(1000) ack 1"));
  Ack(1);
  EXPECT_THAT(h.Sent(), ElementsAre(". 11001(1000) ack 1"));
  EXPECT_EQ(h.cb.cwnd, 10'000u);
}

TEST_P(RetransmitTest, FastRetransmitAndFullAck) {
  h.Write(10'000);
  h.Sent();
  Acks(1, 2);
  EXPECT_THAT(h.Sent(), IsEmpty());
  Ack(1);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));
  EXPECT_EQ(h.cb.ssthresh, 5000u);
  EXPECT_EQ(h.cb.cwnd, 7000u);  // RFC 9937: what is in flight, and one more
  Acks(1, 6);
  h.Write(5000);
  EXPECT_EQ(h.Sent().size(), 4u);  // up to ssthresh
  Ack(10'001);
  EXPECT_NE(h.phase(), SendPhase::kRecovery);
  EXPECT_EQ(h.cb.cwnd, 5000u);  // ssthresh
  EXPECT_EQ(h.counters.fast_retransmits, 1u);
  EXPECT_EQ(h.counters.timeouts, 0u);
}

// FlightSize does not include what limited transmit added.
TEST_P(RetransmitTest, LimitedTransmitIsNotInFlightSize) {
  h.Write(20'000);
  Acks(1, 3);
  EXPECT_EQ(h.cb.ssthresh, 5000u);
}

TEST_P(RetransmitTest, PartialAckSendsTheNextHole) {
  h.Write(10'000);
  h.Sent();
  Acks(1, 3);
  h.Sent();
  Ack(3001);
  EXPECT_THAT(h.Sent(), ElementsAre(". 3001(1000) ack 1"));
  EXPECT_EQ(h.phase(), SendPhase::kRecovery);
  Ack(6001);
  EXPECT_THAT(h.Sent(), ElementsAre(". 6001(1000) ack 1"));
  Ack(10'001);
  EXPECT_NE(h.phase(), SendPhase::kRecovery);
  EXPECT_EQ(h.counters.fast_retransmits, 1u);
}

TEST_P(RetransmitTest, LostRetransmissionWaitsForTheTimer) {
  h.Write(10'000);
  Acks(1, 9);
  h.Sent();
  h.Mark();
  h.Advance(310ms);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));
  EXPECT_EQ(h.cb.cwnd, 1000u);
  EXPECT_NE(h.phase(), SendPhase::kRecovery);
}

// RFC 6582 section 3.2 step 2.
TEST_P(RetransmitTest, DuplicatesOfTheOldWindowAreNoNewLoss) {
  h.Write(10'000);
  h.Advance(310ms);
  Ack(1001);
  h.Sent();
  Acks(1001, 5);
  EXPECT_NE(h.phase(), SendPhase::kRecovery);
  Ack(10'001);
  h.Write(3000);
  h.Sent();
  Acks(10'001, 3);  // brought about by what the timeout sent again
  EXPECT_NE(h.phase(), SendPhase::kRecovery);
  EXPECT_EQ(h.counters.fast_retransmits, 0u);
  Ack(11'001);
  h.Write(3000);
  Acks(11'001, 3);  // past the old window: a new loss
  EXPECT_EQ(h.counters.fast_retransmits, 1u);
}

TEST_P(RetransmitTest, WhatIsNoDuplicateAck) {
  h.Write(5000);
  h.Receive(". 1(0) ack 1 win 50000");     // a window update
  h.Receive("P. 1(10) ack 1 win 50000");   // data
  h.Receive("P. 11(10) ack 1 win 50000");  // data
  h.Receive(". 21(0) ack 1 win 51000");    // a window update
  EXPECT_EQ(h.tx->dup_acks, 0);
  h.Receive(". 21(0) ack 1 win 51000");
  EXPECT_EQ(h.tx->dup_acks, 1);
  h.Receive(". 21(0) ack 5001 win 51000");
  h.Receive(". 21(0) ack 5001 win 51000");  // nothing outstanding
  EXPECT_EQ(h.tx->dup_acks, 0);
}

TEST_P(RetransmitTest, RetransmissionCarriesTheFin) {
  h.Write(500);
  h.Close();
  h.Sent();
  h.Advance(310ms);
  EXPECT_THAT(h.Sent(), ElementsAre("FP. 1(500) ack 1"));
}

TEST_P(RetransmitTest, FastRetransmitOfTheFin) {
  h.Write(4000);
  h.Close();
  h.Sent();
  Acks(1, 3);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));
  Ack(3001);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 3001(1000) ack 1"));
  h.Advance(400ms);
  Ack(4001);
  EXPECT_THAT(h.Sent(), Contains("F. 4001(0) ack 1"));
}

TEST_P(RetransmitTest, SlowStartThenAvoidance) {
  h.Write(100'000);
  int64_t acked = 1;
  h.cb.ssthresh = 14'000;
  for (int i = 0; i < 2; ++i) Ack(acked += 2000);
  EXPECT_EQ(h.cb.cwnd, 14'000u);
  // One segment for each window's worth.
  for (int i = 0; i < 7; ++i) Ack(acked += 2000);
  EXPECT_NEAR(h.cb.cwnd, 15'000u, 100u);
}

// RFC 5681 section 4.1.
TEST_P(RetransmitTest, IdleConnectionRestartsWithTheInitialWindow) {
  h.Write(40'000);
  for (int64_t acked = 2001; acked <= 40'001; acked += 2000) Ack(acked);
  EXPECT_GT(h.cb.cwnd, 30'000u);
  const uint32_t ssthresh = h.cb.ssthresh;
  h.Sent();
  h.Advance(10s);
  h.Write(30'000);
  EXPECT_EQ(h.Sent().size(), 10u);
  EXPECT_EQ(h.cb.ssthresh, ssthresh);
}

TEST_P(RetransmitTest, BusyConnectionDoesNotRestart) {
  h.Write(40'000);
  for (int64_t acked = 2001; acked <= 40'001; acked += 2000) Ack(acked);
  const uint32_t cwnd = h.cb.cwnd;
  h.Advance(100ms);
  h.Write(30'000);
  EXPECT_EQ(h.cb.cwnd, cwnd);
}

// A peer cannot inflate our window by repeating itself.
TEST_P(RetransmitTest, DuplicateAcksInflateByWhatIsInFlightAtMost) {
  h.Write(10'000);
  Acks(1, 1000);
  EXPECT_LE(h.cb.cwnd, 5000u + 10'000u);
}

TEST_P(RetransmitTest, DuplicateAcksOfAGapThatWasFilledAreNotSent) {
  for (int seq : {1001, 2001, 3001}) {
    h.IngestOnly(". " + std::to_string(seq) + "(1000) ack 1");
  }
  h.IngestOnly(". 1(1000) ack 1");
  h.Pump();
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 4001"));
}

TEST_P(RetransmitTest, EachOutOfOrderSegmentOfABurstEarnsADuplicateAck) {
  h.IngestOnly(". 1(1000) ack 1");
  for (int seq : {2001, 3001, 4001}) {
    h.IngestOnly(". " + std::to_string(seq) + "(1000) ack 1");
  }
  h.Pump();
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1001", ". 1(0) ack 1001",
                                    ". 1(0) ack 1001", ". 1(0) ack 1001"));
}

}  // namespace
}  // namespace corelane::tcp
