// Pacing: segments leave spread over the round trip instead of in the bursts in
// which acknowledgments let them (RFC 9002 section 7.7). With BBR they always
// do, at the rate that it says.
#ifndef CORELANE_PROTO_TCP_PACING_H_
#define CORELANE_PROTO_TCP_PACING_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/bbr.h"
#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

inline constexpr uint32_t kTickUs = ((1u << kTickShift) + 999) / 1000;

inline bool Paces(const SendState& tx, const Config& config) {
  return config.pacing || tx.bbr != nullptr;
}

// How long `bytes` take at the connection's rate: twice the window per round
// trip in slow start, which doubles it in that time, and 1.2 times it later.
// Rounded down, which errs by at most a microsecond per segment.
inline uint32_t PaceInterval(const ControlBlock& cb, uint32_t bytes) {
  const uint64_t tenths = cb.cwnd < cb.ssthresh ? 20 : 12;
  const uint64_t window = std::max<uint32_t>(cb.cwnd, 1);
  return static_cast<uint32_t>(uint64_t{bytes} * (cb.srtt_us / 8) * 10 /
                               (window * tenths));
}

// A longer wait than this is from long ago.
inline uint32_t LongestPaceWait(const ControlBlock& cb, const SendState& tx) {
  return tx.bbr != nullptr ? kLongestPaceUs : cb.srtt_us / 8;
}

// Whether pacing holds the next segment back; then the timer is set.
inline bool PaceHolds(const ControlBlock& cb, SendState& tx,
                      const Context& ctx) {
  if (!Paces(tx, ctx.config) || cb.srtt_us == 0) return false;
  const auto ahead = static_cast<int32_t>(tx.next_send_us - ctx.now.us);
  if (ahead <= 0 || static_cast<uint32_t>(ahead) > LongestPaceWait(cb, tx)) {
    return false;
  }
  tx.Set(kPaced);
  tx.pace_deadline = ctx.now.tick + MicrosToTicks(static_cast<uint32_t>(ahead));
  return true;
}

// `bytes` are being sent. Time that went unused allows a burst of two segments,
// or of what a tick is worth, as the timer is no finer than that. BBR's rate is
// not to be missed, or it would take what it has lost by that for the path's:
// some ticks, as its send quantum is a millisecond.
inline void AdvancePace(const ControlBlock& cb, SendState& tx, uint32_t bytes,
                        const Context& ctx) {
  if (!Paces(tx, ctx.config) || cb.srtt_us == 0) return;
  uint32_t interval;
  uint32_t slack;
  if (tx.bbr != nullptr) {
    interval = BbrPaceInterval(*tx.bbr, bytes);
    slack = std::max(interval, 4 * kTickUs);
  } else {
    interval = PaceInterval(cb, bytes);
    slack = std::max(PaceInterval(cb, cb.mss), kTickUs);
  }
  const uint32_t earliest = ctx.now.us - slack;
  const auto ahead = static_cast<int32_t>(tx.next_send_us - earliest);
  const bool stale = ahead < 0 || static_cast<uint32_t>(ahead) >
                                      slack + LongestPaceWait(cb, tx);
  tx.next_send_us = (stale ? earliest : tx.next_send_us) + interval;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_PACING_H_
