// The request that stands for a connection in SYN-RECEIVED.
#include "proto/tcp/handshake.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

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
    std::array<uint8_t, kMaxOptionsLength> options{};
    segment.options = options.data();
    if (with_ts) {
      SynOptions o;
      o.has_timestamps = true;
      o.ts_value = *with_ts;
      segment.header_length = static_cast<uint16_t>(
          kHeaderLength + WriteSynOptions(options.data(), o));
    }
    // By default long after the last one: challenge ACKs are limited.
    if (!same_time) now += 1s;
    return OnRequestSegment(request, segment, kWindow, At(now).now);
  }
  Context At(Duration d) { return {config, counters, Now(kTimeZero + d)}; }

  Request request;
  Config config;
  Counters counters;
  Duration now = 0s;
  bool same_time = false;
  std::optional<uint32_t> with_ts;
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

TEST_P(RequestTest, ChallengesAreTwoPerSecond) {
  EXPECT_EQ(On(kSyn, 0, 0), Verdict::kChallengeAck);
  same_time = true;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(On(kSyn, 0, 0), Verdict::kIgnore);
    EXPECT_EQ(On(kRst, 1, 0), Verdict::kIgnore);
    EXPECT_EQ(On(kAck, -1, 1), Verdict::kIgnore);
  }
  EXPECT_EQ(On(kRst, 0, 0), Verdict::kDelete);
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kAccept);
  now += 510ms;
  EXPECT_EQ(On(kSyn, 0, 0), Verdict::kChallengeAck);
}

// RFC 7323 section 5.
TEST_P(RequestTest, Paws) {
  request.flags = kRequestTimestamps;
  request.ts_recent = GetParam();
  with_ts = GetParam() - 1;
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kChallengeAck);
  EXPECT_EQ(On(kRst, 0, 0), Verdict::kDelete);  // not for resets
  EXPECT_EQ(On(kSyn, -1, 0), Verdict::kResendSynAck);
  EXPECT_EQ(request.ts_recent, GetParam());
  with_ts = GetParam();
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kAccept);
  with_ts = GetParam() + 5;
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kAccept);
  EXPECT_EQ(On(kSyn, -1, 0), Verdict::kResendSynAck);
  EXPECT_EQ(request.ts_recent, GetParam() + 5);
  // Not negotiated: not looked at.
  request.flags = 0;
  with_ts = GetParam() - 1;
  EXPECT_EQ(On(kAck, 0, 1), Verdict::kAccept);
}

TEST_P(RequestTest, Challenge) {
  request.flags = kRequestTimestamps | kRequestWindowScale;
  request.ts_recent = 77;
  request.ts_offset = 1000;
  const SegmentSpec ack = RequestChallenge(request, config, At(5ms).now);
  EXPECT_EQ(ack.seq, request.iss + 1);
  EXPECT_EQ(ack.ack, request.irs + 1);
  EXPECT_EQ(ack.flags, kAck);
  EXPECT_EQ(ack.window, 0xffff >> 3);
  EXPECT_TRUE(ack.has_timestamps);
  EXPECT_EQ(ack.ts_value, 1005u);
  EXPECT_EQ(ack.ts_echo, 77u);
}

