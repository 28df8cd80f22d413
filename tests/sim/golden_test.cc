// Behaviour that is meant to change only on purpose.
//
// A change of the stack that changes what goes over the wire changes the trace
// hashes; that it does shows that it was meant to. Make them anew with
//   build/release/tests/sim/corelane_swarm --golden --seeds 5
//       > tests/sim/golden_traces.txt
// and look at what one of the seeds does with --frames before and after. The
// table of goodput is golden_goodput.inc; a failure says what it wants there.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"

namespace corelane::sim {
namespace {

TEST(Golden, Traces) {
  std::ifstream file(std::string(CORELANE_SIM_DATA) + "/golden_traces.txt");
  ASSERT_TRUE(file.is_open());
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    uint64_t seed = 0;
    uint64_t hash = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%" SCNu64 " %" SCNx64, &seed, &hash),
              2)
        << line;
    const SwarmResult result = RunSeed(seed);
    EXPECT_EQ(result.failure, "");
    EXPECT_EQ(absl::StrFormat("%d %016x", seed, result.trace_hash), line);
    ++lines;
  }
  EXPECT_GE(lines, 5);
}

TEST(Golden, SameSeedSameTrace) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const SwarmResult first = RunSeed(seed);
    const SwarmResult second = RunSeed(seed);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << seed;
    EXPECT_EQ(first.frames, second.frames) << seed;
    EXPECT_EQ(first.lasted, second.lasted) << seed;
  }
}

NodeConfig PlainNode(size_t node) {
  NodeConfig c;
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacOf(node, 0);
  interface.addresses = {{AddressOf(node, 0), 24}};
  c.pipeline.interfaces.push_back(interface);
  c.pipeline.secrets = dataplane::Secrets::FromSeed(node);
  c.pipeline.limits = {16, 16, 16, 64, 16};
  c.pipeline.arp.announcer.probe = false;
  c.pipeline.tcp.time_wait = 1s;
  return c;
}

// 1 MB from the client over 10 Mbit/s with a round trip of 40 ms: how long it
// took, in milliseconds.
int64_t TransferTime(uint32_t loss_ppm) {
  Scenario s;
  s.seed = 7;
  s.start = kTimeZero + 1s;
  s.client = PlainNode(0);
  s.server = PlainNode(1);
  s.there.delay = s.back.delay = 20ms;
  s.there.bits_per_second = s.back.bits_per_second = 10'000'000;
  s.there.queue_bytes = s.back.queue_bytes = 400'000;
  s.there.loss_ppm = loss_ppm;
  ConnectionPlan plan;
  plan.side[kClient].bytes = 1'000'000;
  for (SidePlan& side : plan.side) side.max_read = side.max_write = 100'000;
  s.connections.push_back(plan);
  const SwarmResult result = RunScenario(s, {});
  EXPECT_EQ(result.failure, "");
  return result.took.count() / 1'000'000;
}

TEST(Golden, GoodputAgainstLoss) {
  struct Row {
    uint32_t loss_ppm;
    int64_t milliseconds;
  };
  // Without loss the line's rate is the limit: 850 ms and a slow start.
  const Row table[] = {
#include "tests/sim/golden_goodput.inc"
  };
  for (const Row& row : table) {
    EXPECT_EQ(TransferTime(row.loss_ppm), row.milliseconds)
        << "loss " << row.loss_ppm << " ppm";
  }
}

}  // namespace
}  // namespace corelane::sim
