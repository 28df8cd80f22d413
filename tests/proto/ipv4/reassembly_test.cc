#include "proto/ipv4/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "proto/base/rng.h"
#include "proto/ipv4/fragmentation.h"

namespace corelane::ipv4 {
namespace {

using Status = FragmentStatus;

FragmentKey KeyOf(uint32_t source, uint16_t id) {
  return {Ipv4Address(0x0a000000 + source), Ipv4Address(10, 9, 9, 9), id, 17};
}

class ReassemblyTest : public testing::Test {
 protected:
  explicit ReassemblyTest(const ReassemblyLimits& limits = {})
      : limits_(limits), reassembly_(limits, SipKey{1, 2}) {}

  AddResult AddFor(const FragmentKey& key, uint16_t offset, uint16_t length,
                   bool more) {
    const AddResult result =
        reassembly_.Add(key, {++handles_, offset, length, more}, now_);
    if (result.status == Status::kHeld || result.status == Status::kComplete) {
      held_.insert(handles_);
    }
    if (result.status != Status::kComplete) {
      EXPECT_TRUE(reassembly_.CheckInvariants());
    }
    return result;
  }
  Status Add(uint16_t offset, uint16_t length, bool more) {
    last_ = AddFor(key_, offset, length, more);
    return last_.status;
  }
  // Fetches released handles: each must be one that was held.
  std::vector<Released> Drain() {
    std::vector<Released> all;
    for (Released r; reassembly_.PopReleased(r);) {
      EXPECT_EQ(held_.erase(r.handle), 1u);
      all.push_back(r);
    }
    return all;
  }
  void FinishAndCheck(uint16_t length) {
    ASSERT_EQ(last_.status, Status::kComplete);
    EXPECT_EQ(reassembly_.PayloadLength(last_.datagram), length);
    uint32_t next = 0;
    for (uint32_t i = reassembly_.First(last_.datagram); i != Reassembly::kNone;
         i = reassembly_.Next(i)) {
      EXPECT_EQ(reassembly_.At(i).offset, next);
      next += reassembly_.At(i).length;
    }
    EXPECT_EQ(next, length);
    reassembly_.Finish(last_.datagram);
    for (const Released& r : Drain()) {
      EXPECT_EQ(r.reason, ReleaseReason::kFinished);
    }
    EXPECT_TRUE(held_.empty());
    EXPECT_EQ(reassembly_.held_fragments(), 0u);
    EXPECT_EQ(reassembly_.held_datagrams(), 0u);
    EXPECT_TRUE(reassembly_.CheckInvariants());
  }

