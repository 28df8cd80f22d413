// The loop's clock: the CPU's time stamp counter, in nanoseconds.
#ifndef CORELANE_PMD_CLOCK_H_
#define CORELANE_PMD_CLOCK_H_

#include <rte_cycles.h>
#include <time.h>

#include <cstdint>

#include "proto/base/time.h"

namespace corelane::pmd {

// Nanoseconds since construction, monotonic, about 10 ns a reading. Each core
// may have a copy of one clock; copies agree as long as none is corrected.
// Needs the EAL to be running.
class Clock {
 public:
  Clock() : Clock(rte_get_tsc_hz(), rte_rdtsc(), MonotonicNow()) {}
  // For tests: a counter of `hz` that stood at `tsc` when the kernel's clock
  // stood at `kernel` nanoseconds.
  Clock(uint64_t hz, uint64_t tsc, int64_t kernel)
      : multiplier_(Ratio(1'000'000'000, hz)),
        base_tsc_(tsc),
        first_tsc_(tsc),
        first_kernel_(kernel) {}

  Time Now() const { return At(rte_rdtsc()); }
  Time At(uint64_t tsc) const {
    const auto elapsed =
        static_cast<unsigned __int128>(tsc - base_tsc_) * multiplier_;
    return base_time_ + Duration(static_cast<int64_t>(elapsed >> kShift));
  }

  // Bends the rate, without a jump, to what the kernel's clock measured since
  // construction. DPDK rounds the frequency to 10 MHz where the CPU does not
  // tell it, which is minutes a day. Call it now and then (a minute is fine).
  void Correct() { Correct(rte_rdtsc(), MonotonicNow()); }
  void Correct(uint64_t tsc, int64_t kernel) {
    const int64_t kernel_elapsed = kernel - first_kernel_;
    // Within a second, the two readings' own jitter would be worse.
    if (kernel_elapsed < 1'000'000'000 || tsc <= first_tsc_) return;
    base_time_ = At(tsc);
    base_tsc_ = tsc;
    multiplier_ =
        Ratio(static_cast<uint64_t>(kernel_elapsed), tsc - first_tsc_);
  }

 private:
  // 2^-56 of relative precision at 1 GHz: a nanosecond in two years.
  static constexpr int kShift = 56;

  static uint64_t Ratio(uint64_t nanoseconds, uint64_t ticks) {
    return static_cast<uint64_t>(
        (static_cast<unsigned __int128>(nanoseconds) << kShift) / ticks);
  }
  static int64_t MonotonicNow() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }

  uint64_t multiplier_;
  uint64_t base_tsc_;
  Time base_time_ = kTimeZero;
  uint64_t first_tsc_;
  int64_t first_kernel_;
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_CLOCK_H_
