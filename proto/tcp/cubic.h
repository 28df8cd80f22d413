// CUBIC (RFC 9438). Slow start is in reno_growth.h and hystart.h.
#ifndef CORELANE_PROTO_TCP_CUBIC_H_
#define CORELANE_PROTO_TCP_CUBIC_H_

#include <cstdint>

#include "proto/tcp/congestion_control.h"

namespace corelane::tcp {

// Every acknowledgment: lets the time of the curve pass, of which only counts
// what the window was used in (section 5.8).
void ObserveCubic(const ControlBlock& cb, CubicState& cubic,
                  const AckSample& sample, uint32_t now_us);

// Slow start: the next growth begins a congestion avoidance stage.
inline void EndCubicStage(CubicState& cubic) { cubic.running = false; }

// Congestion avoidance, for `acked` bytes of a used window.
void GrowCubic(ControlBlock& cb, SendState& tx, uint32_t acked);

// Sections 4.6 to 4.8. Both ssthresh and W_max are derived from cwnd, as
// section 4.6 allows those who do not let an unused window grow: that a
// transfer ends must not make the next one slow.
uint32_t CubicThreshold(const ControlBlock& cb, CubicState& cubic,
                        CongestionEvent event);

// Section 4.9.
void UndoCubic(CubicState& cubic);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CUBIC_H_
