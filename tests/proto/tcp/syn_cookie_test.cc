// What a cookie keeps, and what it does not let pass (RFC 4987).
#include "proto/tcp/syn_cookie.h"

#include <gtest/gtest.h>

#include <array>

namespace corelane::tcp {
namespace {

class SynCookieTest : public ::testing::Test {
 protected:
  SynCookieTest() { syn.mss = 1460; }

  // The SYN-ACK that answers `syn`.
  SegmentSpec Answer(uint8_t flags = kSyn | kEce | kCwr) {
    Segment segment = With(syn);
    segment.seq = SeqNum(0xffffffff);
    segment.window = 1000;
    segment.offset_and_flags = flags;
    Request scratch = Begun();
    OpenPassive(scratch, segment, SeqNum(), config, Now(now));
    return CookieSynAck(scratch, 1460, config, secret, now);
  }

  // The ACK that completes it.
  struct Ack {
    SeqNum seq;
    SeqNum ack;
    SynOptions options;
    FlowKey key;
  };
  Ack AckOf(const SegmentSpec& answer) {
    Ack ack{SeqNum(0), answer.seq + 1, {}, key};
    ack.options.has_timestamps = answer.syn_options.has_timestamps;
    ack.options.ts_value = 99;
    ack.options.ts_echo = answer.syn_options.ts_value;
    return ack;
  }
  bool Accept(const Ack& ack) {
    Segment segment = With(ack.options);
    segment.seq = ack.seq;
    segment.ack = ack.ack;
    segment.window = 500;
    segment.offset_and_flags = kAck;
    request = Begun();
    request.key = ack.key;
    return OpenFromCookie(request, segment, secret, now);
  }

  Request Begun() const {
    Request r;
    r.key = key;
    r.ts_offset = 0xffff0000;
    return r;
  }
  Segment With(const SynOptions& options) {
    Segment segment;
    segment.options = bytes_.data();
    segment.header_length = static_cast<uint16_t>(
        kHeaderLength + WriteSynOptions(bytes_.data(), options));
    return segment;
  }

  FlowKey key{0x0a000001, 0x0a000002, 80, 4242};
  SipKey secret{1, 2};
  Config config;
  // Late in one of the cookie's minutes.
  Time now = kTimeZero + 1000 * 60s + 59s;
  SynOptions syn;
  Request request;

