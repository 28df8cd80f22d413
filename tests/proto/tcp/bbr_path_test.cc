// What BBR makes of paths: fast, slow, changing, lossy.
#include <gtest/gtest.h>

#include "tests/proto/tcp/bbr_harness.h"

namespace corelane::tcp {
namespace {

using Phase = BbrPhase;

TEST(BbrPathTest, KeepsTheQueueShort) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  h.Run(2s);
  uint64_t sum = 0;
  uint64_t count = 0;
  h.Run(10s, [&] {
    sum += Pipe(h.cb, h.tx);
    ++count;
  });
  EXPECT_LT(sum / count, h.Bdp() * 16 / 10);
}

TEST(BbrPathTest, AppLimitedStaysInStartup) {
  BbrHarness h;
  h.rate = 2'000'000;
  h.Start();
  const uint64_t first = h.bbr.pacing_rate;
  for (int i = 0; i < 50; ++i) {
    h.Write(4'000);
    h.Run(100ms);
    ASSERT_EQ(h.bbr.phase, Phase::kStartup);
    ASSERT_GE(h.bbr.pacing_rate, first);
  }
  EXPECT_FALSE(h.bbr.filled_pipe);
  h.Saturate();
  h.Run(1s);
  EXPECT_GT(h.Goodput(2s), 1'800'000u);
}

TEST(BbrPathTest, AppLimitedKeepsTheBandwidth) {
  BbrHarness h;
  h.Start();
  h.Saturate();
  h.Run(3s);
  h.Starve();
  h.Run(1s);
  for (int i = 0; i < 60; ++i) {
    h.Write(2'000);
    h.Run(150ms);
  }
  EXPECT_NEAR(static_cast<double>(h.bbr.bw), 1e6, 1e5);
  // And goes on with it at once, without the burst of a window.
  const size_t departed = h.departures.size();
  const uint64_t before = h.received;
  h.Saturate();
  h.Run(100ms);
  EXPECT_GT(h.received - before, 60'000u);
  EXPECT_LT(h.departures.size() - departed, 130u);
}

TEST(BbrPathTest, BandwidthTenfold) {
  BbrHarness h;
  h.rate = 100'000;
  h.Start();
  h.Saturate();
  h.Run(4s);
  h.rate = 1'000'000;
  h.Run(15s);
  EXPECT_GT(h.Goodput(3s), 850'000u);
}

TEST(BbrPathTest, BandwidthOneTenth) {
  BbrHarness h;
  h.rate = 2'000'000;
  h.Start();
  h.Saturate();
  h.Run(5s);
  h.rate = 200'000;
  h.Run(15s);
  EXPECT_NEAR(static_cast<double>(h.bbr.bw), 2e5, 3e4);
  const uint64_t before = h.dropped;
  EXPECT_GT(h.Goodput(10s), 180'000u);
  EXPECT_LT(h.dropped - before, 100u);
}

struct Loss {
  uint32_t per_thousand;
  uint32_t least_percent;  // of the link's rate that is used nevertheless
};
class BbrLossTest : public ::testing::TestWithParam<Loss> {};
INSTANTIATE_TEST_SUITE_P(Random, BbrLossTest,
                         ::testing::Values(Loss{1, 93}, Loss{5, 85},
                                           Loss{10, 75}, Loss{20, 60}));

TEST_P(BbrLossTest, HoldsTheRate) {
  BbrHarness h;
  h.delay = 20ms;
  h.queue = 200'000;
  uint32_t state = 12345;
  h.lose = [&](uint64_t) {
    state = state * 1664525 + 1013904223;
    return (state >> 16) % 1000 < GetParam().per_thousand;
  };
  h.Start();
  h.Saturate();
  h.Run(2s);
  EXPECT_GT(h.Goodput(8s), h.rate * GetParam().least_percent / 100);
}

TEST(BbrPathTest, WithoutSack) {
  BbrHarness h;
  h.cb.flags &= ~kSack;
  uint32_t count = 0;
  h.lose = [&](uint64_t) { return ++count % 400 == 0; };
  h.Start();
  h.Saturate();
  h.Run(3s);
  EXPECT_GT(h.Goodput(10s), 600'000u);
}

TEST(BbrPathTest, SmallestPaths) {
  BbrHarness h;
  h.rate = 5'000;  // less than a segment per round trip
  h.queue = 20'000;
  h.Start();
  h.Saturate();
  h.Run(30s);
  EXPECT_GT(h.Goodput(60s), 4'000u);
}

TEST(BbrPathTest, ReorderingIsNoLoss) {
  BbrHarness h;
  h.late = [](uint64_t n) { return n % 10 == 0 ? Duration(3ms) : Duration(0); };
  h.Start();
  h.Saturate();
  h.Run(3s);
  EXPECT_GT(h.Goodput(10s), 930'000u);
}

TEST(BbrPathTest, TheSameEachTime) {
  uint64_t segments[2];
  uint64_t rates[2];
  for (int i = 0; i < 2; ++i) {
    BbrHarness h;
    uint32_t count = 0;
    h.lose = [&](uint64_t) { return ++count % 97 == 0; };
    h.Start();
    h.Saturate();
    h.Run(8s);
    segments[i] = h.segments;
    rates[i] = h.bbr.pacing_rate;
  }
  EXPECT_EQ(segments[0], segments[1]);
  EXPECT_EQ(rates[0], rates[1]);
}

}  // namespace
}  // namespace corelane::tcp
