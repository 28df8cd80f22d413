// Pacing: segments leave spread over the round trip instead of in the bursts in
// which acknowledgments let them (RFC 9002 section 7.7).
#ifndef CORELANE_PROTO_TCP_PACING_H_
#define CORELANE_PROTO_TCP_PACING_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// How long `bytes` take at the connection's rate: twice the window per round
// trip in slow start, which doubles it in that time, and 1.2 times it later.
// Rounded down, which errs by at most a microsecond per segment.
inline uint32_t PaceInterval(const ControlBlock& cb, uint32_t bytes) {
  const uint64_t tenths = cb.cwnd < cb.ssthresh ? 20 : 12;
  const uint64_t window = std::max<uint32_t>(cb.cwnd, 1);
  return static_cast<uint32_t>(uint64_t{bytes} * (cb.srtt_us / 8) * 10 /
                               (window * tenths));
}

// Whether pacing holds the next segment back; then the timer is set.
inline bool PaceHolds(const ControlBlock& cb, SendState& tx,
                      const Context& ctx) {
  if (!ctx.config.pacing || cb.srtt_us == 0) return false;
  const auto ahead = static_cast<int32_t>(tx.next_send_us - ctx.now.us);
  // A whole round trip is never waited for: that is from long ago.
  if (ahead <= 0 || static_cast<uint32_t>(ahead) > cb.srtt_us / 8) return false;
  tx.Set(kPaced);
  tx.pace_deadline = ctx.now.tick + MicrosToTicks(static_cast<uint32_t>(ahead));
  return true;
}

// `bytes` are being sent. Time that went unused allows a burst of two segments,
// or of what a tick is worth, as the timer is no finer than that.
inline void AdvancePace(const ControlBlock& cb, SendState& tx, uint32_t bytes,
                        const Context& ctx) {
  if (!ctx.config.pacing || cb.srtt_us == 0) return;
  constexpr uint32_t kTickUs = ((1u << kTickShift) + 999) / 1000;
  const uint32_t slack = std::max(PaceInterval(cb, cb.mss), kTickUs);
  const uint32_t earliest = ctx.now.us - slack;
  const auto ahead = static_cast<int32_t>(tx.next_send_us - earliest);
  const bool stale =
      ahead < 0 || static_cast<uint32_t>(ahead) > slack + cb.srtt_us / 8;
  tx.next_send_us =
      (stale ? earliest : tx.next_send_us) + PaceInterval(cb, bytes);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_PACING_H_
