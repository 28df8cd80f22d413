// HyStart++ (RFC 9406): leaves slow start when the round trip grows longer,
// before the queue that makes it so overflows. In the first slow start only.
#ifndef CORELANE_PROTO_TCP_HYSTART_H_
#define CORELANE_PROTO_TCP_HYSTART_H_

#include <cstdint>

#include "proto/tcp/congestion_state.h"

namespace corelane::tcp {

// Section 4.3.
inline constexpr uint32_t kHyStartMinThresholdUs = 4000;   // MIN_RTT_THRESH
inline constexpr uint32_t kHyStartMaxThresholdUs = 16000;  // MAX_RTT_THRESH
inline constexpr uint32_t kHyStartDivisor = 8;             // MIN_RTT_DIVISOR
inline constexpr uint8_t kHyStartSamples = 8;              // N_RTT_SAMPLE
inline constexpr uint32_t kCssGrowthDivisor = 4;
inline constexpr uint8_t kCssRounds = 5;
// L without pacing, in segments. The RFC proposes 8; but peers that coalesce
// what they receive acknowledge up to 44 segments at a time, and would be held
// back.
inline constexpr uint32_t kHyStartLimit = 44;

// A round has ended, another begins.
void StartHyStartRound(HyStartState& hystart);

// A round-trip time of the current round. Not 0.
void AddHyStartSample(HyStartState& hystart, uint32_t rtt_us);

// Conservative slow start: slower growth, to see whether the delay stays.
inline bool InCss(const HyStartState& hystart) {
  return hystart.baseline_us != 0;
}

// The delay has stayed: congestion avoidance is to begin at the present window.
inline bool HyStartIsDone(const HyStartState& hystart) {
  return InCss(hystart) && hystart.css_rounds >= kCssRounds;
}

// What an acknowledgment of `acked` bytes adds to cwnd (section 4.2). `paced`:
// no burst needs to be feared.
uint32_t HyStartStep(const HyStartState& hystart, uint32_t acked, uint32_t mss,
                     bool paced);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_HYSTART_H_
