#include "dataplane/flow/slab.h"

#include <gtest/gtest.h>

#include <set>

#include "dataplane/flow/index_list.h"
#include "proto/base/rng.h"

namespace corelane::dataplane {
namespace {

struct Record {
  uint32_t value;
  uint32_t next;
  uint32_t prev;
};

TEST(Slab, GivesEveryIndexOnceAndRecordsThatAreBlank) {
  Slab<Record> slab(10);
  std::set<uint32_t> seen;
  for (int i = 0; i < 10; ++i) {
    const uint32_t index = slab.Allocate();
    ASSERT_LT(index, 10u);
    EXPECT_EQ(slab[index].value, 0u);
    slab[index].value = 7;
    EXPECT_TRUE(seen.insert(index).second);
  }
  EXPECT_EQ(slab.Allocate(), kNoIndex);
  EXPECT_EQ(slab.in_use(), 10u);
  slab.Free(4);
  EXPECT_EQ(slab.in_use(), 9u);
  EXPECT_EQ(slab.Allocate(), 4u);
  EXPECT_EQ(slab[4].value, 0u);
}

TEST(Slab, ReusesTheRecordFreedLast) {
  Slab<Record> slab(10);
  for (int i = 0; i < 5; ++i) slab.Allocate();
  slab.Free(1);
  slab.Free(3);
  EXPECT_EQ(slab.Allocate(), 3u);
  EXPECT_EQ(slab.Allocate(), 1u);
  EXPECT_EQ(slab.Allocate(), 5u);
  EXPECT_EQ(slab.high_water(), 6u);
}

TEST(Slab, RandomHistoryAgainstASet) {
  Slab<Record> slab(100);
  std::set<uint32_t> used;
  Rng rng(3);
  for (int step = 0; step < 10'000; ++step) {
    if (rng.Below(2) == 0) {
      const uint32_t index = slab.Allocate();
      ASSERT_EQ(index == kNoIndex, used.size() == 100);
      if (index != kNoIndex) {
        ASSERT_TRUE(used.insert(index).second);
      }
    } else if (!used.empty()) {
      auto it = used.lower_bound(rng.Below(100));
      if (it == used.end()) it = used.begin();
      slab.Free(*it);
      used.erase(it);
    }
    ASSERT_EQ(slab.in_use(), used.size());
  }
}

TEST(IndexList, KeepsTheOrderUnderRemovals) {
  Slab<Record> slab(50);
  IndexList<Record> list;
  std::vector<uint32_t> model;
  Rng rng(9);
  for (int step = 0; step < 5'000; ++step) {
    if (rng.Below(2) == 0) {
      const uint32_t index = slab.Allocate();
      if (index == kNoIndex) continue;
      list.PushBack(slab, index);
      model.push_back(index);
    } else if (!model.empty()) {
      const uint32_t at = rng.Below(static_cast<uint32_t>(model.size()));
      list.Remove(slab, model[at]);
      slab.Free(model[at]);
      model.erase(model.begin() + at);
    }
    ASSERT_EQ(list.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(list.front(), model.front());
    }
    std::vector<uint32_t> walked;
    for (uint32_t i = list.front(); i != kNoIndex; i = slab[i].next) {
      walked.push_back(i);
    }
    ASSERT_EQ(walked, model);
  }
}

}  // namespace
}  // namespace corelane::dataplane
