// For how long a connection has had something to send, and what kept it from
// sending (TCP_INFO).
#ifndef CORELANE_PROTO_TCP_SEND_TIMES_H_
#define CORELANE_PROTO_TCP_SEND_TIMES_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

inline SendLimit LimitOf(const ControlBlock& cb, const SendState& tx) {
  if (cb.snd_una == cb.snd_queued) return SendLimit::kIdle;
  if (cb.snd_nxt >= cb.snd_queued) {
    return cb.Has(kWriteBlocked) ? SendLimit::kBuffer : SendLimit::kNone;
  }
  const uint32_t segment =
      std::min<uint32_t>(cb.snd_queued - cb.snd_nxt, cb.mss);
  const uint32_t flight = cb.InFlight();
  const bool congested = cb.cwnd < flight - tx.sacked_bytes + segment;
  return !congested && cb.SendWindow() < flight + segment ? SendLimit::kWindow
                                                          : SendLimit::kNone;
}

// To be called when everything that can be sent was. Mostly nothing changes,
// and what is not at hand stays untouched.
inline void NoteSendTimes(const ControlBlock& cb, SendState& tx, Now now) {
  const SendLimit limit = LimitOf(cb, tx);
  if (limit == tx.limit) [[likely]] {
    return;
  }
  tx.limit_ticks[static_cast<size_t>(tx.limit)] += now.tick - tx.limit_since;
  tx.limit_since = now.tick;
  tx.limit = limit;
}

// Microseconds spent with `limit`, up to `now`. They are forgotten with the
// send state, after a while without anything to send.
inline uint64_t TimeWith(const SendState& tx, SendLimit limit, Now now) {
  const Tick running = tx.limit == limit ? now.tick - tx.limit_since : 0;
  const uint64_t ticks = tx.limit_ticks[static_cast<size_t>(limit)] + running;
  return (ticks << kTickShift) / 1000;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEND_TIMES_H_
