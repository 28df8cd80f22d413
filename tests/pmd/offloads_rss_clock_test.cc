#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "pmd/clock.h"
#include "pmd/offloads.h"
#include "pmd/rss.h"

namespace corelane::pmd {
namespace {

TEST(Offloads, TakesWhatIsWantedAndOffered) {
  const OffloadMasks all = {~uint64_t{0}, ~uint64_t{0}};
  const OffloadMasks chosen = ChooseOffloads(all, false);
  EXPECT_EQ(chosen.tx & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, 0u);
  EXPECT_EQ(chosen.rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP, 0u);
  EXPECT_FALSE(DescribeOffloads(chosen).rx_scatter);
  EXPECT_TRUE(DescribeOffloads(ChooseOffloads(all, true)).rx_scatter);
  EXPECT_EQ(ToString(DescribeOffloads(chosen)),
            "rx cksum ip,tcp,udp; tx cksum ip,tcp,udp; multi-segment; tso; "
            "in software: nothing");
  EXPECT_FALSE(DescribeOffloads(ChooseOffloads(all, true, false)).tx_tcp_tso);
}

TEST(Offloads, TsoNeedsChainsAndSums) {
  for (const uint64_t lacking :
       {RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, RTE_ETH_TX_OFFLOAD_TCP_CKSUM,
        RTE_ETH_TX_OFFLOAD_MULTI_SEGS}) {
    const OffloadMasks most = {~uint64_t{0}, ~lacking};
    EXPECT_FALSE(DescribeOffloads(ChooseOffloads(most, false)).tx_tcp_tso);
  }
}

TEST(Offloads, NamesWhatIsLeftToSoftware) {
  const OffloadMasks some = {
      RTE_ETH_RX_OFFLOAD_TCP_CKSUM,
      RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM};
  EXPECT_EQ(ToString(DescribeOffloads(ChooseOffloads(some, false))),
            "rx cksum tcp; tx cksum ip,tcp; in software: rx ip,udp, tx udp, "
            "joining segments");
  EXPECT_EQ(ToString(Offloads{}),
            "in software: rx ip,tcp,udp, tx ip,tcp,udp, joining segments");
}

TEST(Offloads, NothingElseIsMappedForANic) {
  EXPECT_TRUE(SendsAnyMemory("net_tap"));
  EXPECT_TRUE(SendsAnyMemory("net_memif"));
  EXPECT_FALSE(SendsAnyMemory("net_virtio_user"));
  EXPECT_FALSE(SendsAnyMemory("net_ixgbe"));
  EXPECT_FALSE(SendsAnyMemory(""));
}

TEST(Rss, RandomKeysHaveFullRank) {
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(IsFullRankRssKey(RandomRssKey(rng)));
  }
  EXPECT_EQ(RandomRssKey(rng, 52).size(), 52u);
}

TEST(Rss, DegenerateKeysDoNot) {
  EXPECT_FALSE(IsFullRankRssKey(std::vector<uint8_t>(40, 0)));
  EXPECT_FALSE(IsFullRankRssKey(std::vector<uint8_t>(39, 1)));
  std::vector<uint8_t> symmetric;
  for (int i = 0; i < 20; ++i) {
    symmetric.push_back(0x6d);
    symmetric.push_back(0x5a);
  }
  EXPECT_FALSE(IsFullRankRssKey(symmetric));
}

constexpr uint64_t kHz = 2'450'000'000;

TEST(Clock, StaysExactForYears) {
  const Clock clock(kHz, 1000, 0);
  EXPECT_EQ(clock.At(1000), kTimeZero);
  // Truncated, never rounded up.
  EXPECT_EQ(clock.At(1000 + kHz) - kTimeZero, 1s - 1ns);
  const uint64_t year = 31'536'000;  // seconds
  const Duration error = clock.At(1000 + kHz * year) - kTimeZero - 1s * year;
  EXPECT_LE(std::chrono::abs(error), 2ns);
}

TEST(Clock, CorrectionBendsTheRateWithoutAJump) {
  // A counter that really runs 0.2 % slower than DPDK believes.
  const uint64_t real_hz = kHz - kHz / 500;
  Clock clock(kHz, 0, 0);
  const Time before = clock.At(10 * real_hz);
  clock.Correct(10 * real_hz, 10'000'000'000);
  EXPECT_EQ(clock.At(10 * real_hz), before);
  const Duration hour = clock.At(3610 * real_hz) - before;
  EXPECT_LE(std::chrono::abs(hour - 1h), 10us);
}

TEST(Clock, TooEarlyACorrectionIsIgnored) {
  Clock clock(kHz, 0, 0);
  clock.Correct(kHz / 2, 900'000'000);
  EXPECT_EQ(clock.At(kHz) - kTimeZero, 1s - 1ns);
}

// Times go from core to core with a connection.
TEST(ClockTest, CoresThatFollowAgreeWithTheOneThatCorrects) {
  SharedClock shared(Clock(kHz, 0, 0));
  Clock leader = shared.original();
  Clock follower = shared.original();
  const uint64_t tsc = 10 * kHz;
  EXPECT_EQ(leader.At(tsc), follower.At(tsc));
  leader.Correct(tsc, 11'000'000'000);
  EXPECT_NE(leader.At(2 * tsc), follower.At(2 * tsc));
  const Clock::Line* before = shared.current();
  shared.Publish(leader);
  EXPECT_NE(shared.current(), before);
  follower.Adopt(*shared.current());
  EXPECT_EQ(leader.At(tsc), follower.At(tsc));
  EXPECT_EQ(leader.At(2 * tsc), follower.At(2 * tsc));
}

}  // namespace
}  // namespace corelane::pmd
