// Opening, segment by segment (RFC 9293 sections 3.5 and 3.10.7.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionOpenTest : public ConnectionTest {};
INSTANTIATE_TEST_SUITE_P(Origins, ConnectionOpenTest, ::testing::Range(0, 4));

TEST_P(ConnectionOpenTest, Active) {
  h.Open();
  EXPECT_EQ(h.state(), State::kSynSent);
  EXPECT_THAT(h.Sent(), ElementsAre("S 0(0)"));
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.events, kConnected);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1"));
  h.Receive("P. 1(100) ack 1");
  EXPECT_EQ(h.receiver.delivered(), 100u);
}

TEST_P(ConnectionOpenTest, Passive) {
  h.Accept();
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Write(100);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(100) ack 1"));
}

TEST_P(ConnectionOpenTest, WhatWasQueuedGoesOutWithTheAck) {
  h.Open();
  h.Write(300);
  EXPECT_THAT(h.Sent(), ElementsAre("S 0(0)"));
  h.Receive("S. 0(0) ack 1");
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(300) ack 1"));
}

TEST_P(ConnectionOpenTest, SynIsRepeatedWithBackOffForThreeMinutes) {
  h.Open();
  h.Advance(182s);
  EXPECT_THAT(h.SentAt(), ElementsAre(0, 1'000, 3'000, 7'000, 15'000, 31'000,
                                      63'000, 123'000));
  EXPECT_FALSE(h.aborted);
  h.Advance(2s);
  EXPECT_TRUE(h.aborted);
  EXPECT_EQ(h.cb.error, Error::kTimedOut);
}

// RFC 6298 (5.7) and RFC 5681 section 3.1; the first one is forgiven (RFC 6928
// section 2).
TEST_P(ConnectionOpenTest, LostSynsCostTheInitialWindow) {
  h.Open();
  h.Advance(3500ms);
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.cb.rto_us, 3'000'000u);
  EXPECT_EQ(h.cb.cwnd, kTestMss);
}

TEST_P(ConnectionOpenTest, OneLostSynIsForgiven) {
  h.Open();
  h.Advance(1500ms);
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.cb.rto_us, 3'000'000u);
  EXPECT_EQ(h.cb.cwnd, 10u * kTestMss);
}

