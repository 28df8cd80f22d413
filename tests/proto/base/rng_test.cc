#include "proto/base/rng.h"

#include <gtest/gtest.h>

#include <array>

#include "proto/base/hash.h"

namespace corelane {
namespace {

TEST(RngTest, SameSeedSameRun) {
  Rng a(7);
  Rng b(7);
  Rng other_seed(8);
  Rng other_stream(7, 1);
  for (int i = 0; i < 100; ++i) {
    const uint64_t x = a.Next64();
    EXPECT_EQ(x, b.Next64());
    EXPECT_NE(x, other_seed.Next64());
    EXPECT_NE(x, other_stream.Next64());
  }
}

TEST(RngTest, BelowIsUniformAndInRange) {
  Rng rng(1);
  std::array<int, 10> seen{};
  for (int i = 0; i < 100'000; ++i) ++seen.at(rng.Below(10));
  for (const int n : seen) EXPECT_NEAR(n, 10'000, 500);
}

TEST(RngTest, BetweenIncludesBothEnds) {
  Rng rng(2);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const uint32_t x = rng.Between(5, 8);
    ASSERT_GE(x, 5u);
    ASSERT_LE(x, 8u);
    low |= x == 5;
    high |= x == 8;
  }
  EXPECT_TRUE(low);
  EXPECT_TRUE(high);
}

// From low to high over all 32 bits the range has 2^32 values, a bound that
// does not fit into 32 bits.
TEST(RngTest, BetweenOverTheWholeRange) {
  Rng rng(3);
  uint32_t ones = 0;
  for (int i = 0; i < 64; ++i) ones |= rng.Between(0, 0xffffffff);
  EXPECT_EQ(ones, 0xffffffffu);
}

TEST(RngTest, Chance) {
  Rng rng(4);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += rng.ChancePpm(100'000) ? 1 : 0;
  EXPECT_NEAR(hits, 10'000, 500);
  EXPECT_FALSE(rng.ChancePpm(0));
  EXPECT_TRUE(rng.ChancePpm(1'000'000));
}

// Neighbouring flows must not share buckets: 64k ports into 64k buckets hit
// about 63 % of them, as random values would.
TEST(FlowHashTest, SpreadsNeighbouringFlows) {
  const FlowHashKey key{0x243f6a8885a308d3, 0x13198a2e03707344};
  std::array<bool, 65536> low{};
  std::array<bool, 65536> high{};
  int low_hits = 0;
  int high_hits = 0;
  for (uint32_t port = 0; port < 65536; ++port) {
    const uint64_t h = FlowHash(key, 0x0a000001'0a000002, port << 16 | 80);
    if (!low.at(h & 0xffff)) ++low_hits;
    low.at(h & 0xffff) = true;
    if (!high.at(h >> 48)) ++high_hits;
    high.at(h >> 48) = true;
  }
  EXPECT_NEAR(low_hits, 41427, 700);
  EXPECT_NEAR(high_hits, 41427, 700);
}

}  // namespace
}  // namespace corelane
