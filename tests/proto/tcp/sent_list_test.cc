#include "proto/tcp/sent_list.h"

#include "gtest/gtest.h"

namespace corelane::tcp {
namespace {

constexpr uint32_t kMss = 100;

// A scoreboard full of runs of one segment each.
class FullSentListTest : public ::testing::Test {
 protected:
  FullSentListTest() {
    for (uint32_t i = 1; i <= SendState::kMaxRanges; ++i) {
      tx_.Set(kRunSealed);
      EXPECT_TRUE(list_.Append(una_ + i * kMss, i * 1000, 0));
    }
    EXPECT_EQ(list_.size(), SendState::kMaxRanges);
  }

  SendState tx_;
  const SeqNum una_{1000};
  const SeqNum end_ = una_ + SendState::kMaxRanges * kMss;
  SentList list_{tx_, una_};
};

TEST_F(FullSentListTest, NewDataHasRoomWhenAllIsLost) {
  list_.MarkAllLost();
  tx_.Set(kRunSealed);
  EXPECT_TRUE(list_.Append(end_ + kMss, 1'000'000, 0));
  EXPECT_EQ(tx_.lost_bytes, SendState::kMaxRanges * kMss);
}

TEST_F(FullSentListTest, ResendingAPartLeavesTheRestLost) {
  list_.MarkAllLost();
  list_.Resend(0, kMss / 2, 1'000'000);
  EXPECT_EQ(tx_.lost_bytes, SendState::kMaxRanges * kMss - kMss / 2);
  EXPECT_EQ(list_[0].end, una_ + kMss / 2);
  EXPECT_EQ(list_[0].fate, SentRange::Fate::kInFlight);
  EXPECT_EQ(list_[1].fate, SentRange::Fate::kLost);
}

TEST_F(FullSentListTest, LostAndUnderWayStayApart) {
  for (uint32_t i = 0; i < SendState::kMaxRanges; i += 2) list_.MarkLost(i);
  tx_.Set(kRunSealed);
  EXPECT_FALSE(list_.Append(end_ + kMss, 1'000'000, 0));
  EXPECT_EQ(tx_.lost_bytes, SendState::kMaxRanges / 2 * kMss);
}

}  // namespace
}  // namespace corelane::tcp
