// Limits of challenge ACKs (RFC 5961 section 7).
#include <gtest/gtest.h>

#include "proto/tcp/ack.h"

namespace corelane::tcp {
namespace {

TEST(ChallengeAck, ConnectionsAreLimitedEachForItself) {
  const Config config;
  Counters counters;
  ControlBlock a, b;
  const auto at = [&](Duration t) {
    return Context{config, counters, Now(kTimeZero + t)};
  };
  EXPECT_TRUE(AllowChallengeAck(a, at(1s)));
  EXPECT_FALSE(AllowChallengeAck(a, at(1400ms)));
  EXPECT_TRUE(AllowChallengeAck(b, at(1400ms)));
  EXPECT_TRUE(AllowChallengeAck(a, at(1501ms)));
  EXPECT_EQ(counters.challenge_acks, 3u);
}

TEST(ChallengeAck, AllTogetherShareABudget) {
  const Config config;
  Counters counters;
  uint32_t budget = 2;
  const Context ctx{config, counters, Now(kTimeZero + 1s), &budget};
  ControlBlock blocks[4];
  EXPECT_TRUE(AllowChallengeAck(blocks[0], ctx));
  EXPECT_FALSE(AllowChallengeAck(blocks[0], ctx));  // costs nothing
  EXPECT_TRUE(AllowChallengeAck(blocks[1], ctx));
  EXPECT_FALSE(AllowChallengeAck(blocks[2], ctx));
  budget = 1;
  EXPECT_TRUE(AllowChallengeAck(blocks[2], ctx));
  EXPECT_FALSE(AllowChallengeAck(blocks[3], ctx));
  EXPECT_EQ(budget, 0u);
}

}  // namespace
}  // namespace corelane::tcp
