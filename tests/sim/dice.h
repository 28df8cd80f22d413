// Random choices of a scenario.
#ifndef CORELANE_TESTS_SIM_DICE_H_
#define CORELANE_TESTS_SIM_DICE_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "proto/base/rng.h"
#include "proto/base/time.h"

namespace corelane::sim {

// One draw after the other from a stream of its own. Never two draws in the
// arguments of one call, whose order is the compiler's choice; in braces it is
// not.
class Dice {
 public:
  Dice(uint64_t seed, uint64_t purpose) : rng_(seed, 0xd1ce0000 + purpose) {}

  bool Percent(uint32_t p) { return rng_.Below(100) < p; }
  uint32_t Between(uint32_t low, uint32_t high) {
    return rng_.Between(low, high);
  }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return *(choices.begin() +
             rng_.Below(static_cast<uint32_t>(choices.size())));
  }
  // Small ones as likely as large ones: uniform in the number of digits.
  uint32_t Magnitude(uint32_t high) {
    uint32_t bits = 0;
    while (bits < 31 && (uint32_t{1} << (bits + 1)) <= high) ++bits;
    const uint32_t top = uint32_t{2} << rng_.Between(0, bits);
    return std::min(high, rng_.Below(top));
  }
  Duration UpTo(Duration high) {
    const auto us = static_cast<uint32_t>(high.count() / 1000);
    return Duration(int64_t{rng_.Below(us + 1)} * 1000);
  }
  uint64_t Next() { return rng_.Next64(); }

 private:
  Rng rng_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_DICE_H_
