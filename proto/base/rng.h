// Randomness that is passed in: the same seed gives the same run, and without
// the seed the output cannot be predicted.
#ifndef CORELANE_PROTO_BASE_RNG_H_
#define CORELANE_PROTO_BASE_RNG_H_

#include <cstdint>

#include "proto/base/siphash.h"

namespace corelane {

// A generator in counter mode over SipHash-2-4. One stream per purpose, so
// that drawing more for one purpose does not shift another.
class Rng {
 public:
  using result_type = uint64_t;  // UniformRandomBitGenerator

  Rng(const SipKey& key, uint64_t stream) : key_(key), stream_(stream) {}
  // For tests and simulations, where a seed is a small number.
  explicit Rng(uint64_t seed, uint64_t stream = 0)
      : Rng(SipKey{seed, ~seed}, stream) {}

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() { return Next64(); }

  uint64_t Next64() {
    uint64_t block[2] = {stream_, counter_++};
    return SipHash24(
        key_, ByteView(reinterpret_cast<const uint8_t*>(block), sizeof(block)));
  }
  uint32_t Next32() { return static_cast<uint32_t>(Next64()); }

  // Uniform in [0, bound); bound must not be 0.
  uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>((Next64() >> 32) * bound >> 32);
  }
  // Uniform in [low, high].
  uint32_t Between(uint32_t low, uint32_t high) {
    // In 64 bits: the whole range has 2^32 values.
    const uint64_t values = uint64_t{high - low} + 1;
    return low + static_cast<uint32_t>((Next64() >> 32) * values >> 32);
  }
  // True with the given probability in parts per million.
  bool ChancePpm(uint32_t ppm) { return Below(1'000'000) < ppm; }

 private:
  SipKey key_;
  uint64_t stream_;
  uint64_t counter_ = 0;
};

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_RNG_H_
