#include "proto/icmp/error_policy.h"

#include <gtest/gtest.h>

#include <set>

#include "proto/icmp/message.h"

namespace corelane::icmp {
namespace {

constexpr SipKey kSecret{11, 22};

ipv4::Header Offending() {
  ipv4::Header h;
  h.source = Ipv4Address(10, 0, 0, 1);
  h.destination = Ipv4Address(10, 0, 0, 2);
  h.protocol = ipv4::kUdp;
  return h;
}

TEST(IcmpErrorPolicyTest, OrdinaryDatagram) {
  EXPECT_EQ(MaySendError(Offending(), {}, false, false),
            ErrorVerdict::kMaySend);
}

TEST(IcmpErrorPolicyTest, NeverAboutErrors) {
  ipv4::Header h = Offending();
  h.protocol = ipv4::kIcmp;
  for (int type = 0; type < 256; ++type) {
    const uint8_t payload[1] = {static_cast<uint8_t>(type)};
    const bool query = type == kEchoRequest || type == kEchoReply ||
                       type == kTimestampRequest || type == kTimestampReply;
    EXPECT_EQ(MaySendError(h, payload, false, false),
              query ? ErrorVerdict::kMaySend : ErrorVerdict::kAboutError);
  }
  EXPECT_EQ(MaySendError(h, {}, false, false), ErrorVerdict::kAboutError);
}

TEST(IcmpErrorPolicyTest, NeverAboutLaterFragments) {
  ipv4::Header h = Offending();
  h.more_fragments = true;
  EXPECT_EQ(MaySendError(h, {}, false, false), ErrorVerdict::kMaySend);
  h.fragment_offset = 8;
  EXPECT_EQ(MaySendError(h, {}, false, false), ErrorVerdict::kNotFirstFragment);
}

TEST(IcmpErrorPolicyTest, NeverAboutGroups) {
  ipv4::Header h = Offending();
  EXPECT_EQ(MaySendError(h, {}, true, false), ErrorVerdict::kLinkGroup);
  EXPECT_EQ(MaySendError(h, {}, false, true), ErrorVerdict::kGroupDestination);
  h.destination = Ipv4Address(255, 255, 255, 255);
  EXPECT_EQ(MaySendError(h, {}, false, false), ErrorVerdict::kGroupDestination);
  h.destination = Ipv4Address(224, 0, 0, 1);
  EXPECT_EQ(MaySendError(h, {}, false, false), ErrorVerdict::kGroupDestination);
}

TEST(IcmpErrorPolicyTest, NeverToSourcesThatAreNoHost) {
  for (const Ipv4Address source :
       {Ipv4Address(0, 0, 0, 0), Ipv4Address(127, 0, 0, 1),
        Ipv4Address(224, 0, 0, 1), Ipv4Address(255, 255, 255, 255)}) {
    ipv4::Header h = Offending();
    h.source = source;
    EXPECT_EQ(MaySendError(h, {}, false, false),
              ErrorVerdict::kSourceNotOneHost);
  }
}

int CountAllowed(ErrorLimiter& limiter, Ipv4Address to, Time now, int tries) {
  int allowed = 0;
  for (int i = 0; i < tries; ++i) allowed += limiter.Allow(to, now) ? 1 : 0;
  return allowed;
}

TEST(IcmpErrorLimiterTest, OneDestinationHasItsBurstThenItsRate) {
  ErrorLimiter limiter({}, kSecret);
  const Ipv4Address to(10, 0, 0, 1);
  EXPECT_EQ(CountAllowed(limiter, to, kTimeZero, 100), 6);
  EXPECT_EQ(CountAllowed(limiter, to, kTimeZero + 999ms, 100), 0);
  EXPECT_EQ(CountAllowed(limiter, to, kTimeZero + 1s, 100), 1);
  EXPECT_EQ(CountAllowed(limiter, to, kTimeZero + 1h, 100), 6);
}

TEST(IcmpErrorLimiterTest, OneDestinationCannotUseUpTheOthers) {
  ErrorLimiter limiter({}, kSecret);
  CountAllowed(limiter, Ipv4Address(10, 0, 0, 1), kTimeZero, 100'000);
  EXPECT_TRUE(limiter.Allow(Ipv4Address(10, 0, 0, 2), kTimeZero));
}

TEST(IcmpErrorLimiterTest, AllTogetherAreBounded) {
  ErrorLimiter limiter({}, kSecret);
  Time now = kTimeZero;
  int allowed = 0;
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    allowed += limiter.Allow(Ipv4Address(0x0b000000 + i), now) ? 1 : 0;
    now += 1us;
  }
  EXPECT_LE(allowed, 1000 + 64);
  EXPECT_GE(allowed, 900);
}

// SAD DNS: what the global limit holds after a rest must not be a number that
// an attacker can know.
TEST(IcmpErrorLimiterTest, GlobalBurstIsRandom) {
  ErrorLimiter limiter({}, kSecret);
  std::set<int> bursts;
  Time now = kTimeZero;
  uint32_t next = 0x0b000000;
  for (int round = 0; round < 50; ++round) {
    now += 10s;
    int burst = 0;
    while (limiter.Allow(Ipv4Address(next++), now)) ++burst;
    // A destination whose bucket is empty ends the count early, but rarely.
    bursts.insert(burst);
    EXPECT_LE(burst, 64);
  }
  EXPECT_GT(bursts.size(), 10u);
}

TEST(IcmpErrorLimiterTest, CoarseTimeDoesNotLoseTokens) {
  ErrorLimits limits;
  limits.global_interval = 10ms;
  ErrorLimiter limiter(limits, kSecret);
  int allowed = 0;
  for (uint32_t i = 0; i < 100'000; ++i) {
    const Time now = kTimeZero + 9ms * int64_t{i};
    allowed += limiter.Allow(Ipv4Address(0x0b000000 + i), now) ? 1 : 0;
  }
  EXPECT_NEAR(allowed, 90'000, 1000);
}

}  // namespace
}  // namespace corelane::icmp
