// BBR's state machine (draft-ietf-ccwg-bbr section 5.3).
#include <algorithm>

#include "proto/tcp/bbr_model.h"

namespace corelane::tcp::bbr {
namespace {

constexpr uint32_t kBeta = 70;
constexpr uint8_t kStartupLostRanges = 6;  // BBRStartupFullLossCnt
constexpr uint32_t kProbeRttCwndGain = 50;
constexpr uint32_t kProbeRttDurationUs = 200'000;

uint32_t Random(BbrState& s) {
  s.random ^= s.random << 13;
  s.random ^= s.random >> 17;
  s.random ^= s.random << 5;
  return s.random;
}

uint32_t ProbeRttCwnd(const ControlBlock& cb, const BbrState& s) {
  return std::max(BdpMultiple(s, s.bw, kProbeRttCwndGain), MinPipeCwnd(cb));
}

void EnterDrain(BbrState& s) {
  s.phase = BbrPhase::kDrain;
  s.drain_start_round = s.round_count;
}

// Not at once, and not all flows at the same time.
void PickProbeWait(BbrState& s) {
  s.rounds_since_probe_up = Random(s) & 1;
  s.probe_wait_us = 2'000'000 + Random(s) % 1'000'000;
}

void StartProbeDown(BbrState& s, uint32_t now_us) {
  ResetCongestionSignals(s);
  s.probe_up_acked_per_inc = kNoBound;
  PickProbeWait(s);
  s.cycle_us = now_us;
  s.acks = BbrAcks::kStopping;
  StartRound(s);
  s.phase = BbrPhase::kProbeDown;
}

// inflight_longterm grows by 1, 2, 4 ... segments per round.
void RaiseSlope(const ControlBlock& cb, BbrState& s) {
  const uint32_t growth = 1u << s.probe_up_rounds;
  s.probe_up_rounds =
      static_cast<uint8_t>(std::min<uint32_t>(s.probe_up_rounds + 1u, 30));
  s.probe_up_acked_per_inc = std::max<uint32_t>(cb.cwnd / growth, cb.mss);
}

void StartProbeUp(const Turn& t) {
  BbrState& s = t.s;
  s.acks = BbrAcks::kStarting;
  StartRound(s);
  ResetFullBw(s);
  s.full_bw = t.rs.rate;
  s.phase = BbrPhase::kProbeUp;
  RaiseSlope(t.cb, s);
}

// cwnd is what holds the flow back, and inflight_longterm what holds cwnd.
bool LimitedByLongterm(const Turn& t) {
  return t.tx.Has(kCwndLimited) && t.cb.cwnd >= t.s.inflight_longterm;
}

void ProbeLongtermUpward(const Turn& t) {
  BbrState& s = t.s;
  if (!LimitedByLongterm(t)) return;
  const uint64_t acked = uint64_t{s.probe_up_acked} + t.rs.newly_acked;
  const uint64_t steps = acked / s.probe_up_acked_per_inc;
  s.probe_up_acked =
      static_cast<uint32_t>(acked - steps * s.probe_up_acked_per_inc);
  s.inflight_longterm = static_cast<uint32_t>(
      std::min<uint64_t>(s.inflight_longterm + steps * t.cb.mss, kNoBound - 1));
  if (s.round_start) RaiseSlope(t.cb, s);
}

// One slot per cycle; the one before is kept while this has nothing in it.
void AdvanceMaxBwFilter(BbrState& s) {
  if (s.max_bw[0] == 0) return;
  s.max_bw[1] = s.max_bw[0];
  s.max_bw[0] = 0;
}

// True if it has chosen the next state.
bool AdaptLongTermModel(const Turn& t) {
  BbrState& s = t.s;
  if (s.acks == BbrAcks::kStarting && s.round_start) {
    s.acks = BbrAcks::kFeedback;
  }
  if (s.acks == BbrAcks::kStopping && s.round_start) {
    s.probe_sample = false;
    s.acks = BbrAcks::kInit;
    if (InProbeBw(s.phase)) {
      if (!t.rs.app_limited) AdvanceMaxBwFilter(s);
      if (s.prev_probe_precautionary && !s.prev_probe_too_high) {
        StartProbeRefill(s);
        return true;
      }
    }
  }
  if (!t.rs.valid || IsTooHigh(s, t.rs.lost, t.rs.in_flight)) return false;
  if (s.inflight_longterm == kNoBound) return false;
  s.inflight_longterm = std::max(s.inflight_longterm, t.rs.in_flight);
  if (s.phase == BbrPhase::kProbeUp) ProbeLongtermUpward(t);
  return false;
}

// By the clock, or, so that flows of NewReno and CUBIC get their share, as
// often as one of theirs would come to fill the pipe.
bool IsTimeToProbe(const Turn& t) {
  BbrState& s = t.s;
  const uint32_t rounds = std::min<uint32_t>(
      TargetInflight(t.cb, s) / std::max<uint32_t>(t.cb.mss, 1), 63);
  if (t.now_us - s.cycle_us <= s.probe_wait_us &&
      s.rounds_since_probe_up < rounds) {
    return false;
  }
  StartProbeRefill(s);
  return true;
}

bool IsTimeToCruise(const Turn& t) {
  return t.inflight <= InflightWithHeadroom(t.cb, t.s) &&
         t.inflight <= Inflight(t.cb, t.s, MaxBw(t.s), 100);
}

bool IsTimeToGoDown(const Turn& t) {
  BbrState& s = t.s;
  if (s.prev_probe_too_high && t.inflight >= s.inflight_longterm) {
    s.prev_probe_precautionary = true;
    return true;
  }
  if (LimitedByLongterm(t)) {
    ResetFullBw(s);
    s.full_bw = t.rs.rate;
    return false;
  }
  return s.full_bw_now;
}

void ExitProbeRtt(BbrState& s, uint32_t now_us) {
  ResetShortTermModel(s);
  if (!s.filled_pipe) {
    EnterStartup(s);
    return;
  }
  StartProbeDown(s, now_us);
  s.phase = BbrPhase::kProbeCruise;
}

void HandleProbeRtt(const Turn& t) {
  BbrState& s = t.s;
  s.sampler.MarkAppLimited(t.inflight);
  if (!s.probe_rtt_waiting) {
    if (t.inflight > ProbeRttCwnd(t.cb, s)) return;
    s.probe_rtt_waiting = true;
    s.probe_rtt_done_us = t.now_us + kProbeRttDurationUs;
    s.probe_rtt_round_done = false;
    StartRound(s);
    return;
  }
  if (s.round_start) s.probe_rtt_round_done = true;
  if (s.probe_rtt_round_done) CheckProbeRttDone(t.cb, s, t.now_us);
}

// CheckStartupHighLoss(), or a mark.
bool StartupWentTooHigh(const Turn& t) {
  const BbrState& s = t.s;
  if (s.marked) return true;
  if (!s.sack) return t.rs.newly_lost > 0;
  return s.loss_round_start && t.tx.phase == SendPhase::kRecovery &&
         s.lost_ranges >= kStartupLostRanges && t.rs.valid &&
         IsTooHigh(s, t.rs.lost, t.rs.in_flight);
}

}  // namespace

void EnterStartup(BbrState& s) { s.phase = BbrPhase::kStartup; }

void StartProbeRefill(BbrState& s) {
  ResetShortTermModel(s);
  s.probe_up_rounds = 0;
  s.probe_up_acked = 0;
  s.prev_probe_precautionary = false;
  s.acks = BbrAcks::kRefilling;
  StartRound(s);
  s.phase = BbrPhase::kProbeRefill;
}

void OnInflightTooHigh(const Turn& t, uint32_t in_flight, bool app_limited) {
  BbrState& s = t.s;
  s.prev_probe_too_high = true;
  s.probe_sample = false;
  if (!app_limited) {
    const auto least =
        static_cast<uint32_t>(uint64_t{TargetInflight(t.cb, s)} * kBeta / 100);
    s.inflight_longterm = std::max(in_flight, least);
  }
  const bool refilling = s.marked && s.phase == BbrPhase::kProbeRefill;
  if (s.phase != BbrPhase::kProbeUp && !refilling) return;
  s.undo_phase = BbrPhase::kProbeUp;
  StartProbeDown(s, t.now_us);
}

void CheckFullBwReached(const Turn& t) {
  BbrState& s = t.s;
  if (s.full_bw_now || !s.round_start || t.rs.app_limited || t.rs.rate == 0) {
    return;
  }
  if (t.rs.rate >= s.full_bw + s.full_bw / 4) {
    ResetFullBw(s);
    s.full_bw = t.rs.rate;
    return;
  }
  s.full_bw_now = ++s.full_bw_count >= 3;
  if (s.full_bw_now) s.filled_pipe = true;
}

void CheckStartupDone(const Turn& t) {
  BbrState& s = t.s;
  if (s.phase == BbrPhase::kStartup && !s.filled_pipe &&
      StartupWentTooHigh(t)) {
    s.undo_phase = BbrPhase::kStartup;
    s.filled_pipe = true;
    s.inflight_longterm =
        std::max(BdpMultiple(s, MaxBw(s), 100), s.inflight_latest);
  }
  if (s.loss_round_start) s.lost_ranges = 0;
  if (s.phase == BbrPhase::kStartup && s.filled_pipe) EnterDrain(s);
}

void CheckDrainDone(const Turn& t) {
  BbrState& s = t.s;
  if (s.phase != BbrPhase::kDrain) return;
  if (t.inflight <= Inflight(t.cb, s, s.bw, 100) ||
      s.round_count - s.drain_start_round > 3) {
    StartProbeDown(s, t.now_us);
  }
}

void UpdateProbeBwCyclePhase(const Turn& t) {
  BbrState& s = t.s;
  if (!s.filled_pipe || AdaptLongTermModel(t)) return;
  switch (s.phase) {
    case BbrPhase::kProbeDown:
      if (!IsTimeToProbe(t) && IsTimeToCruise(t)) {
        s.phase = BbrPhase::kProbeCruise;
      }
      break;
    case BbrPhase::kProbeCruise:
      IsTimeToProbe(t);
      break;
    case BbrPhase::kProbeRefill:
      if (s.round_start) {
        s.probe_sample = true;
        StartProbeUp(t);
      }
      break;
    case BbrPhase::kProbeUp:
      if (IsTimeToGoDown(t)) {
        s.prev_probe_too_high = false;
        StartProbeDown(s, t.now_us);
      }
      break;
    case BbrPhase::kStartup:
    case BbrPhase::kDrain:
    case BbrPhase::kProbeRtt:
      break;
  }
}

void CheckProbeRtt(const Turn& t) {
  BbrState& s = t.s;
  if (s.phase != BbrPhase::kProbeRtt && s.probe_rtt_expired &&
      !s.idle_restart) {
    SaveCwnd(t.cb, t.tx, s);
    s.phase = BbrPhase::kProbeRtt;
    s.probe_rtt_waiting = false;
    s.acks = BbrAcks::kStopping;
    StartRound(s);
  }
  if (s.phase == BbrPhase::kProbeRtt) HandleProbeRtt(t);
  if (t.rs.delivered > 0) s.idle_restart = false;
}

void CheckProbeRttDone(ControlBlock& cb, BbrState& s, uint32_t now_us) {
  if (!s.probe_rtt_waiting ||
      static_cast<int32_t>(now_us - s.probe_rtt_done_us) <= 0) {
    return;
  }
  s.probe_rtt_min_at_us = now_us;
  RestoreCwnd(cb, s);
  ExitProbeRtt(s, now_us);
}

}  // namespace corelane::tcp::bbr
