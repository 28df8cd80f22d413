// Windows that grow by less than a byte per acknowledgment: without the
// fraction, a large window over small segments would never grow at all.
#ifndef CORELANE_PROTO_TCP_SCALED_GROWTH_H_
#define CORELANE_PROTO_TCP_SCALED_GROWTH_H_

#include <algorithm>
#include <cstdint>

namespace corelane::tcp {

// No window grows beyond what window scaling lets a peer offer (RFC 7323
// section 2.3); products of two windows then fit in 64 bits.
inline constexpr uint32_t kMaxCwnd = 1u << 30;

// `fraction` counts in units of 2^-28.
inline constexpr int kFractionBits = 28;

// window += numerator / denominator, at most up to kMaxCwnd. The denominator is
// not 0 and below 2^36.
inline void AddScaled(uint32_t& window, uint32_t& fraction, uint64_t numerator,
                      uint64_t denominator) {
  const uint64_t whole = numerator / denominator;
  const uint64_t rest = numerator % denominator;
  const uint64_t parts = fraction + (rest << kFractionBits) / denominator;
  const uint64_t sum = window + whole + (parts >> kFractionBits);
  window = static_cast<uint32_t>(std::min<uint64_t>(sum, kMaxCwnd));
  fraction = static_cast<uint32_t>(parts & ((1u << kFractionBits) - 1));
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SCALED_GROWTH_H_
