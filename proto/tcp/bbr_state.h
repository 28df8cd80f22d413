// What BBR remembers of a path (draft-ietf-ccwg-bbr section 2). It lies beside
// the send state, as it is larger than what other algorithms need.
//
// The names are the draft's. Windows are bytes, rates bytes per second, times
// microseconds in 32 bits.
#ifndef CORELANE_PROTO_TCP_BBR_STATE_H_
#define CORELANE_PROTO_TCP_BBR_STATE_H_

#include <array>
#include <cstdint>
#include <type_traits>

#include "proto/tcp/rate_sample.h"

namespace corelane::tcp {

enum class BbrPhase : uint8_t {
  kStartup,
  kDrain,
  kProbeDown,
  kProbeCruise,
  kProbeRefill,
  kProbeUp,
  kProbeRtt,
};

// What the acknowledgments that arrive say of probing (BBR.ack_phase).
enum class BbrAcks : uint8_t {
  kInit,
  kRefilling,
  kStarting,
  kFeedback,
  kStopping,
};

inline constexpr uint32_t kNoBound = UINT32_MAX;
inline constexpr uint64_t kNoRateBound = UINT64_MAX;

struct BbrState {
  // ---- control
  uint64_t pacing_rate = 0;     // 0: none yet, nothing is held back
  uint64_t pace_remainder = 0;  // what the last interval's division left over
  BbrPhase phase = BbrPhase::kStartup;
  BbrAcks acks = BbrAcks::kInit;
  bool filled_pipe = false;  // BBR.full_bw_reached
  bool full_bw_now = false;
  bool round_start = false;
  bool loss_round_start = false;
  bool loss_in_round = false;
  bool probe_sample = false;  // BBR.is_bw_probe_sample
  bool prev_probe_too_high = false;
  bool prev_probe_precautionary = false;
  bool idle_restart = false;
  bool probe_rtt_expired = false;
  bool probe_rtt_waiting = false;  // BBR.probe_rtt_done_stamp is set
  bool probe_rtt_round_done = false;
  // Nothing was left to send: the next data comes later than it could have.
  bool ran_out = false;
  bool last_rate_limited = false;  // by the application
  uint8_t full_bw_count = 0;
  uint8_t probe_up_rounds = 0;
  uint8_t lost_ranges = 0;  // found in this loss round; sticks at its end
  BbrPhase undo_phase = BbrPhase::kDrain;  // that one: nothing to go back to

  // ---- the model
  std::array<uint64_t, 2>
      max_bw{};  // of this ProbeBW cycle, and the one before
  uint64_t bw_shortterm = kNoRateBound;
  uint64_t bw = 0;
  uint64_t bw_latest = 0;
  uint64_t last_rate = 0;  // the last sample of a rate, for whoever looks
  uint64_t full_bw = 0;
  uint64_t undo_bw_shortterm = 0;
  uint32_t inflight_longterm = kNoBound;
  uint32_t inflight_shortterm = kNoBound;
  uint32_t inflight_latest = 0;
  uint32_t undo_inflight_longterm = 0;
  uint32_t undo_inflight_shortterm = 0;
  uint32_t prior_cwnd = 0;
  uint32_t initial_cwnd = 0;

  // ---- rounds and cycles
  uint32_t next_round_delivered = 0;
  uint32_t loss_round_delivered = 0;
  uint32_t round_count = 0;
  uint32_t rounds_since_probe_up = 0;
  uint32_t drain_start_round = 0;
  uint32_t probe_up_acked = 0;
  uint32_t probe_up_acked_per_inc = kNoBound;
  uint32_t cycle_us = 0;  // BBR.cycle_stamp
  uint32_t probe_wait_us = 0;
  uint32_t random = 0;  // xorshift; never 0 once started

  // ---- round-trip times
  uint32_t min_rtt_us = 0;  // 0: none
  uint32_t min_rtt_at_us = 0;
  uint32_t probe_rtt_min_us = 0;  // BBR.probe_rtt_min_delay; 0: none
  uint32_t probe_rtt_min_at_us = 0;
  uint32_t probe_rtt_done_us = 0;

  // ---- aggregation of acknowledgments
  std::array<uint32_t, 2> extra_acked{};  // of these rounds, of those before
  uint32_t extra_acked_rounds = 0;
  uint32_t extra_acked_from_us = 0;
  uint32_t extra_acked_delivered = 0;

  // ---- what losses and marks have told, until the acknowledgment is taken in
  uint32_t lost_now = 0;
  uint32_t too_high_inflight = 0;
  bool too_high = false;
  bool too_high_app_limited = false;
  bool marked = false;  // by ECN
  bool marked_in_round = false;

  bool sack = false;
  uint16_t mss = 0;       // as of the last acknowledgment
  uint32_t grain_us = 0;  // how far apart the sampler's records are
  RateSampler sampler;
};
static_assert(std::is_trivially_copyable_v<BbrState>);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_BBR_STATE_H_
