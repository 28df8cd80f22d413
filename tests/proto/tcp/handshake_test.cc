// The request that stands for a connection in SYN-RECEIVED.
#include "proto/tcp/handshake.h"

#include <gtest/gtest.h>

#include <array>

#include "proto/tcp/invariants.h"

namespace corelane::tcp {
namespace {

using Verdict = RequestVerdict;

constexpr uint32_t kWindow = 5000;

class RequestTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    request.irs = SeqNum(GetParam());
    request.iss = SeqNum(GetParam() + 12'345);
    request.window = 9000;
    request.peer_mss = 1200;
  }
  // Offsets from IRS + 1 and ISS.
  Verdict On(uint8_t flags, int32_t seq, int32_t ack, uint16_t length = 0) {
    Segment segment;
    segment.seq = request.irs + 1 + static_cast<uint32_t>(seq);
    segment.ack = request.iss + static_cast<uint32_t>(ack);
    segment.offset_and_flags = static_cast<uint16_t>(0x5000 | flags);
    segment.header_length = kHeaderLength;
    segment.payload_length = length;
    return OnRequestSegment(request, segment, kWindow);
  }
  Context At(Duration d) { return {config, counters, Now(kTimeZero + d)}; }

  Request request;
  Config config;
  Counters counters;
};
INSTANTIATE_TEST_SUITE_P(Wrap, RequestTest,
                         ::testing::Values(1000u, 0xffffffffu, 0xfffffffeu,
                                           0x7fffffffu));

TEST_P(RequestTest, TheLastAckCompletesIt) {
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kAccept);
  EXPECT_EQ(On(kAck | kPsh, 0, 1, 100), Verdict::kAccept);
  EXPECT_EQ(On(kAck | kFin, 0, 1), Verdict::kAccept);
  // Ahead of a lost one, but in the window.
  EXPECT_EQ(On(kAck, 100, 1, 100), Verdict::kAccept);
}

TEST_P(RequestTest, ForgedAcksAreReset) {
  EXPECT_EQ(On(kAck, 0, 0), Verdict::kReset);
  EXPECT_EQ(On(kAck, 0, 2), Verdict::kReset);
  EXPECT_EQ(On(kAck, 0, -1000), Verdict::kReset);
}

TEST_P(RequestTest, RepeatedSyn) {
  EXPECT_EQ(On(kSyn, -1, 0), Verdict::kResendSynAck);
  EXPECT_EQ(On(kSyn, 0, 0), Verdict::kChallengeAck);
  EXPECT_EQ(On(kSyn | kAck, -1, 1), Verdict::kChallengeAck);
}

TEST_P(RequestTest, OutsideTheWindow) {
  EXPECT_EQ(On(kAck, -1, 1), Verdict::kChallengeAck);
  EXPECT_EQ(On(kAck, kWindow, 1), Verdict::kChallengeAck);
  EXPECT_EQ(On(kAck, kWindow - 1, 1), Verdict::kAccept);
}

// RFC 5961 section 3.
TEST_P(RequestTest, Resets) {
  EXPECT_EQ(On(kRst, 0, 0), Verdict::kDelete);
  EXPECT_EQ(On(kRst | kAck, 0, 1), Verdict::kDelete);
  EXPECT_EQ(On(kRst, 1, 0), Verdict::kChallengeAck);
  EXPECT_EQ(On(kRst, -1, 0), Verdict::kIgnore);
  EXPECT_EQ(On(kRst, -10, 0, 50), Verdict::kIgnore);
  EXPECT_EQ(On(kRst, kWindow, 0), Verdict::kIgnore);
}

TEST_P(RequestTest, NoAckNoConnection) {
  EXPECT_EQ(On(kPsh, 0, 1, 10), Verdict::kIgnore);
  EXPECT_EQ(On(kFin, 0, 1), Verdict::kIgnore);
}

TEST_P(RequestTest, Establish) {
  request.window_scaling = true;
  request.peer_window_scale = 7;
  request.synack_us = At(1s).now.us;
  ControlBlock cb;
  Establish(cb, request, 1460, At(1s + 70ms));
  EXPECT_EQ(cb.state, State::kEstablished);
  EXPECT_EQ(cb.mss, 1200);
  EXPECT_EQ(cb.cwnd, 12'000u);
  EXPECT_EQ(cb.snd_una, request.iss + 1);
  EXPECT_EQ(cb.rcv_nxt, request.irs + 1);
  EXPECT_EQ(cb.SendWindow(), 9000u);  // not scaled: it stood in a SYN
  EXPECT_EQ(cb.snd_wscale(), 7);
  EXPECT_EQ(cb.rcv_wscale(), 3);
  EXPECT_EQ(cb.srtt_us / 8, 70'000u);
  EXPECT_STREQ(CheckInvariants(cb, config), nullptr);
}

TEST_P(RequestTest, EstablishAfterALostSynAck) {
  request.retransmits = 1;
  ControlBlock cb;
  Establish(cb, request, 1460, At(1s));
  EXPECT_EQ(cb.rto_us, 3'000'000u);
  EXPECT_EQ(cb.cwnd, 1200u);
  EXPECT_EQ(cb.srtt_us, 0u);  // Karn
}

TEST(SynAck, OffersWhatThePeerOffered) {
  Config config;
  Segment syn;
  syn.seq = SeqNum(0xffffffff);
  syn.window = 4321;
  std::array<uint8_t, kMaxOptionsLength> options{};
  syn.options = options.data();
  syn.header_length = static_cast<uint16_t>(
      kHeaderLength + WriteSynOptions(options.data(), {1400, 9}));
  Request request;
  OpenPassive(request, syn, SeqNum(5), Now(kTimeZero + 1s));
  EXPECT_EQ(request.peer_mss, 1400);
  EXPECT_EQ(request.peer_window_scale, 9);
  EXPECT_EQ(request.window, 4321u);
  SegmentSpec spec = SynAck(request, 1460, config);
  EXPECT_EQ(spec.seq, SeqNum(5));
  EXPECT_EQ(spec.ack, SeqNum(0));
  EXPECT_EQ(spec.flags, kSyn | kAck);
  EXPECT_EQ(spec.window, 0xffff);
  EXPECT_EQ(spec.syn_options.mss, 1460);
  EXPECT_EQ(spec.syn_options.window_scale, 3);
  request.window_scaling = false;
  EXPECT_EQ(SynAck(request, 1460, config).syn_options.window_scale, -1);
}

TEST(EffectiveMss, BetweenTheFloorAndOurOwn) {
  const Config config;
  EXPECT_EQ(EffectiveMss(0, 1460, config), 536);
  EXPECT_EQ(EffectiveMss(1200, 1460, config), 1200);
  EXPECT_EQ(EffectiveMss(9000, 1460, config), 1460);
  EXPECT_EQ(EffectiveMss(1, 1460, config), 88);
  EXPECT_EQ(EffectiveMss(0xffff, 1460, config), 1460);
}

}  // namespace
}  // namespace corelane::tcp
