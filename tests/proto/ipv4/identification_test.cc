#include "proto/ipv4/identification.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace corelane::ipv4 {
namespace {

const Ipv4Address kOwn(10, 0, 0, 1);
const Ipv4Address kPeer(10, 0, 0, 2);

TEST(IdentificationTest, NoRepeatForLong) {
  Rng rng(1);
  IdentificationSource ids({3, 4}, rng);
  std::vector<int> last_seen(65536, -1);
  for (int i = 0; i < 100'000; ++i) {
    const uint16_t id = ids.Next(kOwn, kPeer, 17, rng);
    if (last_seen[id] >= 0) {
      ASSERT_GT(i - last_seen[id], 8192);
    }
    last_seen[id] = i;
  }
}

TEST(IdentificationTest, StepsAreNotConstant) {
  Rng rng(2);
  IdentificationSource ids({3, 4}, rng);
  std::set<uint16_t> steps;
  uint16_t last = ids.Next(kOwn, kPeer, 17, rng);
  for (int i = 0; i < 1000; ++i) {
    const uint16_t id = ids.Next(kOwn, kPeer, 17, rng);
    steps.insert(static_cast<uint16_t>(id - last));
    last = id;
  }
  EXPECT_EQ(steps.size(), 8u);
}

// What we send to one peer says nothing about what we send to another.
TEST(IdentificationTest, PeersDoNotShareACounter) {
  Rng rng(3);
  IdentificationSource ids({3, 4}, rng);
  const uint16_t before = ids.Next(kOwn, kPeer, 17, rng);
  for (int i = 0; i < 1000; ++i) {
    ids.Next(kOwn, Ipv4Address(10, 0, 0, 3), 17, rng);
  }
  const uint16_t after = ids.Next(kOwn, kPeer, 17, rng);
  EXPECT_LE(static_cast<uint16_t>(after - before), 8);
}

TEST(IdentificationTest, FirstValuesAreSpread) {
  Rng rng(4);
  IdentificationSource ids({3, 4}, rng);
  std::array<int, 16> high{};
  for (uint32_t i = 0; i < 16'000; ++i) {
    ++high.at(ids.Next(kOwn, Ipv4Address(0x0b000000 + i), 17, rng) >> 12);
  }
  for (const int n : high) EXPECT_NEAR(n, 1000, 200);
}

TEST(IdentificationTest, SecretsGiveDifferentValues) {
  Rng rng_a(5);
  Rng rng_b(5);
  IdentificationSource a({3, 4}, rng_a);
  IdentificationSource b({3, 5}, rng_b);
  int same = 0;
  for (uint32_t i = 0; i < 1000; ++i) {
    const Ipv4Address to(0x0b000000 + i);
    same += a.Next(kOwn, to, 6, rng_a) == b.Next(kOwn, to, 6, rng_b) ? 1 : 0;
  }
  EXPECT_LT(same, 5);
}

}  // namespace
}  // namespace corelane::ipv4
