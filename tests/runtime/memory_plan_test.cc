#include "dataplane/runtime/memory_plan.h"

#include "dataplane/packet/packet.h"
#include "gtest/gtest.h"

namespace corelane::runtime {
namespace {

TEST(MemoryPlanTest, HasPacketsForDevicesAndPayload) {
  const auto plan = PlanMemory({.ports = 2, .max_connections = 65536});
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(plan->packets, 2u * (kRxDescriptors + kTxDescriptors) + 32768);
  EXPECT_EQ(plan->data_room, dataplane::kPacketBufferSize);
  // One page each.
  EXPECT_GE(plan->memory_mb, plan->packets / 256);
}

TEST(MemoryPlanTest, HugePagesHoldMore) {
  MemoryDemand demand;
  demand.huge_pages = true;
  const auto tight = PlanMemory(demand);
  demand.huge_pages = false;
  const auto rounded = PlanMemory(demand);
  ASSERT_TRUE(tight.ok() && rounded.ok());
  EXPECT_EQ(tight->packets, rounded->packets);
  EXPECT_LT(tight->memory_mb, rounded->memory_mb);
}

TEST(MemoryPlanTest, FillsTheMemoryThatWasAskedFor) {
  MemoryDemand demand;
  uint32_t before = 0;
  for (uint32_t mb : {64u, 256u, 1024u, 1048576u}) {
    demand.memory_mb = mb;
    const auto plan = PlanMemory(demand);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->memory_mb, mb);
    EXPECT_GT(plan->packets, before);
    EXPECT_LE(uint64_t{plan->packets} * 4096, uint64_t{mb} << 20);
    before = plan->packets;
  }
}

TEST(MemoryPlanTest, NamesTheLeastThatWorks) {
  MemoryDemand demand = {.ports = 4, .memory_mb = 1};
  const auto refused = PlanMemory(demand);
  ASSERT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(refused.status().message());
  const size_t at = message.find("at least ");
  ASSERT_NE(at, std::string::npos) << message;
  demand.memory_mb = static_cast<uint32_t>(std::stoul(message.substr(at + 9)));
  EXPECT_TRUE(PlanMemory(demand).ok());
  --demand.memory_mb;
  EXPECT_FALSE(PlanMemory(demand).ok());
}

TEST(MemoryPlanTest, AFrameOfTheLargestPacketFitsOneBuffer) {
  for (uint16_t mtu : {576, 1500, 2026, 2027, 9000, 9216}) {
    const auto plan = PlanMemory({.mtu = mtu});
    ASSERT_TRUE(plan.ok());
    EXPECT_GE(plan->data_room, dataplane::kPacketHeadroom + mtu + 22);
  }
}

TEST(MemoryPlanTest, LimitsStayWithinBounds) {
  for (uint32_t n : {1u, 1000u, 65536u, kMaxConnections}) {
    const dataplane::TcpLimits limits = LimitsFor(n);
    EXPECT_EQ(limits.max_connections, n);
    EXPECT_GE(limits.max_requests, 256u);
    EXPECT_GE(limits.max_time_wait, 1024u);
    EXPECT_LE(limits.backlog, limits.max_requests);
  }
}

}  // namespace
}  // namespace corelane::runtime