TEST_P(ConnectionOpenTest, HandshakeGivesTheFirstRtt) {
  h.rtt = 80ms;
  h.Connect();
  EXPECT_EQ(h.cb.srtt_us / 8, 80'000u);
  EXPECT_EQ(h.cb.rto_us, 280'000u);
}

TEST_P(ConnectionOpenTest, Simultaneous) {
  h.Open();
  EXPECT_THAT(h.Sent(), ElementsAre("S 0(0)"));
  h.Receive("S 0(0)");
  EXPECT_EQ(h.state(), State::kSynReceived);
  EXPECT_THAT(h.Sent(), ElementsAre("S. 0(0) ack 1"));
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.events, kConnected);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1"));
  h.Write(10);
  h.Receive(". 1(0) ack 11");
  EXPECT_EQ(h.acked, 10u);
}

TEST_P(ConnectionOpenTest, SimultaneousWhereThePeersSynAckIsLost) {
  h.Open();
  h.Receive("S 0(0)");
  h.Sent();
  h.Mark();
  h.Receive("S 0(0)");  // it has not seen our SYN either
  EXPECT_THAT(h.Sent(), ElementsAre("S. 0(0) ack 1"));
  h.Receive("P. 1(10) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.receiver.delivered(), 10u);
}

TEST_P(ConnectionOpenTest, SimultaneousSynAckIsRepeated) {
  h.Open();
  h.Receive("S 0(0)");
  h.Sent();
  h.Mark();
  h.Advance(3500ms);
  EXPECT_THAT(h.SentAt(), ElementsAre(1'000, 3'000));
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_EQ(h.cb.rto_us, 3'000'000u);
}

TEST_P(ConnectionOpenTest, SimultaneousWithScaledWindows) {
  h.peer_options.window_scale = 4;
  h.Open();
  h.Receive("S 0(0) win 1000");
  h.Receive("S. 0(0) ack 1 win 1000");
  EXPECT_EQ(h.cb.SendWindow(), 1000u);
  h.Receive(". 1(0) ack 1 win 1000");
  EXPECT_EQ(h.cb.SendWindow(), 16'000u);
}

TEST_P(ConnectionOpenTest, WrongAckInSynReceivedIsReset) {
  h.Open();
  h.Receive("S 0(0)");
  h.Sent();
  h.Receive(". 1(0) ack 7");
  EXPECT_EQ(h.state(), State::kSynReceived);
  EXPECT_THAT(h.Sent(), ElementsAre("R 7(0)"));
}

TEST_P(ConnectionOpenTest, ResetInSynReceived) {
  h.Open();
  h.Receive("S 0(0)");
  h.Sent();
  h.Receive("R 2(0)");  // in the window: RFC 5961
  EXPECT_EQ(h.state(), State::kSynReceived);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1"));
  h.Receive("R 1(0)");
  EXPECT_EQ(h.state(), State::kClosed);
  EXPECT_EQ(h.cb.error, Error::kRefused);
}

TEST_P(ConnectionOpenTest, DataAndFinWithTheLastAckOfTheHandshake) {
  h.Open();
  h.Receive("S 0(0)");
  h.Sent();
  h.Receive("FP. 1(50) ack 1");
  EXPECT_EQ(h.state(), State::kCloseWait);
  EXPECT_EQ(h.events, kConnected | kPeerClosed);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 52"));
}

TEST_P(ConnectionOpenTest, ResetInSynSentNeedsAnAckOfTheSyn) {
  h.Open();
  h.Sent();
  h.Receive("R 0(0)");
  h.Receive("R. 0(0) ack 0");
  h.Receive("R. 0(0) ack 2");
  EXPECT_EQ(h.state(), State::kSynSent);
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Receive("R. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kClosed);
  EXPECT_EQ(h.events, kBroken);
  EXPECT_EQ(h.cb.error, Error::kRefused);
}

TEST_P(ConnectionOpenTest, WrongAckInSynSentIsReset) {
  h.Open();
  h.Sent();
  h.Receive("S. 0(0) ack 2");
  h.Receive(". 0(0) ack 0");
  EXPECT_EQ(h.state(), State::kSynSent);
  EXPECT_THAT(h.Sent(), ElementsAre("R 2(0)", "R 0(0)"));
  h.Receive(". 0(0) ack 1");  // no SYN: dropped
  EXPECT_EQ(h.state(), State::kSynSent);
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(ConnectionOpenTest, RepeatedSynAckIsAcknowledgedAgain) {
  h.Connect();
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1"));
}

TEST_P(ConnectionOpenTest, CloseInSynSentForgetsTheConnection) {
  h.Open();
  EXPECT_FALSE(CloseSend(h.cb));
  EXPECT_EQ(h.state(), State::kClosed);
}

TEST_P(ConnectionOpenTest, CloseInSynReceivedWaitsForTheHandshake) {
  h.Open();
  h.Receive("S 0(0)");
  h.Close();
  EXPECT_EQ(h.state(), State::kSynReceived);
  h.Sent();
  h.Receive(". 1(0) ack 1");
  EXPECT_EQ(h.state(), State::kFinWait1);
  EXPECT_THAT(h.Sent(), ElementsAre("F. 1(0) ack 1"));
}

TEST_P(ConnectionOpenTest, PeersMssIsKeptTo) {
  h.peer_options.mss = 500;
  h.Connect();
  h.Write(1100);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(500) ack 1", ". 501(500) ack 1"));
}

TEST_P(ConnectionOpenTest, TinyMssIsRaisedToTheFloor) {
  h.peer_options.mss = 8;
  h.Connect();
  EXPECT_EQ(h.cb.mss, 88);
}

TEST_P(ConnectionOpenTest, WindowsAreScaledBothWays) {
  h.config.receive_buffer = 1 << 20;
  h.peer_options.window_scale = 7;
  h.Open();
  const std::vector<SentSegment> syn = h.SentSegments();
  ASSERT_EQ(syn.size(), 1u);
  EXPECT_EQ(syn[0].spec.window, 0xffff);
  EXPECT_EQ(syn[0].spec.syn_options.window_scale, 5);
  h.Receive("S. 0(0) ack 1 win 1000");
  EXPECT_EQ(h.cb.SendWindow(), 1000u);
  const std::vector<SentSegment> ack = h.SentSegments();
  ASSERT_EQ(ack.size(), 1u);
  EXPECT_EQ(ack[0].spec.window, (1 << 20) >> 5);
  h.Receive("P. 1(1) ack 1 win 1000");
  EXPECT_EQ(h.cb.SendWindow(), 128'000u);
}

TEST_P(ConnectionOpenTest, NoScalingUnlessThePeerOffersIt) {
  h.config.receive_buffer = 1 << 20;
  h.Connect();
  h.Receive("P. 1(1000) ack 1 win 60000");
  EXPECT_EQ(h.cb.SendWindow(), 60'000u);
  EXPECT_EQ(h.cb.ReceiveWindow(), 0xffffu - 1000);
  h.Receive("P. 1001(1000) ack 1 win 60000");
  const std::vector<SentSegment> sent = h.SentSegments();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].spec.window, 0xffff);
}

// ------------------------------------------------------------- the options

// All that a peer can offer; the echo is of our first SYN.
SynOptions AllOptions(const SentSegment& syn) {
  SynOptions o;
  o.mss = kTestMss;
  o.window_scale = 7;
  o.sack_permitted = o.has_timestamps = true;
  o.ts_value = 0xfffffff0;
  o.ts_echo = syn.spec.syn_options.ts_value;
  return o;
}

class OptionsOpenTest : public ConnectionOpenTest {
 protected:
  // Opens, and returns the SYN.
  SentSegment Syn() {
    h.cb.ts_offset = 0xfffffff0;
    h.Open();
    std::vector<SentSegment> sent = h.SentSegments();
    EXPECT_EQ(sent.size(), 1u);
    return sent.at(0);
  }
};
INSTANTIATE_TEST_SUITE_P(Origins, OptionsOpenTest, ::testing::Range(0, 4));

TEST_P(OptionsOpenTest, SynOffersEverything) {
  const SegmentSpec spec = Syn().spec;
  EXPECT_EQ(spec.flags, kSyn | kEce | kCwr);
  EXPECT_EQ(spec.syn_options.mss, kTestMss);
  EXPECT_EQ(spec.syn_options.window_scale, 0);
  EXPECT_TRUE(spec.syn_options.sack_permitted);
  EXPECT_TRUE(spec.syn_options.has_timestamps);
  EXPECT_EQ(spec.syn_options.ts_value, h.Context().now.ms + 0xfffffff0);
  EXPECT_EQ(spec.syn_options.ts_echo, 0u);
}

TEST_P(OptionsOpenTest, SynOffersNothingThatIsSwitchedOff) {
  h.config.timestamps = h.config.sack = h.config.window_scaling = false;
  h.config.ecn = Ecn::kAccept;
  SentSegment syn = Syn();
  EXPECT_EQ(syn.spec.flags, kSyn);
  EXPECT_EQ(syn.spec.syn_options.window_scale, -1);
  EXPECT_FALSE(syn.spec.syn_options.sack_permitted);
  EXPECT_FALSE(syn.spec.syn_options.has_timestamps);
  // An answer with more than was offered changes nothing.
  h.peer_options = AllOptions(syn);
  h.Receive("SE. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_FALSE(h.cb.Has(kTimestamps | kSack | kWindowScaling | kEcn));
  EXPECT_EQ(h.cb.mss, kTestMss);
}

TEST_P(OptionsOpenTest, AllAreAccepted) {
  h.peer_options = AllOptions(Syn());
  h.Receive("SE. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_TRUE(h.cb.Has(kTimestamps));
  EXPECT_TRUE(h.cb.Has(kSack));
  EXPECT_TRUE(h.cb.Has(kWindowScaling));
  EXPECT_TRUE(h.cb.Has(kEcn));
  EXPECT_EQ(h.cb.ts_recent, 0xfffffff0u);
  EXPECT_EQ(h.cb.snd_wscale(), 7);
  EXPECT_EQ(h.cb.mss, kTestMss - 12);
}

// RFC 3168 section 6.1.1.1.
TEST_P(OptionsOpenTest, RepeatedSynDoesNotAskForEcn) {
  h.peer_options = AllOptions(Syn());
  h.Advance(1500ms);
  std::vector<SentSegment> sent = h.SentSegments();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].spec.flags, kSyn);
  EXPECT_TRUE(sent[0].spec.syn_options.has_timestamps);
  h.Receive("SE. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_FALSE(h.cb.Has(kEcn));
}

// A host that sends our flags back does not understand them.
TEST_P(OptionsOpenTest, ReflectedEcnIsNone) {
  h.peer_options = AllOptions(Syn());
  h.Receive("SEW. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_FALSE(h.cb.Has(kEcn));
}

TEST_P(OptionsOpenTest, AnEchoMustBeOfOneOfOurSyns) {
  const SentSegment syn = Syn();
  h.Advance(1500ms);  // a second SYN, a second later
  h.Sent();
  const uint32_t first = syn.spec.syn_options.ts_value;
  h.peer_options = AllOptions(syn);
  for (uint32_t wrong : {first - 10, first + 1600, first ^ 0x80000000}) {
    h.peer_options.ts_echo = wrong;
    h.Receive("S. 0(0) ack 1");
    EXPECT_EQ(h.state(), State::kSynSent);
    EXPECT_THAT(h.Sent(), ElementsAre("R 1(0)"));
  }
  h.peer_options.ts_echo = first + 1000;
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
}

TEST_P(OptionsOpenTest, AnEmptyEchoIsBorneWith) {
  h.peer_options = AllOptions(Syn());
  h.peer_options.ts_echo = 0;
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_TRUE(h.cb.Has(kTimestamps));
}

TEST_P(OptionsOpenTest, SimultaneousWithAll) {
  h.peer_options = AllOptions(Syn());
  h.peer_options.ts_echo = 0;  // it has not seen ours
  h.Receive("SEW 0(0)");
  EXPECT_EQ(h.state(), State::kSynReceived);
  std::vector<SentSegment> sent = h.SentSegments();
  ASSERT_EQ(sent.size(), 1u);
  const SegmentSpec& spec = sent[0].spec;
  EXPECT_EQ(spec.flags, kSyn | kAck | kEce);
  EXPECT_EQ(spec.syn_options.window_scale, 0);
  EXPECT_TRUE(spec.syn_options.sack_permitted);
  EXPECT_TRUE(spec.syn_options.has_timestamps);
  EXPECT_EQ(spec.syn_options.ts_echo, 0xfffffff0u);
  h.Receive("S. 0(0) ack 1");
  EXPECT_EQ(h.state(), State::kEstablished);
  EXPECT_TRUE(h.cb.Has(kTimestamps));
  EXPECT_TRUE(h.cb.Has(kSack));
  EXPECT_TRUE(h.cb.Has(kEcn));
  EXPECT_EQ(h.cb.mss, kTestMss - 12);
}

TEST_P(OptionsOpenTest, SimultaneousAnswersOnlyWhatIsOffered) {
  Syn();
  h.Receive("S 0(0)");
  std::vector<SentSegment> sent = h.SentSegments();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].spec.flags, kSyn | kAck);
  EXPECT_EQ(sent[0].spec.syn_options.window_scale, -1);
  EXPECT_FALSE(sent[0].spec.syn_options.sack_permitted);
  EXPECT_FALSE(sent[0].spec.syn_options.has_timestamps);
}

}  // namespace
}  // namespace corelane::tcp
