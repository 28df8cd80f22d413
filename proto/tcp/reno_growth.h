// How NewReno's window grows and what it shrinks to: RFC 5681 with byte
// counting (RFC 3465). Slow start is every algorithm's.
#ifndef CORELANE_PROTO_TCP_RENO_GROWTH_H_
#define CORELANE_PROTO_TCP_RENO_GROWTH_H_

#include <cstdint>

#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// What one acknowledgment may add in slow start without pacing, in segments. It
// keeps one that covers much from releasing a long burst. RFC 3465 section 2.2
// says 2; peers acknowledge a burst at a time nowadays (COMPLIANCE.md).
inline constexpr uint32_t kSlowStartLimit = 10;

// cwnd += step up to ssthresh, where slow start ends. Returns what is left of
// `step`.
uint32_t GrowToThreshold(ControlBlock& cb, uint32_t step);

// Congestion avoidance: a segment per window that `acked` bytes are of (RFC
// 5681 equation 3).
void GrowReno(ControlBlock& cb, SendState& tx, uint32_t acked);

// The FlightSize that a congestion event is measured by. RFC 5681 equation 4
// takes what is in flight at that moment, which the tail of a transfer makes
// arbitrarily small although the path has just carried a whole window; RFC 7661
// section 4.4 therefore takes the larger of that and of what was used lately.
// It is never more than cwnd: what limited transmit and lost segments' stead
// has sent beyond it does not count (RFC 5681 section 3.2 (2)).
uint32_t UsedWindow(const ControlBlock& cb, const SendState& tx);

// RFC 5681 equation 4.
uint32_t RenoThreshold(const ControlBlock& cb, const SendState& tx);

// The least that any algorithm's ssthresh may be.
inline uint32_t LeastThreshold(const ControlBlock& cb) {
  return 2 * (cb.mss > 0 ? uint32_t{cb.mss} : 1);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RENO_GROWTH_H_
