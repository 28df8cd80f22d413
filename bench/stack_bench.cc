// Stack-only cost per operation, beside the floor of swapping addresses in the
// same frames. Run: corelane_bench --benchmark_repetitions=5
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "bench/stack_harness.h"
#include "dataplane/app/content.h"
#include "dataplane/app/echo.h"
#include "dataplane/app/http_app.h"
#include "proto/base/rng.h"

namespace corelane::bench {
namespace {

constexpr uint16_t kPort = 7;

// Reports nanoseconds per frame that came in.
void Report(benchmark::State& state, uint64_t operations) {
  state.SetItemsProcessed(static_cast<int64_t>(operations));
  state.counters["ns/op"] = benchmark::Counter(
      static_cast<double>(operations),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_Floor5tswap(benchmark::State& state) {
  StackHarness stack({});
  const uint8_t payload[18] = {};
  std::vector<Packet*> burst;
  uint64_t operations = 0;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBatch; ++i) {
      burst.push_back(
          stack.UdpFrame(static_cast<uint16_t>(1024 + i), kPort, payload));
    }
    state.SetIterationTime(static_cast<double>(stack.RunSwap(burst)) * 1e-9);
    operations += stack.Collect();
  }
  Report(state, operations);
}
BENCHMARK(BM_Floor5tswap)->UseManualTime();

void BM_UdpEcho(benchmark::State& state) {
  StackHarness stack({.offload = state.range(0) != 0});
  dataplane::EchoApp echo;
  const uint16_t app = stack.pipeline().AddApplication(&echo);
  if (!stack.pipeline().udp().Bind(Ipv4Address(), kPort, app).ok()) return;
  stack.Establish(kPort);  // resolves the peer's MAC address
  stack.Collect();
  const uint8_t payload[18] = {};  // a frame of 60 bytes, 64 with FCS
  std::vector<Packet*> burst;
  uint64_t operations = 0;
  for (auto _ : state) {
    for (uint32_t i = 0; i < kBatch; ++i) {
      burst.push_back(
          stack.UdpFrame(static_cast<uint16_t>(1024 + i), kPort, payload));
    }
    state.SetIterationTime(static_cast<double>(stack.RunBurst(burst)) * 1e-9);
    operations += stack.Collect();
  }
  Report(state, operations);
}
BENCHMARK(BM_UdpEcho)->ArgName("offload")->Arg(1)->Arg(0)->UseManualTime();

// Data in, application, data out with the ACK on it. Connections are visited
// in random order.
void BM_TcpEcho(benchmark::State& state) {
  const auto connections = static_cast<uint32_t>(state.range(1));
  StackHarness stack(
      {.offload = state.range(0) != 0, .connections = connections});
  dataplane::EchoApp echo;
  const uint16_t app = stack.pipeline().AddApplication(&echo);
  if (!stack.pipeline().tcp().Listen(Ipv4Address(), kPort, app).ok()) return;
  stack.Establish(kPort);
  const uint8_t payload[1] = {'x'};
  Rng rng(1);
  std::vector<Packet*> burst;
  uint64_t operations = 0;
  const uint32_t batch = std::min(kBatch, connections);
  for (auto _ : state) {
    // A run of distinct connections from a random start, striding far.
    const uint32_t start = rng.Below(connections);
    for (uint32_t i = 0; i < batch; ++i) {
      const auto index = static_cast<uint32_t>(
          (start + uint64_t{i} * 2654435761u % connections) % connections);
      Peer& peer = stack.peers()[batch == connections ? i : index];
      burst.push_back(
          stack.TcpFrame(peer, kPort, tcp::kAck | tcp::kPsh, payload));
      peer.seq += 1;
    }
    state.SetIterationTime(static_cast<double>(stack.RunBurst(burst)) * 1e-9);
    operations += stack.Collect();
  }
  Report(state, operations);
}
BENCHMARK(BM_TcpEcho)
    ->ArgNames({"offload", "connections"})
    ->Args({1, 1})
    ->Args({1, 1000})
    ->Args({1, 65536})
    ->Args({1, 1000000})
    ->Args({0, 1000})
    ->UseManualTime();

// A keep-alive request, answered with a body of 128 bytes.
void BM_HttpKeepAlive(benchmark::State& state) {
  constexpr uint32_t kConnections = 1000;
  StackHarness stack(
      {.offload = state.range(0) != 0, .connections = kConnections});
  const auto content = dataplane::Content::FromSize(128);
  dataplane::HttpApp http({}, content->get());
  const uint16_t app = stack.pipeline().AddApplication(&http);
  if (!stack.pipeline().tcp().Listen(Ipv4Address(), 80, app).ok()) return;
  stack.Establish(80);
  constexpr std::string_view kRequest =
      "GET / HTTP/1.1\r\nHost: 198.18.0.1\r\nUser-Agent: bench\r\n\r\n";
  const ByteView payload(reinterpret_cast<const uint8_t*>(kRequest.data()),
                         kRequest.size());
  Rng rng(1);
  std::vector<Packet*> burst;
  uint64_t operations = 0;
  for (auto _ : state) {
    const uint32_t start = rng.Below(kConnections);
    for (uint32_t i = 0; i < kBatch; ++i) {
      Peer& peer = stack.peers()[(start + i * 31) % kConnections];
      burst.push_back(stack.TcpFrame(peer, 80, tcp::kAck | tcp::kPsh, payload));
      peer.seq += static_cast<uint32_t>(payload.size());
    }
    state.SetIterationTime(static_cast<double>(stack.RunBurst(burst)) * 1e-9);
    operations += stack.Collect();
  }
  Report(state, operations);
}
BENCHMARK(BM_HttpKeepAlive)
    ->ArgName("offload")
    ->Arg(1)
    ->Arg(0)
    ->UseManualTime();

}  // namespace
}  // namespace corelane::bench

BENCHMARK_MAIN();
