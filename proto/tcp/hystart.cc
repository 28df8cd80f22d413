#include "proto/tcp/hystart.h"

#include <algorithm>

namespace corelane::tcp {

void StartHyStartRound(HyStartState& hystart) {
  // The round in which CSS began counts, though only part of it was.
  if (InCss(hystart) && hystart.css_rounds < kCssRounds) ++hystart.css_rounds;
  hystart.last_min_us = hystart.min_us;
  hystart.min_us = 0;
  hystart.samples = 0;
}

void AddHyStartSample(HyStartState& hystart, uint32_t rtt_us) {
  if (hystart.min_us == 0 || rtt_us < hystart.min_us) hystart.min_us = rtt_us;
  if (hystart.samples < kHyStartSamples) ++hystart.samples;
  if (hystart.samples < kHyStartSamples) return;
  if (InCss(hystart)) {
    // It was jitter: back to slow start.
    if (hystart.min_us < hystart.baseline_us) hystart.baseline_us = 0;
    return;
  }
  if (hystart.last_min_us == 0) return;
  const uint32_t threshold =
      std::clamp(hystart.last_min_us / kHyStartDivisor, kHyStartMinThresholdUs,
                 kHyStartMaxThresholdUs);
  if (hystart.min_us < uint64_t{hystart.last_min_us} + threshold) return;
  hystart.baseline_us = hystart.min_us;
  hystart.css_rounds = 0;
}

uint32_t HyStartStep(const HyStartState& hystart, uint32_t acked, uint32_t mss,
                     bool paced) {
  const uint32_t step = paced ? acked : std::min(acked, kHyStartLimit * mss);
  return InCss(hystart) ? step / kCssGrowthDivisor : step;
}

}  // namespace corelane::tcp
