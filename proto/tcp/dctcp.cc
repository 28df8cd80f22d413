#include "proto/tcp/dctcp.h"

#include <algorithm>

#include "proto/tcp/reno_growth.h"

namespace corelane::tcp {
namespace {

constexpr uint32_t kGainShift = 4;  // g = 1/16 (section 4.2)
// A window's bytes, with room for whatever is acknowledged at its end.
constexpr uint32_t kMaxCount = 1u << 31;

uint32_t AddBounded(uint32_t count, uint32_t bytes) {
  return static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{count} + bytes, kMaxCount));
}

}  // namespace

void CountMarks(DctcpState& dctcp, uint32_t acked, bool ece) {
  dctcp.acked = AddBounded(dctcp.acked, acked);
  if (ece) dctcp.marked = AddBounded(dctcp.marked, acked);
}

void EndDctcpWindow(DctcpState& dctcp) {
  if (dctcp.acked == 0) return;
  const uint32_t unmarked = dctcp.acked - std::min(dctcp.marked, dctcp.acked);
  const auto share =
      static_cast<uint32_t>(uint64_t{unmarked} * kDctcpOne / dctcp.acked);
  // Rounded towards the new value: alpha would stay short of 0 or 1 otherwise.
  const uint32_t old = dctcp.unmarked_share;
  const uint32_t round = (1u << kGainShift) - 1;
  if (share > old) {
    dctcp.unmarked_share = old + ((share - old + round) >> kGainShift);
  } else {
    dctcp.unmarked_share = old - ((old - share + round) >> kGainShift);
  }
  dctcp.acked = 0;
  dctcp.marked = 0;
}

uint32_t DctcpThreshold(const ControlBlock& cb, const DctcpState& dctcp) {
  const uint64_t cut = uint64_t{cb.cwnd} * DctcpAlpha(dctcp) / kDctcpOne / 2;
  return std::max(cb.cwnd - static_cast<uint32_t>(cut), LeastThreshold(cb));
}

}  // namespace corelane::tcp
