// Closing: the lower half of RFC 9293's figure 5, and sections 3.6 and 3.10.4.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionCloseTest : public ConnectionTest {
 protected:
  void SetUp() override { h.Connect(); }
};
INSTANTIATE_TEST_SUITE_P(Origins, ConnectionCloseTest, ::testing::Range(0, 4));

TEST_P(ConnectionCloseTest, WeFirst) {
  h.Close();
  EXPECT_EQ(h.state(), State::kFinWait1);
  EXPECT_THAT(h.Sent(), ElementsAre("F. 1(0) ack 1"));
  h.Receive(". 1(0) ack 2");
  EXPECT_EQ(h.state(), State::kFinWait2);
  EXPECT_EQ(h.acked, 0u);  // the FIN is no byte
  h.Receive("F. 1(0) ack 2");
  EXPECT_EQ(h.state(), State::kTimeWait);
  EXPECT_EQ(h.events, kConnected | kPeerClosed | kToTimeWait);
  // The record sends the last ACK, and again for each repeated FIN.
  h.Receive("F. 1(0) ack 2");
  EXPECT_EQ(h.last_verdict, TimeWaitVerdict::kAck);
  EXPECT_THAT(h.Sent(), ElementsAre(". 2(0) ack 2"));
}

TEST_P(ConnectionCloseTest, PeerFirst) {
  h.Receive("F. 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 2"));
  h.Write(10);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 2"));
  h.Close();
  EXPECT_EQ(h.state(), State::kLastAck);
  EXPECT_THAT(h.Sent(), ElementsAre("F. 11(0) ack 2"));
  h.Receive(". 2(0) ack 11");
  EXPECT_EQ(h.state(), State::kLastAck);
  h.Receive(". 2(0) ack 12");
  EXPECT_EQ(h.state(), State::kClosed);
  EXPECT_EQ(h.events, kConnected | kPeerClosed | kFinished);
}

TEST_P(ConnectionCloseTest, Simultaneous) {
  h.Close();
  EXPECT_THAT(h.Sent(), ElementsAre("F. 1(0) ack 1"));
  h.Receive("F. 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kClosing);
  EXPECT_THAT(h.Sent(), ElementsAre(". 2(0) ack 2"));
  h.Receive(". 2(0) ack 2");
  EXPECT_EQ(h.state(), State::kTimeWait);
}

TEST_P(ConnectionCloseTest, FinThatAcknowledgesOurs) {
  h.Close();
  h.Receive("F. 1(0) ack 2");
  EXPECT_EQ(h.state(), State::kTimeWait);
}

TEST_P(ConnectionCloseTest, HalfClosedWeStillReceive) {
  h.Close();
  h.Receive(". 1(0) ack 2");
  h.Receive("P. 1(1000) ack 2");
  h.Receive("P. 1001(1000) ack 2");
  EXPECT_EQ(h.receiver.delivered(), 2000u);
  EXPECT_EQ(h.state(), State::kFinWait2);
  h.Advance(1h);  // the application has not let go
  EXPECT_EQ(h.timer_actions & kTimerDone, 0);
  h.Sent();
  h.Receive("FP. 2001(500) ack 2");
  EXPECT_EQ(h.receiver.delivered(), 2500u);
  EXPECT_EQ(h.state(), State::kTimeWait);
}

TEST_P(ConnectionCloseTest, FinGoesWithTheLastData) {
  h.Write(1500);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));  // Nagle
  h.Close();
  EXPECT_THAT(h.Sent(), ElementsAre("FP. 1001(500) ack 1"));
}

TEST_P(ConnectionCloseTest, DataAndFinAreSentAgainAfterATimeout) {
  h.Write(1500);
  h.Close();
  h.Sent();
  h.Advance(250ms);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1"));
  h.Receive(". 1(0) ack 1001");
  EXPECT_THAT(h.Sent(), ElementsAre("FP. 1001(500) ack 1"));
  h.Receive(". 1(0) ack 1502");
  EXPECT_EQ(h.state(), State::kFinWait2);
  EXPECT_EQ(h.acked, 1500u);
}

TEST_P(ConnectionCloseTest, FinAloneIsSentAgain) {
  h.Write(100);
  h.Receive(". 1(0) ack 101");
  h.Close();
  h.Sent();
  h.Mark();
  h.Advance(700ms);
  EXPECT_THAT(h.Sent(), ElementsAre("F. 101(0) ack 1", "F. 101(0) ack 1"));
  h.Receive(". 1(0) ack 102");
  EXPECT_EQ(h.state(), State::kFinWait2);
}

TEST_P(ConnectionCloseTest, AckOfTheDataIsNotAckOfTheFin) {
  h.Write(100);
  h.Close();
  h.Receive(". 1(0) ack 101");
  EXPECT_EQ(h.state(), State::kFinWait1);
  h.Receive(". 1(0) ack 102");
  EXPECT_EQ(h.state(), State::kFinWait2);
}

TEST_P(ConnectionCloseTest, FinAheadOfAGap) {
  h.Receive("F. 1001(500) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1"));
  h.Receive(". 1(1000) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_EQ(h.receiver.delivered(), 1500u);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1502"));
}