  ReassemblyLimits limits_;
  Reassembly reassembly_;
  FragmentKey key_ = KeyOf(1, 7);
  Time now_ = kTimeZero + 1h;
  uint64_t handles_ = 0;
  std::set<uint64_t> held_;
  AddResult last_;
};

TEST_F(ReassemblyTest, InOrder) {
  EXPECT_EQ(Add(0, 1480, true), Status::kHeld);
  EXPECT_EQ(Add(1480, 1480, true), Status::kHeld);
  EXPECT_EQ(Add(2960, 100, false), Status::kComplete);
  FinishAndCheck(3060);
}

TEST_F(ReassemblyTest, EveryOrderOfFive) {
  std::vector<int> order = {0, 1, 2, 3, 4};
  do {
    for (size_t i = 0; i < order.size(); ++i) {
      const int n = order[i];
      const Status status =
          Add(static_cast<uint16_t>(n * 8), n == 4 ? 3 : 8, n != 4);
      EXPECT_EQ(status, i == 4 ? Status::kComplete : Status::kHeld);
    }
    FinishAndCheck(35);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(ReassemblyTest, LongestPing) {
  Fragmenter cut(65515, 1500);
  for (FragmentRange f; cut.Next(f);) {
    EXPECT_EQ(Add(f.offset, f.length, f.more),
              f.more ? Status::kHeld : Status::kComplete);
  }
  FinishAndCheck(65515);
}

TEST_F(ReassemblyTest, KeysAreKeptApart) {
  EXPECT_EQ(Add(0, 8, true), Status::kHeld);
  FragmentKey other = key_;
  other.id = 8;
  EXPECT_EQ(AddFor(other, 8, 8, false).status, Status::kHeld);
  other = key_;
  other.protocol = 1;
  EXPECT_EQ(AddFor(other, 8, 8, false).status, Status::kHeld);
  other = key_;
  other.source = Ipv4Address(10, 0, 0, 99);
  EXPECT_EQ(AddFor(other, 8, 8, false).status, Status::kHeld);
  EXPECT_EQ(Add(8, 8, false), Status::kComplete);
}

TEST_F(ReassemblyTest, RefusedAtOnce) {
  EXPECT_EQ(Add(0, 0, true), Status::kEmpty);
  EXPECT_EQ(Add(8, 0, false), Status::kEmpty);
  EXPECT_EQ(Add(0, 12, true), Status::kUnaligned);
  EXPECT_EQ(Add(12, 8, true), Status::kUnaligned);
  EXPECT_EQ(Add(65512, 4, false), Status::kPastEnd);
  EXPECT_EQ(Add(65528, 8, true), Status::kPastEnd);
  EXPECT_EQ(reassembly_.held_datagrams(), 0u);
  EXPECT_EQ(Add(65512, 3, false), Status::kHeld);
}

TEST_F(ReassemblyTest, ExactDuplicatesAreIgnored) {
  EXPECT_EQ(Add(0, 16, true), Status::kHeld);
  EXPECT_EQ(Add(0, 16, true), Status::kDuplicate);
  EXPECT_EQ(Add(32, 8, false), Status::kHeld);
  EXPECT_EQ(Add(32, 8, false), Status::kDuplicate);
  EXPECT_EQ(Add(0, 16, true), Status::kDuplicate);
  EXPECT_EQ(Add(16, 16, true), Status::kComplete);
  FinishAndCheck(40);
}

// Row 8: every shape of overlap with [16, 32), and what comes afterwards.
TEST_F(ReassemblyTest, OverlapDropsTheDatagramForGood) {
  const FragmentRange shapes[] = {
      {8, 16, true},    // into its front
      {24, 16, true},   // out of its back
      {8, 32, true},    // around it
      {24, 8, true},    // inside, at its end
      {16, 8, true},    // inside, at its start
      {16, 24, true},   // same start, longer
      {8, 24, true},    // same end, longer
      {16, 16, false},  // the same, but the last
  };
  uint16_t id = 100;
  for (const FragmentRange& f : shapes) {
    key_.id = id++;
    EXPECT_EQ(Add(16, 16, true), Status::kHeld);
    EXPECT_EQ(Add(f.offset, f.length, f.more), Status::kOverlap) << f.offset;
    const auto released = Drain();
    ASSERT_EQ(released.size(), 1u);
    EXPECT_EQ(released[0].reason, ReleaseReason::kMalformed);
    EXPECT_EQ(Add(0, 16, true), Status::kDroppedBefore);
    EXPECT_EQ(Add(32, 8, false), Status::kDroppedBefore);
    EXPECT_EQ(reassembly_.held_fragments(), 0u);
  }
  now_ += limits_.timeout;
  EXPECT_FALSE(reassembly_.Expire(now_));
  EXPECT_EQ(reassembly_.held_datagrams(), 0u);
  EXPECT_TRUE(Drain().empty());
}

TEST_F(ReassemblyTest, TwoEndsAreAConflict) {
  EXPECT_EQ(Add(32, 8, false), Status::kHeld);
  EXPECT_EQ(Add(48, 8, false), Status::kEndConflict);
  key_.id = 1000;
  EXPECT_EQ(Add(32, 8, false), Status::kHeld);
  EXPECT_EQ(Add(16, 8, false), Status::kEndConflict);
  key_.id = 1001;
  EXPECT_EQ(Add(32, 8, false), Status::kHeld);
  EXPECT_EQ(Add(40, 8, true), Status::kEndConflict);
  key_.id = 1002;
  EXPECT_EQ(Add(32, 8, true), Status::kHeld);
  EXPECT_EQ(Add(16, 8, false), Status::kEndConflict);
  EXPECT_EQ(Drain().size(), 4u);
}

TEST_F(ReassemblyTest, TooManyTinyFragments) {
  for (uint16_t i = 0; i < 64; ++i) {
    EXPECT_EQ(Add(static_cast<uint16_t>(i * 16), 8, true), Status::kHeld);
  }
  EXPECT_EQ(Add(64 * 16, 8, true), Status::kTooMany);
  EXPECT_EQ(Drain().size(), 64u);
  for (uint16_t i = 65; i < 8000; ++i) {
    EXPECT_EQ(AddFor(key_, static_cast<uint16_t>(i * 8), 8, true).status,
              Status::kDroppedBefore);
  }
}

TEST_F(ReassemblyTest, TimeoutGivesTheFirstFragmentBack) {
  EXPECT_EQ(Add(0, 8, true), Status::kHeld);
  now_ += 10s;
  EXPECT_EQ(Add(8, 8, true), Status::kHeld);
  EXPECT_EQ(reassembly_.NextDeadline(), now_ + 5s);
  now_ += 5s - 1ns;
  EXPECT_FALSE(reassembly_.Expire(now_));
  EXPECT_TRUE(Drain().empty());
  now_ += 1ns;
  EXPECT_FALSE(reassembly_.Expire(now_));
  const auto released = Drain();
  ASSERT_EQ(released.size(), 2u);
  EXPECT_TRUE(released[0].first);
  EXPECT_EQ(released[0].reason, ReleaseReason::kTimeout);
  EXPECT_FALSE(released[1].first);
  EXPECT_EQ(reassembly_.NextDeadline(), kTimeNever);
}

TEST_F(ReassemblyTest, OneSourceHasItsShare) {
  for (uint16_t id = 0; id < 200; ++id) {
    EXPECT_EQ(AddFor(KeyOf(1, id), 0, 8, true).status, Status::kHeld);
    Drain();
  }
  EXPECT_EQ(reassembly_.held_datagrams(), 64u);
  // The newest are there.
  EXPECT_EQ(AddFor(KeyOf(1, 199), 8, 8, false).status, Status::kComplete);
}

TEST_F(ReassemblyTest, FlushReleasesEverything) {
  for (uint32_t i = 0; i < 100; ++i) AddFor(KeyOf(i, 1), 0, 8, true);
  reassembly_.Flush();
  EXPECT_EQ(Drain().size(), 100u);
  EXPECT_TRUE(held_.empty());
}

class SmallReassemblyTest : public ReassemblyTest {
 protected:
  SmallReassemblyTest()
      : ReassemblyTest({.max_datagrams = 8,
                        .max_fragments = 16,
                        .max_fragments_per_datagram = 12,
                        .max_datagrams_per_source = 4}) {}
};

TEST_F(SmallReassemblyTest, OldestGivesWay) {
  for (uint32_t i = 0; i < 8; ++i) AddFor(KeyOf(i, 1), 0, 8, true);
  EXPECT_TRUE(Drain().empty());
  AddFor(KeyOf(8, 1), 0, 8, true);
  const auto released = Drain();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].handle, 1u);
  EXPECT_EQ(released[0].reason, ReleaseReason::kEvicted);
}

TEST_F(SmallReassemblyTest, ADatagramDoesNotEvictItself) {
  for (uint16_t i = 0; i < 12; ++i) {
    EXPECT_EQ(Add(static_cast<uint16_t>(i * 8), 8, true), Status::kHeld);
  }
  for (uint16_t i = 0; i < 4; ++i) {
    EXPECT_EQ(AddFor(KeyOf(2, 1), static_cast<uint16_t>(i * 8), 8, true).status,
              Status::kHeld);
  }
  // Full. The next fragment of the second datagram evicts the first one.
  EXPECT_EQ(AddFor(KeyOf(2, 1), 32, 8, true).status, Status::kHeld);
  EXPECT_EQ(Drain().size(), 12u);
  for (uint16_t i = 5; i < 12; ++i) {
    AddFor(KeyOf(2, 1), static_cast<uint16_t>(i * 8), 8, true);
  }
  EXPECT_EQ(AddFor(KeyOf(2, 1), 96, 8, true).status, Status::kTooMany);
}

// Row 9: a million first fragments of as many datagrams.
TEST_F(ReassemblyTest, FragmentFloodIsBoundedAndFreed) {
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    now_ += 1us;
    const AddResult result =
        reassembly_.Add(KeyOf(i % 10'000, static_cast<uint16_t>(i / 10'000)),
                        {i, 0, 8, true}, now_);
    ASSERT_EQ(result.status, Status::kHeld);
    Released r;
    int released = 0;
    while (reassembly_.PopReleased(r)) ++released;
    ASSERT_LE(released, 1);
  }
  EXPECT_LE(reassembly_.held_datagrams(), limits_.max_datagrams);
  EXPECT_TRUE(reassembly_.CheckInvariants());
  now_ += 30s;
  while (reassembly_.Expire(now_)) {
    for (Released r; reassembly_.PopReleased(r);) {
    }
  }
  for (Released r; reassembly_.PopReleased(r);) {
  }
  EXPECT_EQ(reassembly_.held_fragments(), 0u);
  EXPECT_EQ(reassembly_.held_datagrams(), 0u);
}

