// The loop's clock: the CPU's time stamp counter, in nanoseconds.
#ifndef CORELANE_PMD_CLOCK_H_
#define CORELANE_PMD_CLOCK_H_

#include <rte_cycles.h>
#include <time.h>

#include <array>
#include <atomic>
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

  // What turns the counter into time; the same on all cores that adopt it.
  struct Line {
    uint64_t multiplier = 0;
    uint64_t base_tsc = 0;
    Time base_time = kTimeZero;
  };
  Line line() const { return {multiplier_, base_tsc_, base_time_}; }
  void Adopt(const Line& line) {
    multiplier_ = line.multiplier;
    base_tsc_ = line.base_tsc;
    base_time_ = line.base_time;
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

// One time for several cores, whose connections may move between them: one core
// corrects its clock and says so, the others follow. Any thread may read.
class SharedClock {
 public:
  SharedClock() : SharedClock(Clock()) {}
  explicit SharedClock(const Clock& original) : original_(original) {
    Publish(original_);
  }

  const Clock& original() const { return original_; }
  // By one core only.
  void Publish(const Clock& clock) {
    // Whoever reads a line copies it at once: it is long done when the ring has
    // come round.
    Clock::Line& line = lines_[next_++ % lines_.size()];
    line = clock.line();
    current_.store(&line, std::memory_order_release);
  }
  // Changes when there is something to adopt.
  const Clock::Line* current() const {
    return current_.load(std::memory_order_acquire);
  }

 private:
  Clock original_;
  std::array<Clock::Line, 64> lines_;
  size_t next_ = 0;
  std::atomic<const Clock::Line*> current_{nullptr};
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_CLOCK_H_
