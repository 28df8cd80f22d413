// Runs the world that a seed stands for, and judges it.
#ifndef CORELANE_TESTS_SIM_SWARM_H_
#define CORELANE_TESTS_SIM_SWARM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/scenario.h"

namespace corelane::sim {

struct SwarmResult {
  std::string failure;  // empty: all is well
  uint64_t trace_hash = 0;
  uint64_t frames = 0;
  uint64_t events = 0;
  Duration lasted{};               // virtual
  std::vector<uint64_t> received;  // bytes, by the server, per connection
  Duration took{};  // until both ends of all connections were done
};

struct SwarmOptions {
  std::string pcap;  // a file to write; empty: none
  bool print_frames = false;
};

SwarmResult RunScenario(const Scenario& scenario, const SwarmOptions& options);
SwarmResult RunSeed(uint64_t seed, const SwarmOptions& options = {});

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SWARM_H_
