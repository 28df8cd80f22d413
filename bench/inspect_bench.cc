// How long packets wait while a core copies out a slice of its sockets: with a
// million connections, none of whose control blocks are in a cache.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/stack_harness.h"
#include "dataplane/inspect/sockets.h"

namespace corelane::bench {
namespace {

constexpr uint32_t kConnections = 1'000'000;

class NoApp final : public dataplane::Application {
 public:
  void OnConnections(std::span<dataplane::ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
};

dataplane::Pipeline& Loaded() {
  static NoApp app;
  static const auto harness = [] {
    StackOptions options;
    options.connections = kConnections;
    auto made = std::make_unique<StackHarness>(options);
    dataplane::Pipeline& pipeline = made->pipeline();
    const uint16_t id = pipeline.AddApplication(&app);
    if (!pipeline.tcp().Listen(Ipv4Address(), 80, id).ok()) std::abort();
    made->Establish(80);
    std::fprintf(stderr, "%u connections\n", pipeline.tcp().blocks().in_use());
    return made;
  }();
  return harness->pipeline();
}

// Walks over all connections slice by slice; the figure is the mean slice, the
// counters say how long the slowest ones took.
void Walk(benchmark::State& state, const inspect::PageLimits& limits,
          const inspect::SocketFilter& filter) {
  dataplane::Pipeline& pipeline = Loaded();
  std::vector<double> times;
  std::optional<inspect::Cursor> next = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    inspect::SocketPage page =
        inspect::ReadSockets(pipeline, *next, limits, filter);
    benchmark::DoNotOptimize(page.rows.data());
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(took.count());
    times.push_back(took.count() * 1e6);
    next = page.next.has_value() ? page.next : inspect::Cursor{0};
  }
  std::sort(times.begin(), times.end());
  state.counters["p99_us"] = times[times.size() * 99 / 100];
  state.counters["worst_us"] = times.back();
}

void Listing(benchmark::State& state) {
  inspect::PageLimits limits;
  limits.rows = static_cast<size_t>(state.range(0));
  Walk(state, limits, {});
}
BENCHMARK(Listing)->Arg(25)->Arg(96)->UseManualTime()->Iterations(20000);

void NothingMatches(benchmark::State& state) {
  inspect::PageLimits limits;
  limits.scanned = static_cast<uint32_t>(state.range(0));
  inspect::SocketFilter filter;
  filter.port = 81;
  Walk(state, limits, filter);
}
BENCHMARK(NothingMatches)
    ->Arg(1024)
    ->Arg(4096)
    ->UseManualTime()
    ->Iterations(5000);

void Top(benchmark::State& state) {
  inspect::PageLimits limits;
  limits.scanned = static_cast<uint32_t>(state.range(0));
  inspect::SocketFilter filter;
  filter.top = 20;
  Walk(state, limits, filter);
}
BENCHMARK(Top)->Arg(1024)->Arg(4096)->UseManualTime()->Iterations(5000);

}  // namespace
}  // namespace corelane::bench

BENCHMARK_MAIN();