// A caller that does not fetch what was released runs dry, and no worse.
TEST_F(SmallReassemblyTest, UnfetchedHandlesExhaustThePool) {
  Status status = Status::kHeld;
  for (uint32_t i = 0; i < 1000 && status == Status::kHeld; ++i) {
    status = AddFor(KeyOf(i, 1), 0, 8, true).status;
  }
  EXPECT_EQ(status, Status::kNoSpace);
  Drain();
  EXPECT_EQ(AddFor(KeyOf(5000, 1), 0, 8, true).status, Status::kHeld);
}

// Random cuts, interleaved, shuffled and partly lost: what completes is right,
// and every handle comes back exactly once.
TEST_F(ReassemblyTest, RandomDatagrams) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    struct Piece {
      FragmentKey key;
      FragmentRange range;
      uint16_t total;
    };
    std::vector<Piece> pieces;
    for (uint16_t id = 0; id < 20; ++id) {
      const auto total = static_cast<uint16_t>(1 + rng.Below(9000));
      Fragmenter cut(total, static_cast<uint16_t>(300 + rng.Below(1200)));
      for (FragmentRange f; cut.Next(f);) {
        if (!rng.ChancePpm(20'000)) pieces.push_back({KeyOf(1, id), f, total});
        if (rng.ChancePpm(50'000)) pieces.push_back({KeyOf(1, id), f, total});
      }
    }
    std::shuffle(pieces.begin(), pieces.end(), rng);
    for (const Piece& p : pieces) {
      last_ = AddFor(p.key, p.range.offset, p.range.length, p.range.more);
      if (last_.status == Status::kComplete) {
        ASSERT_EQ(reassembly_.PayloadLength(last_.datagram), p.total);
        reassembly_.Finish(last_.datagram);
      } else {
        ASSERT_TRUE(last_.status == Status::kHeld ||
                    last_.status == Status::kDuplicate);
      }
      Drain();
    }
    now_ += 1min;
    while (reassembly_.Expire(now_)) Drain();
    Drain();
    ASSERT_TRUE(held_.empty());
  }
}

}  // namespace
}  // namespace corelane::ipv4
