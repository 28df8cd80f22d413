// What is measured: a scenario sets a stack up, and each of its steps takes
// some operations through it and says how long the stack spent on them.
#ifndef CORELANE_BENCH_SCENARIO_H_
#define CORELANE_BENCH_SCENARIO_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace corelane::bench {

struct Sample {
  double ns = 0;
  uint64_t operations = 0;
};

class Scenario {
 public:
  virtual ~Scenario() = default;
  virtual Sample Step() = 0;
};

struct NamedScenario {
  std::string name;
  std::unique_ptr<Scenario> (*make)();
  // Whether scripts/check_instructions counts it.
  bool counted = false;
};

// All of them. Names are path-like: "tcp_echo/4096".
std::span<const NamedScenario> Scenarios();

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_SCENARIO_H_
