// RFC 6528, and row 22 of the hostile inputs: unpredictable across tuples,
// monotone for one of them.
#include "proto/tcp/isn.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace corelane::tcp {
namespace {

constexpr SipKey kSecret = {0x0123456789abcdef, 0xfedcba9876543210};
constexpr FlowKey kKey = {0x0a000001, 0x0a000002, 80, 4242};

// rule: RFC9293-3.4.1 MUST-8
// rule: RFC6528-3
TEST(Isn, AdvancesByOneEveryFourMicroseconds) {
  const SeqNum first = InitialSequence(kKey, kSecret, kTimeZero);
  EXPECT_EQ(InitialSequence(kKey, kSecret, kTimeZero + 3us), first);
  EXPECT_EQ(InitialSequence(kKey, kSecret, kTimeZero + 4us), first + 1);
  EXPECT_EQ(InitialSequence(kKey, kSecret, kTimeZero + 1s), first + 250'000);
}

// rule: RFC9293-3.4.1 MUST-8
TEST(Isn, MonotoneForATupleOverHours) {
  SeqNum last = InitialSequence(kKey, kSecret, kTimeZero);
  for (Time t = kTimeZero + 1min; t < kTimeZero + 12h; t += 1min) {
    const SeqNum isn = InitialSequence(kKey, kSecret, t);
    EXPECT_GT(isn, last);
    last = isn;
  }
}

// rule: RFC9293-3.4.1 MUST-9 SHLD-1
TEST(Isn, EveryPartOfTheTupleAndOfTheSecretMatters) {
  const SeqNum isn = InitialSequence(kKey, kSecret, kTimeZero);
  FlowKey keys[5] = {kKey,
                     kKey,
                     kKey,
                     kKey,
                     {kKey.remote_address, kKey.local_address, kKey.remote_port,
                      kKey.local_port}};
  ++keys[0].local_address;
  ++keys[1].remote_address;
  ++keys[2].local_port;
  ++keys[3].remote_port;
  for (const FlowKey& key : keys) {
    EXPECT_NE(InitialSequence(key, kSecret, kTimeZero), isn);
  }
  EXPECT_NE(InitialSequence(kKey, {kSecret.k0 ^ 1, kSecret.k1}, kTimeZero),
            isn);
  EXPECT_NE(InitialSequence(kKey, {kSecret.k0, kSecret.k1 ^ 1}, kTimeZero),
            isn);
}

// Neighbouring ports: no repeated step, and half of all bits differ.
// rule: RFC9293-3.4.1 MUST-9
TEST(Isn, NeighboursAreUncorrelated) {
  constexpr int kPorts = 20'000;
  std::set<uint32_t> steps;
  int64_t bits = 0;
  FlowKey key = kKey;
  key.remote_port = 1024;
  SeqNum last = InitialSequence(key, kSecret, kTimeZero);
  for (int i = 0; i < kPorts; ++i) {
    ++key.remote_port;
    const SeqNum isn = InitialSequence(key, kSecret, kTimeZero);
    steps.insert(isn - last);
    bits += std::popcount(isn.value() ^ last.value());
    last = isn;
  }
  EXPECT_GT(steps.size(), kPorts - 5u);
  EXPECT_NEAR(static_cast<double>(bits) / kPorts, 16.0, 0.15);
}

// RFC 7323 section 7.1: one pair's timestamps go on, whoever uses it next; of
// another's they say nothing.
TEST(TimestampOffset, OnePerTuple) {
  const uint32_t offset = TimestampOffset(kKey, kSecret);
  EXPECT_EQ(TimestampOffset(kKey, kSecret), offset);
  EXPECT_NE(TimestampOffset(kKey, {kSecret.k0 ^ 1, kSecret.k1}), offset);
  std::set<uint32_t> offsets;
  FlowKey key = kKey;
  for (int i = 0; i < 1000; ++i) {
    ++key.remote_port;
    offsets.insert(TimestampOffset(key, kSecret));
  }
  EXPECT_EQ(offsets.size(), 1000u);
}

}  // namespace
}  // namespace corelane::tcp