 private:
  std::array<uint8_t, kMaxOptionsLength> bytes_{};
};

// rule: RFC4987-3.6
TEST_F(SynCookieTest, EverythingComesBackByWayOfTimestamps) {
  for (int scale = -1; scale <= 14; ++scale) {
    for (int i = 0; i < 4; ++i) {
      // Any phase of the low bits of our clock.
      now += 7ms;
      syn.window_scale = scale;
      syn.sack_permitted = (i & 1) != 0;
      syn.has_timestamps = true;
      syn.ts_value = 98;
      const bool ecn = (i & 2) != 0;
      const SegmentSpec answer =
          Answer(static_cast<uint8_t>(ecn ? kSyn | kEce | kCwr : kSyn));
      EXPECT_EQ(answer.flags, ecn ? kSyn | kAck | kEce : kSyn | kAck);
      EXPECT_EQ(answer.syn_options.window_scale, scale < 0 ? -1 : 3);
      EXPECT_EQ(answer.syn_options.sack_permitted, (i & 1) != 0);
      EXPECT_EQ(answer.syn_options.ts_echo, 98u);
      ASSERT_TRUE(Accept(AckOf(answer)));
      EXPECT_EQ(request.Has(kRequestWindowScale), scale >= 0);
      if (scale >= 0) {
        EXPECT_EQ(request.peer_window_scale, scale);
      }
      EXPECT_EQ(request.Has(kRequestSack), (i & 1) != 0);
      EXPECT_EQ(request.Has(kRequestEcn), ecn);
      EXPECT_TRUE(request.Has(kRequestTimestamps));
      EXPECT_EQ(request.ts_recent, 99u);
      EXPECT_EQ(request.iss, answer.seq);
      EXPECT_EQ(request.irs, SeqNum(0xffffffff));
      EXPECT_EQ(request.window, 500);
      EXPECT_EQ(request.peer_mss, 1460);
    }
  }
}

// Whatever the bits, the connection's timestamps go on from the cookie's.
TEST_F(SynCookieTest, TimeDoesNotRunBackwards) {
  syn.has_timestamps = true;
  for (int scale = -1; scale <= 14; ++scale) {
    syn.window_scale = scale;
    uint32_t last = 0;
    for (int i = 0; i < 300; ++i) {
      now += 1ms;
      const uint32_t sent = Answer().syn_options.ts_value;
      const uint32_t real = Now(now).ms + 0xffff0000;
      ASSERT_LE(real - sent, 127u);
      if (i > 0) {
        ASSERT_LE(static_cast<int32_t>(last - sent), 0);
      }
      last = sent;
    }
  }
}

TEST_F(SynCookieTest, WithoutTimestampsOnlyTheMss) {
  syn.window_scale = 7;
  syn.sack_permitted = true;
  const SegmentSpec answer = Answer();
  EXPECT_EQ(answer.flags, kSyn | kAck);
  EXPECT_EQ(answer.syn_options.window_scale, -1);
  EXPECT_FALSE(answer.syn_options.sack_permitted);
  EXPECT_FALSE(answer.syn_options.has_timestamps);
  ASSERT_TRUE(Accept(AckOf(answer)));
  EXPECT_EQ(request.flags, kRequestUntimed);
  EXPECT_EQ(request.peer_mss, 1460);
}

TEST_F(SynCookieTest, MssIsRoundedDown) {
  const std::pair<uint16_t, uint16_t> kCases[] = {
      {0, 536},     {1, 88},      {88, 88},     {535, 88},     {536, 536},
      {1219, 536},  {1220, 1220}, {1399, 1360}, {1400, 1400},  {1459, 1440},
      {1460, 1460}, {8959, 1460}, {9000, 8960}, {65535, 8960},
  };
  for (const auto& [offered, kept] : kCases) {
    syn.mss = offered;
    ASSERT_TRUE(Accept(AckOf(Answer())));
    EXPECT_EQ(request.peer_mss, kept) << offered;
  }
}

// rule: RFC4987-3.6
TEST_F(SynCookieTest, EveryForgedBitIsNoticed) {
  syn.has_timestamps = true;
  syn.window_scale = 7;
  syn.sack_permitted = true;
  const Ack good = AckOf(Answer());
  ASSERT_TRUE(Accept(good));
  for (int bit = 0; bit < 32; ++bit) {
    SCOPED_TRACE(bit);
    const uint32_t flip = 1u << bit;
    Ack ack = good;
    ack.ack = SeqNum(((good.ack - 1).value() ^ flip) + 1);
    EXPECT_FALSE(Accept(ack));
    ack = good;
    ack.seq = SeqNum(good.seq.value() ^ flip);
    EXPECT_FALSE(Accept(ack));
    ack = good;
    ack.key.local_address ^= flip;
    EXPECT_FALSE(Accept(ack));
    ack = good;
    ack.key.remote_address ^= flip;
    EXPECT_FALSE(Accept(ack));
    if (bit < 16) {
      ack = good;
      ack.key.local_port ^= static_cast<uint16_t>(flip);
      EXPECT_FALSE(Accept(ack));
      ack = good;
      ack.key.remote_port ^= static_cast<uint16_t>(flip);
      EXPECT_FALSE(Accept(ack));
    }
    // The options in the echo, and its age; in between it is only a time.
    if (bit < 6 || bit > 16) {
      ack = good;
      ack.options.ts_echo ^= flip;
      EXPECT_FALSE(Accept(ack));
    }
  }
  Ack ack = good;
  ack.options.has_timestamps = false;
  EXPECT_FALSE(Accept(ack));
  secret.k1 ^= 1;
  EXPECT_FALSE(Accept(good));
}

// rule: RFC4987-3.6
TEST_F(SynCookieTest, ExpiresWithinTwoMinutes) {
  const Time sent = now;  // a second before the minute is over
  for (bool timestamps : {false, true}) {
    syn.has_timestamps = timestamps;
    now = sent;
    const Ack ack = AckOf(Answer());
    now = sent + 60s;
    EXPECT_TRUE(Accept(ack));
    now = sent + 62s;
    EXPECT_FALSE(Accept(ack));
    now = sent + 2s;
    const Ack early = AckOf(Answer());
    now = sent + 120s;
    EXPECT_TRUE(Accept(early));
    now = sent + 122s;
    EXPECT_FALSE(Accept(early));
    // Not even when the clock has gone round.
    for (int i = 0; i < 1000; ++i) {
      now += 60s;
      ASSERT_FALSE(Accept(early));
    }
  }
}

// How likely is a guess? About 2^-27, so none of these.
TEST_F(SynCookieTest, GuessesFail) {
  Ack ack = AckOf(Answer());
  const SeqNum good = ack.ack;
  for (uint32_t i = 1; i < 200'000; ++i) {
    ack.ack = good + i * 7919;
    ASSERT_FALSE(Accept(ack));
  }
}

TEST_F(SynCookieTest, TheConnectionIsNotTimed) {
  syn.has_timestamps = true;
  ASSERT_TRUE(Accept(AckOf(Answer())));
  ControlBlock cb;
  Counters counters;
  Establish(cb, request, 1460, {config, counters, Now(now)});
  EXPECT_EQ(cb.srtt_us, 0u);
  EXPECT_EQ(cb.rto_us, 1'000'000u);
  EXPECT_EQ(cb.mss, 1448);
  EXPECT_EQ(cb.cwnd, 10u * 1448);
}

}  // namespace
}  // namespace corelane::tcp
