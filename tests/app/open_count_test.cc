#include "dataplane/load/open_count.h"

#include "gtest/gtest.h"

namespace corelane::dataplane {
namespace {

constexpr Time kStart = kTimeZero + 100s;

TEST(OpenCountTest, EachEndsOnce) {
  OpenCount count(300ms);
  count.Begin(kStart, kStart);
  count.Begin(kStart + 50ms, kStart + 50ms);
  EXPECT_EQ(count.open(), 2u);
  EXPECT_TRUE(count.End(kStart + 50ms));
  EXPECT_FALSE(count.End(kStart + 50ms));
  EXPECT_FALSE(count.End(kStart + 20ms));  // none was due then
  EXPECT_FALSE(count.End(kStart - 1s));
  EXPECT_FALSE(count.End(kStart + 1s));
  EXPECT_TRUE(count.EndAny());
  EXPECT_FALSE(count.EndAny());
  EXPECT_EQ(count.open(), 0u);
}

TEST(OpenCountTest, TheOldAreGivenUp) {
  OpenCount count(300ms);
  EXPECT_EQ(count.NextExpiry(), kTimeNever);
  for (int i = 0; i < 10; ++i) {
    count.Begin(kStart + i * 50ms, kStart + i * 50ms);
  }
  EXPECT_EQ(count.NextExpiry(), kStart + 300ms);
  EXPECT_EQ(count.Expire(kStart + 299ms), 0u);
  EXPECT_EQ(count.Expire(kStart + 301ms), 1u);
  EXPECT_EQ(count.Expire(kStart + 301ms), 0u);
  EXPECT_FALSE(count.End(kStart));  // too late
  EXPECT_EQ(count.Expire(kStart + 751ms), 9u);
  EXPECT_EQ(count.open(), 0u);
  // Long after.
  count.Begin(kStart + 24h, kStart + 24h);
  EXPECT_EQ(count.Expire(kStart + 24h), 0u);
  EXPECT_TRUE(count.End(kStart + 24h));
}

// What began late has as much time as others.
TEST(OpenCountTest, TimeoutsCountFromTheBeginning) {
  OpenCount count(300ms);
  for (int i = 0; i < 100; ++i) {
    count.Begin(kStart + i * 10ms, kStart + i * 10ms + 290ms);
    EXPECT_EQ(count.Expire(kStart + i * 10ms + 290ms), i < 30 ? 0u : 1u) << i;
  }
}

TEST(OpenCountTest, WhoNeverAsksWhatHasExpiredLosesNone) {
  OpenCount count(30ms);
  for (int i = 0; i < 1000; ++i) {
    count.Begin(kStart + i * 1ms, kStart + i * 1ms);
  }
  EXPECT_LE(count.open(), 64u);
  EXPECT_GE(count.open(), 30u);
  EXPECT_EQ(count.Expire(kStart + 2s), 1000u);
  EXPECT_EQ(count.open(), 0u);
}

}  // namespace
}  // namespace corelane::dataplane
