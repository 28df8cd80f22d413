#include "dataplane/runtime/port_spread.h"

#include <array>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pmd/rss.h"

namespace corelane::runtime {
namespace {

using testing::HasSubstr;

const std::vector<uint8_t> kOwnKey(40, 0x11);

pmd::PortCaps WithRss(uint8_t key, size_t table, uint16_t queues) {
  pmd::PortCaps caps;
  caps.queues = queues;
  caps.rss.key.assign(40, key);
  for (size_t i = 0; i < table; ++i) {
    caps.rss.queue_of.push_back(static_cast<uint16_t>(i % queues));
  }
  return caps;
}

pmd::PortCaps WithoutRss(uint16_t queues, const char* why) {
  pmd::PortCaps caps;
  caps.queues = queues;
  caps.no_rss = why;
  return caps;
}

TEST(PortSpreadTest, FollowsTheDevice) {
  const std::vector<pmd::PortCaps> ports = {WithRss(0x42, 128, 4)};
  const SpreadPlan plan = PlanSpread(ports, 4, kOwnKey);
  EXPECT_TRUE(plan.ports[0].by_device);
  EXPECT_EQ(plan.key, ports[0].rss.key);
  EXPECT_EQ(plan.core_of, ports[0].rss.queue_of);
  EXPECT_EQ(plan.SharesOf(3)[0].sender, 3);
  EXPECT_TRUE(plan.SharesOf(3)[0].device_spreads);
}

TEST(PortSpreadTest, SteersWhereTheDeviceDoesNot) {
  const std::vector<pmd::PortCaps> ports = {
      WithoutRss(1, "fewer queues than cores (1 of 3)"),
      WithoutRss(3, "the device has no RSS")};
  const SpreadPlan plan = PlanSpread(ports, 3, kOwnKey);
  EXPECT_FALSE(plan.ports[0].by_device);
  EXPECT_THAT(plan.ports[0].text, HasSubstr("1 of 3"));
  EXPECT_THAT(plan.ports[1].text, HasSubstr("in software: the device has no"));
  EXPECT_EQ(plan.key, kOwnKey);
  EXPECT_EQ(plan.SharesOf(2)[0].sender, 0);
  EXPECT_EQ(plan.SharesOf(2)[1].sender, 2);
}

TEST(PortSpreadTest, PortsMustAgree) {
  // The same queues from tables of two sizes; another key; a skewed table.
  std::vector<pmd::PortCaps> ports = {
      WithRss(0x42, 128, 2), WithRss(0x42, 512, 2), WithRss(0x43, 128, 2),
      WithRss(0x42, 128, 2)};
  ports[3].rss.queue_of[5] = 0;
  const SpreadPlan plan = PlanSpread(ports, 2, kOwnKey);
  EXPECT_TRUE(plan.ports[0].by_device);
  EXPECT_TRUE(plan.ports[1].by_device);
  EXPECT_FALSE(plan.ports[2].by_device);
  EXPECT_FALSE(plan.ports[3].by_device);
  EXPECT_THAT(plan.ports[3].text, HasSubstr("differs"));
}

TEST(PortSpreadTest, OneCoreHasItAll) {
  const std::vector<pmd::PortCaps> ports = {WithoutRss(1, "")};
  EXPECT_EQ(PlanSpread(ports, 1, kOwnKey).ports[0].text,
            "one core has them all");
}

// Whatever the peer is, every core finds ports that lead to it.
TEST(PortSpreadTest, EveryCoreHasItsShareOfPorts) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const std::vector<uint8_t> key = pmd::RandomRssKey(rng);
    std::vector<uint16_t> table(512);
    for (size_t i = 0; i < 512; ++i) table[i] = static_cast<uint16_t>(i % 4);
    const dataplane::FlowMap map({key.data(), key.size()}, table);
    const tcp::FlowKey flow{rng.Next32(), rng.Next32(), 0, 443};
    std::array<uint32_t, 4> count{};
    const uint32_t base = map.BaseOf(flow);
    for (uint32_t port = 32768; port < 65536; ++port) {
      ++count[map.OwnerAt(base, static_cast<uint16_t>(port))];
    }
    for (uint32_t n : count) EXPECT_EQ(n, 8192u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace corelane::runtime
