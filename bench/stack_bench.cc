// Stack-only cost per operation, one benchmark for each scenario. scripts/
// bench-stack makes a table of it.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/scenario.h"

namespace corelane::bench {
namespace {

// Kept from one repetition to the next: a million handshakes take longer than
// what is measured.
struct Current {
  const NamedScenario* which = nullptr;
  std::unique_ptr<Scenario> scenario;
};

void Run(benchmark::State& state, const NamedScenario& which,
         Current& current) {
  if (current.which != &which) {
    current.scenario.reset();  // memory first
    current.scenario = which.make();
    current.which = &which;
    for (int i = 0; i < 64; ++i) current.scenario->Step();
  }
  uint64_t operations = 0;
  for (auto _ : state) {
    const Sample sample = current.scenario->Step();
    state.SetIterationTime(sample.ns * 1e-9);
    operations += sample.operations;
  }
  state.SetItemsProcessed(static_cast<int64_t>(operations));
  state.counters["ns/op"] = benchmark::Counter(
      static_cast<double>(operations),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

}  // namespace
}  // namespace corelane::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  corelane::bench::Current current;
  for (const auto& which : corelane::bench::Scenarios()) {
    benchmark::RegisterBenchmark(which.name.c_str(),
                                 [&which, &current](benchmark::State& state) {
                                   corelane::bench::Run(state, which, current);
                                 })
        ->UseManualTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
