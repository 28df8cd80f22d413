#include "dataplane/steering/spsc_ring.h"

#include <thread>

#include "gtest/gtest.h"

namespace corelane::dataplane {
namespace {

TEST(SpscRingTest, ShowsWhatWasPublished) {
  SpscRing<int> ring(4);
  EXPECT_FALSE(ring.Publish());
  EXPECT_TRUE(ring.Push(1));
  EXPECT_EQ(ring.Available(), 0u);
  EXPECT_TRUE(ring.Publish());
  EXPECT_FALSE(ring.Publish());
  ASSERT_EQ(ring.Available(), 1u);
  EXPECT_EQ(ring.At(0), 1);
}

TEST(SpscRingTest, RefusesWhatItHasNoRoomFor) {
  SpscRing<int> ring(4);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.Push(i));
    EXPECT_EQ(ring.Room(), 0u);
    EXPECT_FALSE(ring.Push(4));
    ring.Publish();
    ASSERT_EQ(ring.Available(), 4u);
    ring.Pop(2);
    EXPECT_EQ(ring.Room(), 2u);
    ASSERT_EQ(ring.Available(), 2u);
    EXPECT_EQ(ring.At(0), 2);
    EXPECT_EQ(ring.At(1), 3);
    ring.Pop(2);
  }
}

TEST(SpscRingTest, KeepsTheOrderBetweenThreads) {
  constexpr uint32_t kItems = 200'000;
  SpscRing<uint32_t> ring(64);
  std::thread producer([&] {
    for (uint32_t i = 0; i < kItems;) {
      uint32_t batch = 0;
      while (batch < 7 && i < kItems && ring.Push(i)) ++i, ++batch;
      if (!ring.Publish()) std::this_thread::yield();
    }
  });
  uint32_t expected = 0;
  while (expected < kItems) {
    const uint32_t n = ring.Available();
    for (uint32_t i = 0; i < n; ++i) ASSERT_EQ(ring.At(i), expected++);
    if (n > 0) {
      ring.Pop(n);
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
}

}  // namespace
}  // namespace corelane::dataplane
