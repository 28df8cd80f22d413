// CUBIC's curve in integers (RFC 9438 section 4.2):
//   W_cubic(t) = W_max + C * (t - K)^3,  C = 0.4 segments per second cubed.
#ifndef CORELANE_PROTO_TCP_CUBIC_CURVE_H_
#define CORELANE_PROTO_TCP_CUBIC_CURVE_H_

#include <cstdint>

namespace corelane::tcp {

// The curve's time, in units of 2^-14 s (61 us).
using CurveTime = uint32_t;
inline constexpr int kCurveTimeBits = 14;
// 1024 s: by then any curve has left what a window can be.
inline constexpr CurveTime kMaxCurveTime = 1u << 24;

constexpr CurveTime ToCurveTime(uint64_t us) {
  const uint64_t bounded = us < uint64_t{2'000'000'000} ? us : 2'000'000'000;
  const uint64_t time = (bounded << kCurveTimeBits) / 1'000'000;
  return time < kMaxCurveTime ? static_cast<CurveTime>(time) : kMaxCurveTime;
}

// The largest y with y^3 <= x.
uint32_t CubeRoot(uint64_t x);

// K: how long the curve takes to gain `bytes` on its way to W_max. `bytes` is
// at most 2^30; an mss of 0 counts as 1.
CurveTime CubicRise(uint32_t bytes, uint32_t mss);

// C * d^3 in bytes, at the distance d from K on either side.
uint64_t CubicOffset(CurveTime distance, uint32_t mss);

// W_cubic(t) in bytes; 0 if the curve is below that.
uint64_t CubicWindow(uint32_t w_max, CurveTime k, CurveTime t, uint32_t mss);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CUBIC_CURVE_H_
