// Behaviour that is meant to change only on purpose.
//
// A change of the stack that changes what goes over the wire changes the trace
// hashes; that it does shows that it was meant to. Make them anew with
//   build/release/tests/sim/corelane_swarm --golden --seeds 8
//       > tests/sim/golden_traces.txt
// and look at what one of the seeds does with --frames before and after. The
// tables of goodput, fairness and recovery are made anew with
//   build/release/tests/sim/corelane_swarm --golden-tables
//       > tests/sim/golden_tables.txt
// The diff shows what a change of the sender is worth.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/sim/golden_tables.h"
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
  EXPECT_GE(lines, 8);
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

// The lines of golden_tables.txt, one by one, so that a failure names its row.
TEST(Golden, Tables) {
  std::ifstream file(std::string(CORELANE_SIM_DATA) + "/golden_tables.txt");
  ASSERT_TRUE(file.is_open());
  std::istringstream now(GoldenTables());
  std::string want;
  std::string is;
  int lines = 0;
  while (std::getline(now, is)) {
    ASSERT_TRUE(std::getline(file, want)) << is;
    EXPECT_EQ(is, want);
    ++lines;
  }
  EXPECT_FALSE(std::getline(file, want)) << want;
  EXPECT_GE(lines, 50);
}

}  // namespace
}  // namespace corelane::sim
