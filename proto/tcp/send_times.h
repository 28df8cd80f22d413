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

// To be called when everything that can be sent was.
inline void NoteSendTimes(const ControlBlock& cb, SendState& tx, Now now) {
  tx.limit_us[static_cast<size_t>(tx.limit)] += now.us - tx.limit_since_us;
  tx.limit_since_us = now.us;
  tx.limit = LimitOf(cb, tx);
}

// Microseconds spent with `limit`, up to `now`. They are forgotten with the
// send state, after a while without anything to send.
inline uint64_t TimeWith(const SendState& tx, SendLimit limit, Now now) {
  const uint64_t running = tx.limit == limit ? now.us - tx.limit_since_us : 0u;
  return tx.limit_us[static_cast<size_t>(limit)] + running;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEND_TIMES_H_
