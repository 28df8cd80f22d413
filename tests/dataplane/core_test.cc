#include "dataplane/pipeline/core.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/sim/heap_packets.h"

namespace corelane::dataplane {
namespace {

// rule: RFC5961-7
TEST(Core, ChallengeBudgetIsDrawnAnewEachSecond) {
  sim::HeapPackets heap(64);
  PacketPool pool(heap.backend());
  Core core(&pool, Secrets::FromSeed(1), kTimeZero + 100s);
  std::set<uint32_t> seen;
  for (int second = 0; second < 50; ++second) {
    core.SetTime(kTimeZero + 100s + second * 1s);
    core.RefillChallenges();
    EXPECT_GE(core.challenge_budget, 500u);
    EXPECT_LE(core.challenge_budget, 1500u);
    seen.insert(core.challenge_budget);
    core.challenge_budget = 0;
    core.SetTime(kTimeZero + 100s + second * 1s + 999ms);
    core.RefillChallenges();
    EXPECT_EQ(core.challenge_budget, 0u);
  }
  EXPECT_GT(seen.size(), 40u);
}

}  // namespace
}  // namespace corelane::dataplane
