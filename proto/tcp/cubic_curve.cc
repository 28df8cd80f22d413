#include "proto/tcp/cubic_curve.h"

#include <algorithm>
#include <bit>

namespace corelane::tcp {

// Three bits of x yield one of the root, as in long division:
// (2y + 1)^3 - (2y)^3 = 3 * 2y * (2y + 1) + 1.
uint32_t CubeRoot(uint64_t x) {
  uint64_t root = 0;
  for (int shift = 63; shift >= 0; shift -= 3) {
    root *= 2;
    const uint64_t step = 3 * root * (root + 1) + 1;
    if (x >> shift >= step) {
      x -= step << shift;
      ++root;
    }
  }
  return static_cast<uint32_t>(root);
}

CurveTime CubicRise(uint32_t bytes, uint32_t mss) {
  // bytes / (0.4 mss) = 5 bytes / (2 mss), in units of 2^-30 s^3: the root is
  // in units of 2^-10 s. Four bits more where there is room for their cubes.
  const uint64_t fifths = uint64_t{std::min(bytes, 1u << 30)} * 5;
  const uint64_t cube = (fifths << 30) / (2 * uint64_t{std::max(mss, 1u)});
  const int more = std::min(std::countl_zero(cube) / 3, kCurveTimeBits - 10);
  const uint32_t root = CubeRoot(cube << (3 * more));
  return std::min(root << (kCurveTimeBits - 10 - more), kMaxCurveTime);
}

uint64_t CubicOffset(CurveTime distance, uint32_t mss) {
  const uint64_t d = std::min(distance, kMaxCurveTime);
  // In units of 2^-28 s^3, at most 2^58; then of 2^-16, so that a segment of
  // 2^16 bytes fits.
  const uint64_t cube = ((d * d) >> kCurveTimeBits) * d;
  const uint64_t segment = std::min(mss, 0xffffu);
  return ((cube >> 12) * segment * 2 / 5) >> 16;
}

uint64_t CubicWindow(uint32_t w_max, CurveTime k, CurveTime t, uint32_t mss) {
  if (t >= k) return w_max + CubicOffset(t - k, mss);
  const uint64_t below = CubicOffset(k - t, mss);
  return w_max > below ? w_max - below : 0;
}

}  // namespace corelane::tcp
