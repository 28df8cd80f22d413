#include "proto/base/sequence.h"

#include <gtest/gtest.h>

namespace corelane {
namespace {

TEST(SequenceTest, OrderAcrossTheWrap) {
  const SeqNum before(0xfffffff0);
  const SeqNum after = before + 0x20;
  EXPECT_EQ(after.value(), 0x10u);
  EXPECT_LT(before, after);
  EXPECT_GT(after, before);
  EXPECT_LE(before, before);
  EXPECT_GE(after, before);
  EXPECT_NE(before, after);
  EXPECT_EQ(after - before, 0x20u);
  EXPECT_EQ(after - 0x20, before);
  EXPECT_EQ(SeqMax(before, after), after);
  EXPECT_EQ(SeqMin(before, after), before);
}

TEST(SequenceTest, HalfTheSpaceIsTheLimit) {
  const SeqNum zero(0);
  EXPECT_LT(zero, SeqNum(0x7fffffff));
  EXPECT_GT(zero, SeqNum(0x80000001));
}

TEST(SequenceTest, WindowAcrossTheWrap) {
  const SeqNum start(0xffffff00);
  EXPECT_TRUE(InWindow(start, start, 1));
  EXPECT_FALSE(InWindow(start, start, 0));
  EXPECT_TRUE(InWindow(SeqNum(0xff), start, 0x200));
  EXPECT_FALSE(InWindow(SeqNum(0x100), start, 0x200));
  EXPECT_FALSE(InWindow(start - 1, start, 0x200));
}

}  // namespace
}  // namespace corelane