TEST_P(ConnectionCloseTest, BareFinAheadOfAGap) {
  h.Receive("F. 1001(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  h.Receive(". 501(500) ack 1");
  h.Receive(". 1(500) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_EQ(h.cb.rcv_nxt, h.cb.irs + 1002);
}

// The stream does not go on after its end, whatever the peer says.
TEST_P(ConnectionCloseTest, DataBeyondTheFinIsDropped) {
  h.Receive("F. 101(0) ack 1");
  h.Receive(". 101(500) ack 1");
  h.Receive(". 301(500) ack 1");
  h.Receive("F. 501(0) ack 1");
  h.Receive(". 1(500) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_EQ(h.receiver.delivered(), 100u);
  EXPECT_TRUE(h.holes.ranges.empty());
  EXPECT_FALSE(h.holes.has_fin);
}

TEST_P(ConnectionCloseTest, FinBeforeDataThatIsThereIsIgnored) {
  h.Receive(". 501(500) ack 1");
  h.Receive("F. 1(100) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.receiver.delivered(), 100u);
  h.Receive("F. 101(400) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.receiver.delivered(), 1000u);
  h.Receive("F. 1001(0) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
}

TEST_P(ConnectionCloseTest, RepeatedFinIsAcknowledgedInEveryState) {
  h.Receive("F. 1(0) ack 1");
  h.Sent();
  h.Receive("F. 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 2"));
  h.Close();
  h.Sent();
  h.Receive("F. 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kLastAck);
  EXPECT_THAT(h.Sent(), ElementsAre(". 2(0) ack 2"));
}

// Nothing is acceptable behind a FIN at the window's very edge unless the edge
// moves with it.
TEST_P(ConnectionCloseTest, FinAtAClosedWindow) {
  h.auto_read = false;
  for (int i = 0; i < 60; ++i) {
    h.Receive("P. " + std::to_string(1 + 1000 * i) + "(1000) ack 1");
  }
  EXPECT_EQ(h.cb.ReceiveWindow(), 0u);
  h.Write(100);
  h.Sent();
  h.Receive("F. 60001(0) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_THAT(h.Sent(), ElementsAre(". 101(0) ack 60002"));
  h.Receive(". 60002(0) ack 101");
  EXPECT_EQ(h.acked, 100u);
}

TEST_P(ConnectionCloseTest, OrphanInFinWait2IsForgotten) {
  EXPECT_TRUE(Release(h.cb, h.Context()));
  h.Pump();
  h.Receive(". 1(0) ack 2");
  EXPECT_EQ(h.state(), State::kFinWait2);
  h.Advance(59s);
  EXPECT_FALSE(h.aborted);
  h.Advance(2s);
  EXPECT_EQ(h.timer_actions & kTimerDone, kTimerDone);
}

TEST_P(ConnectionCloseTest, ReleaseInFinWait2StartsTheClockToo) {
  h.Close();
  h.Receive(". 1(0) ack 2");
  EXPECT_TRUE(Release(h.cb, h.Context()));
  h.Advance(61s);
  EXPECT_EQ(h.timer_actions & kTimerDone, kTimerDone);
}

// RFC 9293 section 3.6.1.
TEST_P(ConnectionCloseTest, DataForNobodyIsReset) {
  Release(h.cb, h.Context());
  h.Pump();
  h.Sent();
  h.Receive("P. 1(10) ack 2");
  EXPECT_EQ(h.state(), State::kClosed);
  EXPECT_EQ(h.events, kConnected | kBroken);
  EXPECT_THAT(h.Sent(), ElementsAre("R 2(0)"));
}

TEST_P(ConnectionCloseTest, FinForNobodyIsFine) {
  Release(h.cb, h.Context());
  h.Pump();
  h.Receive("F. 1(0) ack 2");
  EXPECT_EQ(h.state(), State::kTimeWait);
}

TEST_P(ConnectionCloseTest, CloseTwiceIsOnce) {
  h.Close();
  h.Sent();
  h.Close();
  EXPECT_THAT(h.Sent(), IsEmpty());
  EXPECT_EQ(h.state(), State::kFinWait1);
}

TEST_P(ConnectionCloseTest, AbortIsExactWhenNothingIsLost) {
  h.Write(5000);
  SegmentSpec reset;
  ASSERT_TRUE(AbortSegment(h.cb, h.Context().now, reset));
  EXPECT_EQ(reset.seq, h.Ours(5001));
  EXPECT_EQ(reset.flags, kRst | kAck);
  h.Advance(250ms);  // snd_nxt has fallen back; the peer's RCV.NXT has not
  ASSERT_TRUE(AbortSegment(h.cb, h.Context().now, reset));
  EXPECT_EQ(reset.seq, h.Ours(5001));
}

TEST_P(ConnectionCloseTest, AbortAfterTheFinNeedsNoReset) {
  SegmentSpec reset;
  h.Close();
  h.Receive("F. 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kClosing);
  EXPECT_FALSE(AbortSegment(h.cb, h.Context().now, reset));
}

TEST_P(ConnectionCloseTest, AbortWithDataBeforeTheFinTellsThePeer) {
  SegmentSpec reset;
  h.Receive("F. 1(0) ack 1 win 0");
  h.Write(100);
  h.Close();
  EXPECT_EQ(h.state(), State::kLastAck);
  EXPECT_TRUE(AbortSegment(h.cb, h.Context().now, reset));
  EXPECT_EQ(reset.seq, h.Ours(1));
}

}  // namespace
}  // namespace corelane::tcp
