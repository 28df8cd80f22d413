// What several cores cost and bring: each runs a generator and a stack by
// itself, as one of N pipelines.
//
//   corelane_scaling [ROUNDS]
//
// One pipeline on one CPU, two on two, two and eight time-sharing two: in turn,
// ROUNDS times (default 7), so that what else the machine does hits all alike.
// The medians are printed: operations per second of wall time and the CPU time
// of an operation, which other processes do not change (much).
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "bench/scenario.h"
#include "bench/scenarios.h"

namespace corelane::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kConnections = 256;  // of each pipeline
constexpr auto kWarmUp = std::chrono::milliseconds(100);
constexpr auto kMeasured = std::chrono::milliseconds(500);

struct Setting {
  const char* name;
  uint16_t pipelines;
  uint16_t cpus;
};
constexpr Setting kSettings[] = {{"1 pipeline on 1 CPU", 1, 1},
                                 {"2 pipelines on 2 CPUs", 2, 2},
                                 {"8 pipelines on 2 CPUs", 8, 2}};

struct Result {
  double per_second = 0;
  double cpu_ns = 0;  // of one operation, generator included
};

double CpuNow() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void Pin(uint32_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

struct Worker {
  uint64_t operations = 0;
  double cpu_ns = 0;
  double seconds = 0;
};

void Work(const Setting& setting, uint32_t index, std::atomic<uint32_t>& ready,
          Worker& out) {
  Pin(index % setting.cpus);
  const auto scenario = MakeTcpEchoOfMany(kConnections, setting.pipelines);
  ready.fetch_add(1);
  while (ready.load() < setting.pipelines) std::this_thread::yield();
  const auto warm = Clock::now() + kWarmUp;
  while (Clock::now() < warm) scenario->Step();
  const auto start = Clock::now();
  const double cpu = CpuNow();
  while (Clock::now() - start < kMeasured) {
    for (int i = 0; i < 16; ++i) out.operations += scenario->Step().operations;
  }
  out.cpu_ns = CpuNow() - cpu;
  const std::chrono::duration<double> took = Clock::now() - start;
  out.seconds = took.count();
}

Result Measure(const Setting& setting) {
  std::vector<Worker> workers(setting.pipelines);
  std::vector<std::thread> threads;
  std::atomic<uint32_t> ready{0};
  for (uint32_t i = 0; i < setting.pipelines; ++i) {
    threads.emplace_back([&, i] { Work(setting, i, ready, workers[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  Result result;
  uint64_t operations = 0;
  double cpu_ns = 0;
  for (const Worker& w : workers) {
    result.per_second += static_cast<double>(w.operations) / w.seconds;
    operations += w.operations;
    cpu_ns += w.cpu_ns;
  }
  result.cpu_ns = cpu_ns / static_cast<double>(operations);
  return result;
}

double Median(std::vector<Result> results, double Result::*member) {
  std::sort(results.begin(), results.end(),
            [member](const Result& a, const Result& b) {
              return a.*member < b.*member;
            });
  return results[results.size() / 2].*member;
}

int Run(int rounds) {
  constexpr size_t kCount = std::size(kSettings);
  std::vector<Result> results[kCount];
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < kCount; ++i) {
      results[i].push_back(Measure(kSettings[i]));
    }
  }
  const double one = Median(results[0], &Result::per_second);
  const double one_ns = Median(results[0], &Result::cpu_ns);
  std::printf("%-24s %14s %8s %12s %8s\n", "TCP echo", "operations/s", "ratio",
              "CPU ns each", "ratio");
  for (size_t i = 0; i < kCount; ++i) {
    const double per_second = Median(results[i], &Result::per_second);
    const double ns = Median(results[i], &Result::cpu_ns);
    std::printf("%-24s %14.0f %8.2f %12.1f %8.2f\n", kSettings[i].name,
                per_second, per_second / one, ns, ns / one_ns);
  }
  return 0;
}

}  // namespace
}  // namespace corelane::bench

int main(int argc, char** argv) {
  if (std::thread::hardware_concurrency() < 2) {
    std::fprintf(stderr, "corelane_scaling: this machine has one CPU only\n");
    return 1;
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 7;
  if (rounds < 1 || argc > 2) {
    std::fprintf(stderr, "usage: corelane_scaling [ROUNDS]\n");
    return 2;
  }
  return corelane::bench::Run(rounds);
}
