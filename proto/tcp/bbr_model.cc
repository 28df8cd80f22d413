#include "proto/tcp/bbr_model.h"

#include <algorithm>

namespace corelane::tcp::bbr {
namespace {

constexpr uint32_t kMinRttFilterUs = 10'000'000;
constexpr uint32_t kPacingMarginPercent = 1;
constexpr uint32_t kProbeRttIntervalUs = 5'000'000;
constexpr uint32_t kMaxInflight = 1u << 30;
// Round-trip times are not believed beyond a minute, see kMaxRate.
constexpr uint32_t kMaxRttUs = 1u << 26;

bool Reached(uint32_t count, uint32_t mark) {
  return static_cast<int32_t>(count - mark) >= 0;
}

uint32_t Share(uint32_t bytes, uint32_t percent) {
  return static_cast<uint32_t>(uint64_t{bytes} * percent / 100);
}

// BBR.Beta, and for marks what RFC 8511 says (COMPLIANCE.md).
constexpr uint32_t kBetaLoss = 70;
constexpr uint32_t kBetaMark = 85;

void InitLowerBounds(const Turn& t) {
  BbrState& s = t.s;
  if (s.bw_shortterm == kNoRateBound) s.bw_shortterm = MaxBw(s);
  if (s.inflight_shortterm == kNoBound) s.inflight_shortterm = t.cb.cwnd;
}

// Once per round: the bounds follow what was delivered in it.
void AdaptLowerBounds(const Turn& t) {
  BbrState& s = t.s;
  if (IsProbingBw(s.phase)) return;
  if (s.loss_in_round) {
    InitLowerBounds(t);
    // What was sent a percent slower came a percent slower: that is no sign
    // that the path has become slower.
    const uint64_t latest = std::min(
        s.bw_latest * 100 / (100 - kPacingMarginPercent), s.bw_shortterm);
    s.bw_shortterm = std::max(latest, s.bw_shortterm * kBetaLoss / 100);
    s.inflight_shortterm =
        std::max(s.inflight_latest, Share(s.inflight_shortterm, kBetaLoss));
  }
  // What was marked has arrived all the same: its rate does not say by how much
  // it was too high.
  if (s.marked_in_round) {
    InitLowerBounds(t);
    if (s.bw_latest != 0) {
      s.bw_shortterm = std::min(s.bw_shortterm, s.bw_latest) * kBetaMark / 100;
    }
    s.inflight_shortterm =
        std::max(Share(std::min(s.inflight_shortterm, t.cb.cwnd), kBetaMark),
                 MinPipeCwnd(t.cb));
  }
}

void UpdateRound(const Turn& t) {
  BbrState& s = t.s;
  s.round_start =
      t.rs.valid && Reached(t.rs.prior_delivered, s.next_round_delivered);
  if (!s.round_start) return;
  StartRound(s);
  ++s.round_count;
  ++s.rounds_since_probe_up;
}

void UpdateMaxBw(const Turn& t) {
  UpdateRound(t);
  if (t.rs.rate == 0) return;
  if (t.rs.app_limited && t.rs.rate < MaxBw(t.s)) return;
  t.s.max_bw[0] = std::max(t.s.max_bw[0], t.rs.rate);
}

}  // namespace

uint32_t BdpMultiple(const BbrState& s, uint64_t bw, uint32_t percent) {
  if (s.min_rtt_us == 0) return s.initial_cwnd;
  const uint64_t bdp =
      std::min(bw, kMaxRate) * std::min(s.min_rtt_us, kMaxRttUs) / 1'000'000;
  return static_cast<uint32_t>(std::min<uint64_t>(
      std::min<uint64_t>(bdp, kMaxInflight) * percent / 100, kMaxInflight));
}

uint32_t QuantizationBudget(const ControlBlock& cb, const BbrState& s,
                            uint32_t inflight) {
  // C.send_quantum: what is sent in a millisecond; BBR.offload_budget is three.
  const uint64_t least = uint64_t{2} * cb.mss;
  const uint64_t quantum = std::clamp<uint64_t>(
      s.pacing_rate / 1000, least, std::max<uint64_t>(65'536, least));
  inflight = std::max<uint32_t>(inflight, static_cast<uint32_t>(3 * quantum));
  inflight = std::max(inflight, MinPipeCwnd(cb));
  if (s.phase == BbrPhase::kProbeUp) inflight += 2u * cb.mss;
  return inflight;
}

uint32_t Inflight(const ControlBlock& cb, const BbrState& s, uint64_t bw,
                  uint32_t percent) {
  return QuantizationBudget(cb, s, BdpMultiple(s, bw, percent));
}

uint32_t InflightWithHeadroom(const ControlBlock& cb, const BbrState& s) {
  if (s.inflight_longterm == kNoBound) return kNoBound;
  const uint32_t headroom =
      std::max<uint32_t>(cb.mss, Share(s.inflight_longterm, 15));
  const uint32_t rest =
      s.inflight_longterm - std::min(headroom, s.inflight_longterm);
  return std::max(rest, MinPipeCwnd(cb));
}

uint32_t TargetInflight(const ControlBlock& cb, const BbrState& s) {
  return std::min(BdpMultiple(s, s.bw, 100), cb.cwnd);
}

void ResetShortTermModel(BbrState& s) {
  s.bw_shortterm = kNoRateBound;
  s.inflight_shortterm = kNoBound;
}

void ResetCongestionSignals(BbrState& s) {
  s.loss_in_round = s.marked_in_round = false;
  s.bw_latest = 0;
  s.inflight_latest = 0;
}

void ResetFullBw(BbrState& s) {
  s.full_bw = 0;
  s.full_bw_count = 0;
  s.full_bw_now = false;
}

void SaveCwnd(const ControlBlock& cb, const SendState& tx, BbrState& s) {
  const bool modulated =
      tx.phase >= SendPhase::kCwr || s.phase == BbrPhase::kProbeRtt;
  s.prior_cwnd = modulated ? std::max(s.prior_cwnd, cb.cwnd) : cb.cwnd;
}

void RestoreCwnd(ControlBlock& cb, const BbrState& s) {
  cb.cwnd = std::max(cb.cwnd, s.prior_cwnd);
}

void SaveStateUponLoss(const ControlBlock& cb, const SendState& tx,
                       BbrState& s) {
  SaveCwnd(cb, tx, s);
  s.undo_phase = BbrPhase::kDrain;
  s.undo_bw_shortterm = s.bw_shortterm;
  s.undo_inflight_shortterm = s.inflight_shortterm;
  s.undo_inflight_longterm = s.inflight_longterm;
}

void NoteLoss(const ControlBlock& cb, const SendState& tx, BbrState& s) {
  if (!s.loss_in_round && !s.marked_in_round) {
    s.loss_round_delivered = s.sampler.delivered();
    SaveStateUponLoss(cb, tx, s);
  }
}

void UpdateLatestDeliverySignals(const Turn& t) {
  BbrState& s = t.s;
  s.loss_round_start = false;
  s.bw_latest = std::max(s.bw_latest, t.rs.rate);
  s.inflight_latest = std::max(s.inflight_latest, t.rs.delivered);
  if (t.rs.valid && Reached(t.rs.prior_delivered, s.loss_round_delivered)) {
    s.loss_round_delivered = s.sampler.delivered();
    s.loss_round_start = true;
  }
}

void UpdateCongestionSignals(const Turn& t) {
  UpdateMaxBw(t);
  if (!t.s.loss_round_start) return;
  AdaptLowerBounds(t);
  t.s.loss_in_round = t.s.marked_in_round = false;
}

void UpdateAckAggregation(const Turn& t) {
  BbrState& s = t.s;
  const uint32_t interval_us =
      std::min(t.now_us - s.extra_acked_from_us, kMaxRttUs);
  uint64_t expected = std::min(s.bw, kMaxRate) * interval_us / 1'000'000;
  if (s.extra_acked_delivered <= expected) {
    s.extra_acked_delivered = 0;
    s.extra_acked_from_us = t.now_us;
    expected = 0;
  }
  s.extra_acked_delivered = static_cast<uint32_t>(std::min<uint64_t>(
      uint64_t{s.extra_acked_delivered} + t.rs.newly_acked, kMaxInflight));
  const uint64_t more = s.extra_acked_delivered > expected
                            ? s.extra_acked_delivered - expected
                            : 0;
  // The maximum of 10 rounds, in two halves; of one round while in Startup.
  if (s.round_start) {
    const uint32_t half = s.filled_pipe ? 5 : 1;
    if (++s.extra_acked_rounds >= half) {
      s.extra_acked_rounds = 0;
      s.extra_acked[1] = s.filled_pipe ? s.extra_acked[0] : 0;
      s.extra_acked[0] = 0;
    }
  }
  s.extra_acked[0] =
      std::max(s.extra_acked[0],
               static_cast<uint32_t>(std::min<uint64_t>(more, t.cb.cwnd)));
}

void UpdateMinRtt(const Turn& t) {
  BbrState& s = t.s;
  s.probe_rtt_expired = t.now_us - s.probe_rtt_min_at_us > kProbeRttIntervalUs;
  const uint32_t rtt_us = t.rs.rtt_us;
  if (rtt_us != 0 && (s.probe_rtt_min_us == 0 || rtt_us < s.probe_rtt_min_us ||
                      s.probe_rtt_expired)) {
    s.probe_rtt_min_us = rtt_us;
    s.probe_rtt_min_at_us = t.now_us;
  }
  if (s.probe_rtt_min_us == 0) return;
  const bool expired = t.now_us - s.min_rtt_at_us > kMinRttFilterUs;
  if (s.min_rtt_us == 0 || s.probe_rtt_min_us < s.min_rtt_us || expired) {
    s.min_rtt_us = s.probe_rtt_min_us;
    s.min_rtt_at_us = s.probe_rtt_min_at_us;
  }
}

void AdvanceLatestDeliverySignals(const Turn& t) {
  if (!t.s.loss_round_start) return;
  t.s.bw_latest = t.rs.rate;
  t.s.inflight_latest = t.rs.delivered;
}

void SetPacingRate(BbrState& s, uint32_t percent) {
  const uint64_t rate = std::min(s.bw, kMaxRate) * percent / 100 *
                        (100 - kPacingMarginPercent) / 100;
  if (rate == 0) return;
  if (s.filled_pipe || rate > s.pacing_rate) s.pacing_rate = rate;
}

}  // namespace corelane::tcp::bbr
