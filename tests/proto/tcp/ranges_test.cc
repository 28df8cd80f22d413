#include "proto/tcp/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "proto/base/rng.h"

namespace corelane::tcp {
namespace {

using Insertion = RangeSet::Insertion;

SeqNum S(uint32_t n) { return SeqNum(n); }

TEST(RangeSet, JoinsNeighbours) {
  RangeSet r;
  EXPECT_EQ(r.Insert(S(10), S(20)), Insertion::kAdded);
  EXPECT_EQ(r.Insert(S(30), S(40)), Insertion::kAdded);
  EXPECT_EQ(r.size(), 2u);
  EXPECT_EQ(r.Insert(S(20), S(30)), Insertion::kAdded);
  ASSERT_EQ(r.size(), 1u);
  EXPECT_EQ(r[0].start, S(10));
  EXPECT_EQ(r[0].end, S(40));
  EXPECT_EQ(r.Insert(S(15), S(40)), Insertion::kDuplicate);
}

TEST(RangeSet, TakesWhatFollows) {
  RangeSet r;
  r.Insert(S(10), S(20));
  r.Insert(S(30), S(40));
  EXPECT_EQ(r.TakeUpTo(S(5)), S(5));
  EXPECT_EQ(r.TakeUpTo(S(15)), S(20));
  EXPECT_EQ(r.size(), 1u);
  EXPECT_EQ(r.TakeUpTo(S(50)), S(50));
  EXPECT_TRUE(r.empty());
}

TEST(RangeSet, FullRefusesGapsButNotGrowth) {
  RangeSet r;
  for (uint32_t i = 0; i < RangeSet::kCapacity; ++i) {
    EXPECT_EQ(r.Insert(S(100 * i), S(100 * i + 10)), Insertion::kAdded);
  }
  EXPECT_EQ(r.Insert(S(50), S(60)), Insertion::kFull);
  EXPECT_EQ(r.Insert(S(5), S(10)), Insertion::kDuplicate);
  EXPECT_EQ(r.Insert(S(10), S(20)), Insertion::kAdded);
  EXPECT_EQ(r.Insert(S(0), S(5000)), Insertion::kAdded);
  EXPECT_EQ(r.size(), 1u);
}

// Against a set of all the numbers in it, at places where they wrap.
TEST(RangeSet, AgreesWithASet) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const uint32_t bases[] = {0, 0xfffffff0, 0x7ffffff0, rng.Next32()};
    const uint32_t base = bases[rng.Below(4)];
    RangeSet ranges;
    std::set<uint32_t> model;  // offsets from base
    uint32_t next = 0;
    for (int step = 0; step < 200; ++step) {
      if (rng.Below(10) == 0) {
        next += rng.Below(20);
        while (!model.empty() && *model.begin() <= next) {
          next = std::max(next, *model.begin() + 1);
          model.erase(model.begin());
        }
        ASSERT_EQ(ranges.TakeUpTo(S(base + next)), S(base + next));
      } else {
        const uint32_t start = next + 1 + rng.Below(400);
        const uint32_t end = start + 1 + rng.Below(30);
        const size_t before = model.size();
        const Insertion insertion =
            ranges.Insert(S(base + start), S(base + end));
        if (insertion == Insertion::kFull) {
          ASSERT_EQ(ranges.size(), RangeSet::kCapacity);
        } else {
          for (uint32_t i = start; i < end; ++i) model.insert(i);
          ASSERT_EQ(insertion == Insertion::kAdded, model.size() > before);
        }
      }
      std::set<uint32_t> held;
      for (size_t i = 0; i < ranges.size(); ++i) {
        if (i > 0) {
          ASSERT_LT(ranges[i - 1].end, ranges[i].start) << "not apart";
        }
        for (SeqNum s = ranges[i].start; s < ranges[i].end; s += 1) {
          held.insert(s - S(base));
        }
      }
      ASSERT_EQ(held, model);
    }
  }
}

}  // namespace
}  // namespace corelane::tcp
