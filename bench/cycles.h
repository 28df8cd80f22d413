// The processor's own clock, for sections of less than a microsecond: a system
// clock's reading costs more than a frame does.
#ifndef CORELANE_BENCH_CYCLES_H_
#define CORELANE_BENCH_CYCLES_H_

#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace corelane::bench {

// Waits for the loads before it, so that misses count where they happen.
inline uint64_t ReadCycles() {
  _mm_lfence();
  const uint64_t cycles = __rdtsc();
  _mm_lfence();
  return cycles;
}

struct CycleClock {
  double ns_per_cycle = 0;
  uint64_t overhead = 0;  // of the two readings around nothing

  // Measured once, against the system's clock.
  static const CycleClock& Get() {
    static const CycleClock clock = Calibrate();
    return clock;
  }

  double Nanoseconds(uint64_t from, uint64_t to) const {
    const uint64_t cycles = to - from;
    return ns_per_cycle *
           static_cast<double>(cycles > overhead ? cycles - overhead : 0);
  }

 private:
  static CycleClock Calibrate() {
    using Clock = std::chrono::steady_clock;
    CycleClock clock;
    clock.overhead = ~uint64_t{0};
    for (int i = 0; i < 1000; ++i) {
      const uint64_t from = ReadCycles();
      clock.overhead = std::min(clock.overhead, ReadCycles() - from);
    }
    const auto start = Clock::now();
    const uint64_t from = ReadCycles();
    while (Clock::now() - start < std::chrono::milliseconds(50)) {
    }
    const uint64_t cycles = ReadCycles() - from;
    const std::chrono::duration<double, std::nano> ns = Clock::now() - start;
    clock.ns_per_cycle = ns.count() / static_cast<double>(cycles);
    return clock;
  }
};

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_CYCLES_H_
