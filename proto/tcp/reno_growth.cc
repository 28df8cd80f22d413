#include "proto/tcp/reno_growth.h"

#include <algorithm>

#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {

uint32_t GrowToThreshold(ControlBlock& cb, uint32_t step) {
  const uint32_t end = std::min(cb.ssthresh, kMaxCwnd);
  const uint32_t room = cb.cwnd < end ? end - cb.cwnd : 0;
  const uint32_t taken = std::min(step, room);
  cb.cwnd += taken;
  return step - taken;
}

void GrowReno(ControlBlock& cb, SendState& tx, uint32_t acked) {
  const uint32_t cwnd = std::max<uint32_t>(cb.cwnd, 1);
  AddScaled(cb.cwnd, tx.congestion.cwnd_fraction,
            uint64_t{std::min(acked, cwnd)} * cb.mss, cwnd);
}

uint32_t UsedWindow(const ControlBlock& cb, const SendState& tx) {
  const CongestionState& state = tx.congestion;
  const uint32_t outstanding = cb.snd_nxt - cb.snd_una;
  return std::min(cb.cwnd,
                  std::max({outstanding, state.flight, state.flight_before}));
}

uint32_t RenoThreshold(const ControlBlock& cb, const SendState& tx) {
  return std::max(UsedWindow(cb, tx) / 2, LeastThreshold(cb));
}

}  // namespace corelane::tcp