// Which of two equal SYN-ACKs was answered is not known (Karn).
TEST_P(RequestTest, RepeatedSynIsNotTimed) {
  EXPECT_EQ(On(kSyn, -1, 0), Verdict::kResendSynAck);
  ControlBlock cb;
  Establish(cb, request, 1460, At(10s));
  EXPECT_EQ(cb.srtt_us, 0u);
  EXPECT_EQ(cb.rto_us, 1'000'000u);
  EXPECT_EQ(cb.cwnd, 12'000u);
}

// RFC 3168 section 6.1.1: a SYN without the request takes it back.
TEST_P(RequestTest, RepeatedSynWithoutEcn) {
  request.flags = kRequestEcn;
  EXPECT_EQ(On(kSyn | kEce | kCwr, -1, 0), Verdict::kResendSynAck);
  EXPECT_TRUE(request.Has(kRequestEcn));
  EXPECT_EQ(On(kSyn, -1, 0), Verdict::kResendSynAck);
  EXPECT_FALSE(request.Has(kRequestEcn));
}

TEST_P(RequestTest, NoAckNoConnection) {
  EXPECT_EQ(On(kPsh, 0, 1, 10), Verdict::kIgnore);
  EXPECT_EQ(On(kFin, 0, 1), Verdict::kIgnore);
}

TEST_P(RequestTest, Establish) {
  request.flags = kRequestWindowScale;
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
  EXPECT_STREQ(CheckInvariants(cb, nullptr, config), nullptr);
}

TEST_P(RequestTest, EstablishWithAllOptions) {
  request.flags = kRequestTimestamps | kRequestSack | kRequestEcn;
  request.ts_recent = 55;
  request.ts_offset = 66;
  ControlBlock cb;
  Establish(cb, request, 1460, At(1s));
  EXPECT_TRUE(cb.Has(kTimestamps));
  EXPECT_TRUE(cb.Has(kSack));
  EXPECT_TRUE(cb.Has(kEcn));
  EXPECT_FALSE(cb.Has(kWindowScaling));
  EXPECT_EQ(cb.ts_recent, 55u);
  EXPECT_EQ(cb.ts_offset, 66u);
  EXPECT_EQ(cb.mss, 1200 - 12);
}

TEST_P(RequestTest, EstablishAfterALostSynAck) {
  request.retransmits = 1;
  ControlBlock cb;
  Establish(cb, request, 1460, At(1s));
  EXPECT_EQ(cb.rto_us, 3'000'000u);
  EXPECT_EQ(cb.cwnd, 12'000u);  // one is forgiven (RFC 6928 section 2)
  EXPECT_EQ(cb.srtt_us, 0u);    // Karn
}

// A SYN with the options in `offer`, as it arrives.
class SynAckTest : public ::testing::Test {
 protected:
  SegmentSpec Answer(uint8_t flags, const SynOptions& offer) {
    Segment syn;
    syn.seq = SeqNum(0xffffffff);
    syn.window = 4321;
    syn.options = bytes_.data();
    syn.header_length = static_cast<uint16_t>(
        kHeaderLength + WriteSynOptions(bytes_.data(), offer));
    syn.offset_and_flags = flags;
    request.ts_offset = 10;
    OpenPassive(request, syn, SeqNum(5), config, now);
    return SynAck(request, 1460, config, now);
  }
  static SynOptions All() {
    SynOptions o;
    o.mss = 1400;
    o.window_scale = 9;
    o.sack_permitted = o.has_timestamps = true;
    o.ts_value = 1234;
    return o;
  }

  Config config;
  Request request;
  Now now{kTimeZero + 1s};

 private:
  std::array<uint8_t, kMaxOptionsLength> bytes_{};
};

TEST_F(SynAckTest, NothingThatThePeerDidNotOffer) {
  const SegmentSpec spec = Answer(kSyn, {1400, -1});
  EXPECT_EQ(request.peer_mss, 1400);
  EXPECT_EQ(request.window, 4321u);
  EXPECT_EQ(spec.seq, SeqNum(5));
  EXPECT_EQ(spec.ack, SeqNum(0));
  EXPECT_EQ(spec.flags, kSyn | kAck);
  EXPECT_EQ(spec.window, 0xffff);
  EXPECT_EQ(spec.syn_options.mss, 1460);
  EXPECT_EQ(spec.syn_options.window_scale, -1);
  EXPECT_FALSE(spec.syn_options.sack_permitted);
  EXPECT_FALSE(spec.syn_options.has_timestamps);
}

TEST_F(SynAckTest, AllThatItDid) {
  const SegmentSpec spec = Answer(kSyn | kEce | kCwr, All());
  EXPECT_EQ(request.peer_window_scale, 9);
  EXPECT_EQ(request.ts_recent, 1234u);
  EXPECT_EQ(spec.flags, kSyn | kAck | kEce);
  EXPECT_EQ(spec.syn_options.window_scale, 3);
  EXPECT_TRUE(spec.syn_options.sack_permitted);
  EXPECT_TRUE(spec.syn_options.has_timestamps);
  EXPECT_EQ(spec.syn_options.ts_value, 1010u);
  EXPECT_EQ(spec.syn_options.ts_echo, 1234u);
}

TEST_F(SynAckTest, NothingThatIsSwitchedOff) {
  config.timestamps = config.sack = config.window_scaling = false;
  config.ecn = Ecn::kOff;
  const SegmentSpec spec = Answer(kSyn | kEce | kCwr, All());
  EXPECT_EQ(request.flags, 0);
  EXPECT_EQ(spec.flags, kSyn | kAck);
  EXPECT_EQ(spec.syn_options.window_scale, -1);
  EXPECT_FALSE(spec.syn_options.sack_permitted);
  EXPECT_FALSE(spec.syn_options.has_timestamps);
}

// RFC 3168 section 6.1.1: it takes both flags.
TEST_F(SynAckTest, HalfAnEcnRequestIsNone) {
  EXPECT_EQ(Answer(kSyn | kEce, All()).flags, kSyn | kAck);
  EXPECT_EQ(Answer(kSyn | kCwr, All()).flags, kSyn | kAck);
}

TEST_F(SynAckTest, RepeatedWithoutEcn) {
  Answer(kSyn | kEce | kCwr, All());
  const SegmentSpec again =
      SynAckAgain(request, 1460, config, Now(kTimeZero + 2s));
  EXPECT_EQ(again.flags, kSyn | kAck);
  EXPECT_EQ(again.syn_options.ts_value, 2010u);
  EXPECT_FALSE(request.Has(kRequestEcn));
}

TEST(OwnMss, TheRoutesOrTheConfiguredOne) {
  Config config;
  EXPECT_EQ(OwnMss(1500, config), 1460);
  config.max_segment = 1000;
  EXPECT_EQ(OwnMss(1500, config), 1000);
  EXPECT_EQ(OwnMss(576, config), 536);
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
