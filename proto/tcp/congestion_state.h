// What congestion control remembers besides cwnd and ssthresh. All zero is a
// fresh connection; a change of algorithm starts with `= {}`.
#ifndef CORELANE_PROTO_TCP_CONGESTION_STATE_H_
#define CORELANE_PROTO_TCP_CONGESTION_STATE_H_

#include <cstdint>
#include <type_traits>

#include "proto/base/sequence.h"

namespace corelane::tcp {

// RFC 9406. Times are round-trip times in microseconds, 0: none yet.
struct HyStartState {
  uint32_t last_min_us = 0;  // lastRoundMinRTT
  uint32_t min_us = 0;       // currentRoundMinRTT
  uint32_t baseline_us = 0;  // cssBaselineMinRtt; not 0: in the CSS phase
  uint8_t samples = 0;       // rttSampleCount, up to what suffices
  uint8_t css_rounds = 0;    // rounds of the CSS phase that are complete
};

// What a congestion event changes and an undo puts back (RFC 9438 section 4.9).
// Windows are in bytes.
struct CubicEpoch {
  uint32_t w_max = 0;       // 0: no congestion event yet
  uint32_t k = 0;           // in CurveTime (cubic_curve.h)
  uint32_t cwnd_prior = 0;  // cwnd when ssthresh was last set
  uint32_t w_est = 0;       // what Reno's window would be
  uint32_t elapsed_us = 0;  // t, of which only what was used; sticks at its end
};

// RFC 9438.
struct CubicState {
  CubicEpoch now;
  CubicEpoch before;            // the last congestion event
  uint32_t w_est_fraction = 0;  // see AddScaled
  uint32_t ack_us = 0;          // when the last acknowledgment came
  bool running = false;         // `now` is of a congestion avoidance stage
  bool before_running = false;  // ... and `before` was
  bool after_timeout = false;   // no such stage since the last timeout
};

// RFC 8257.
struct DctcpState {
  uint32_t acked = 0;   // DCTCP.BytesAcked
  uint32_t marked = 0;  // DCTCP.BytesMarked
  // 1 - DCTCP.Alpha, so that zero is the first value that section 3.3 asks for.
  // In units of 2^-20.
  uint32_t unmarked_share = 0;
};

struct CongestionState {
  // A round lasts until what was SND.NXT at its begin has been passed: RFC
  // 9406's rounds and RFC 8257's observation windows are the same thing.
  SeqNum round_end;
  // The most that was in flight in this round (0: none has begun) and in the
  // one before. It stands for RFC 7661's pipeACK.
  uint32_t flight = 0;
  uint32_t flight_before = 0;
  uint32_t cwnd_fraction = 0;  // bytes too small to be in cwnd, see AddScaled
  HyStartState hystart;
  CubicState cubic;
  DctcpState dctcp;
};
static_assert(sizeof(CongestionState) <= 96);
static_assert(std::is_trivially_copyable_v<CongestionState>);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONGESTION_STATE_H_
