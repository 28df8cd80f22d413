// What the congestion window leaves room for, and how much of it is in use (RFC
// 7661).
#ifndef CORELANE_PROTO_TCP_SEND_USE_H_
#define CORELANE_PROTO_TCP_SEND_USE_H_

#include <cstdint>

#include "proto/tcp/control_block.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// How much of the congestion window has been in use, over a round trip.
// `limited`: it holds something back.
inline void NoteUse(const ControlBlock& cb, SendState& tx, bool limited) {
  const uint32_t flight = cb.InFlight();
  const bool was_limited = tx.Has(kCwndLimited);
  const bool over = cb.snd_una >= tx.limited_end;
  if (!over && !limited && (was_limited || flight <= tx.max_flight)) return;
  if (limited) {
    tx.Set(kCwndLimited);
  } else {
    tx.Clear(kCwndLimited);
  }
  tx.max_flight = flight;
  tx.limited_end = cb.snd_nxt;
}

// RFC 7661: a window that was not used is not proved right, and does not grow;
// in slow start it grows to twice what was.
inline bool WindowWasUsed(const ControlBlock& cb, const SendState& tx) {
  if (tx.Has(kCwndLimited)) return true;
  return cb.cwnd < cb.ssthresh && cb.cwnd < 2 * tx.max_flight;
}

inline uint32_t CongestionRoom(const ControlBlock& cb, const SendState& tx) {
  const uint32_t pipe = Pipe(cb, tx);
  return cb.cwnd > pipe ? cb.cwnd - pipe : 0;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEND_USE_H_
