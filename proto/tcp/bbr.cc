#include "proto/tcp/bbr.h"

#include <algorithm>

#include "proto/tcp/bbr_model.h"
#include "proto/tcp/prr.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {
namespace {

using bbr::Turn;

}  // namespace

uint32_t BbrPacingGain(BbrPhase phase) {
  switch (phase) {
    case BbrPhase::kStartup:
      return 277;
    case BbrPhase::kDrain:
      return 50;
    case BbrPhase::kProbeDown:
      return 90;
    case BbrPhase::kProbeUp:
      return 125;
    case BbrPhase::kProbeCruise:
    case BbrPhase::kProbeRefill:
    case BbrPhase::kProbeRtt:
      break;
  }
  return 100;
}

uint32_t BbrCwndGain(BbrPhase phase) {
  if (phase == BbrPhase::kProbeRtt) return 50;
  return phase == BbrPhase::kProbeUp ? 225 : 200;
}

namespace {

// InitPacingRate(). Without a round-trip time nothing is held back: that is the
// initial window.
void InitPacingRate(const ControlBlock& cb, BbrState& s) {
  const uint64_t srtt_us = cb.srtt_us / 8;
  if (srtt_us == 0) return;
  s.pacing_rate =
      std::clamp<uint64_t>(uint64_t{cb.cwnd} * 1'000'000 / srtt_us *
                               BbrPacingGain(BbrPhase::kStartup) / 100,
                           1, kMaxRate);
}

// CheckIfApplicationLimited(), less what the caller knows.
void NoteIfLimited(const ControlBlock& cb, SendState& tx) {
  const uint32_t pipe = Pipe(cb, tx);
  if (tx.lost_bytes == 0 && pipe < cb.cwnd) {
    tx.bbr->sampler.MarkAppLimited(pipe);
  }
}

void BoundCwndForModel(const Turn& t) {
  const BbrState& s = t.s;
  uint32_t cap = kNoBound;
  if (s.phase == BbrPhase::kProbeRtt || s.phase == BbrPhase::kProbeCruise) {
    cap = bbr::InflightWithHeadroom(t.cb, s);
  } else if (bbr::InProbeBw(s.phase)) {
    cap = s.inflight_longterm;
  }
  cap = std::max(std::min(cap, s.inflight_shortterm), bbr::MinPipeCwnd(t.cb));
  t.cb.cwnd = std::min(t.cb.cwnd, cap);
}

void SetCwnd(const Turn& t) {
  ControlBlock& cb = t.cb;
  const BbrState& s = t.s;
  const uint64_t wanted =
      uint64_t{bbr::BdpMultiple(s, s.bw, BbrCwndGain(s.phase))} +
      std::max(s.extra_acked[0], s.extra_acked[1]);
  const uint32_t most = bbr::QuantizationBudget(
      cb, s, static_cast<uint32_t>(std::min<uint64_t>(wanted, kMaxCwnd)));
  const uint32_t grown = static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{cb.cwnd} + t.rs.newly_acked, kMaxCwnd));
  if (s.filled_pipe) {
    cb.cwnd = std::min(grown, most);
  } else if (cb.cwnd < most || s.sampler.delivered() < s.initial_cwnd) {
    cb.cwnd = grown;
  }
  cb.cwnd = std::max(cb.cwnd, bbr::MinPipeCwnd(cb));
  if (s.phase == BbrPhase::kProbeRtt) {
    cb.cwnd = std::min(
        cb.cwnd, std::max(bbr::BdpMultiple(s, s.bw, 50), bbr::MinPipeCwnd(cb)));
  }
  BoundCwndForModel(t);
}

// HandleLostPacket(), for all that this acknowledgment or a timer has marked.
void TakeLosses(const Turn& t) {
  BbrState& s = t.s;
  if (s.lost_now > 0) {
    bbr::NoteLoss(t.cb, t.tx, s);
    s.loss_in_round = true;
  }
  const bool probing =
      s.phase == BbrPhase::kProbeRefill || s.phase == BbrPhase::kProbeUp;
  if (s.too_high && (s.probe_sample || (s.marked && probing))) {
    bbr::OnInflightTooHigh(t, s.too_high_inflight, s.too_high_app_limited);
  }
  s.too_high = false;
}

// The state is to be as it is when all steps have been gone through.
void UpdateModelAndState(const Turn& t) {
  bbr::UpdateLatestDeliverySignals(t);
  bbr::UpdateCongestionSignals(t);
  bbr::UpdateAckAggregation(t);
  bbr::CheckFullBwReached(t);
  bbr::CheckStartupDone(t);
  bbr::CheckDrainDone(t);
  bbr::UpdateProbeBwCyclePhase(t);
  bbr::UpdateMinRtt(t);
  bbr::CheckProbeRtt(t);
  bbr::AdvanceLatestDeliverySignals(t);
  bbr::BoundBwForModel(t.s);
}

}  // namespace

void StartBbr(ControlBlock& cb, SendState& tx, BbrState& s,
              const Context& ctx) {
  s = {};
  tx.bbr = &s;
  if (cb.snd_una == cb.snd_nxt) {
    cb.cwnd = std::min(cb.cwnd, InitialWindow(cb, ctx.config));
  }
  cb.ssthresh = kMaxCwnd;
  s.sack = cb.Has(kSack);
  s.mss = cb.mss;
  s.ran_out = cb.snd_una == cb.snd_nxt;
  s.initial_cwnd = s.prior_cwnd = cb.cwnd;
  s.min_rtt_us = s.probe_rtt_min_us = cb.srtt_us / 8;
  s.min_rtt_at_us = s.probe_rtt_min_at_us = ctx.now.us;
  s.extra_acked_from_us = s.cycle_us = ctx.now.us;
  s.grain_us = cb.srtt_us / 8 / 32;
  tx.next_send_us = ctx.now.us - kLongestPaceUs;  // at once
  s.random = (cb.iss.value() ^ cb.key.Ports() * 0x9e3779b1u) | 1;
  InitPacingRate(cb, s);
}

void StopBbr(ControlBlock& cb, SendState& tx) {
  tx.bbr = nullptr;
  tx.congestion = {};
  tx.Clear(kCanUndo);
  StartReduction(cb, tx, 0);  // should one be going on
  cb.ssthresh = std::max<uint32_t>(cb.cwnd, 2u * cb.mss);
}

void BbrBeforeSend(ControlBlock& cb, SendState& tx, Now now) {
  BbrState& s = *tx.bbr;
  if (s.ran_out) NoteIfLimited(cb, tx);
  if (Pipe(cb, tx) != 0 || !s.sampler.app_limited()) return;
  // HandleRestartFromIdle()
  s.idle_restart = true;
  // What came before the pause is not aggregated with what follows.
  s.extra_acked_from_us = now.us;
  s.extra_acked_delivered = 0;
  if (bbr::InProbeBw(s.phase)) {
    bbr::SetPacingRate(s, 100);
  } else if (s.phase == BbrPhase::kProbeRtt) {
    bbr::CheckProbeRttDone(cb, s, now.us);
  }
}

void BbrBeforeAck(const ControlBlock& cb, SendState& tx) {
  if (cb.snd_nxt >= cb.snd_queued) NoteIfLimited(cb, tx);
}

void BbrOnLoss(BbrState& s, uint32_t bytes, uint32_t sent_us, bool separate) {
  const SendRecord* record = s.sampler.OnLost(bytes, sent_us);
  s.lost_now += bytes;
  if (separate && s.lost_ranges < UINT8_MAX) ++s.lost_ranges;
  if (!s.probe_sample || s.too_high || record == nullptr) return;
  const uint32_t lost = s.sampler.lost() - record->lost;
  if (!bbr::IsTooHigh(s, lost, record->in_flight)) return;
  s.too_high = true;
  s.too_high_app_limited = record->app_limited;
  // InflightAtLoss(): where in the run the losses went above 2 %.
  const uint32_t before =
      record->in_flight - std::min(bytes, record->in_flight);
  const uint64_t lost_before = uint64_t{lost - bytes} * 50;
  const uint64_t prefix =
      before > lost_before ? (before - lost_before) / 49 : 0;
  s.too_high_inflight = static_cast<uint32_t>(before + prefix);
}

void BbrForgetLosses(BbrState& s) {
  s.lost_now = 0;
  s.lost_ranges = 0;
  s.too_high = false;
}

void BbrEnterRecovery(const ControlBlock& cb, SendState& tx) {
  bbr::SaveStateUponLoss(cb, tx, *tx.bbr);
}

void BbrLeaveRecovery(ControlBlock& cb, SendState& tx) {
  bbr::RestoreCwnd(cb, *tx.bbr);
}

void BbrOnTimeout(const ControlBlock& cb, SendState& tx, bool first) {
  if (first) bbr::SaveStateUponLoss(cb, tx, *tx.bbr);
  // What is slow because of the timeout is not slow because the pipe is full.
  bbr::ResetFullBw(*tx.bbr);
}

void BbrOnMark(const ControlBlock& cb, SendState& tx, uint32_t prior_flight) {
  BbrState& s = *tx.bbr;
  bbr::NoteLoss(cb, tx, s);
  s.marked = s.marked_in_round = true;
  s.too_high = true;
  s.too_high_app_limited = s.sampler.app_limited();
  s.too_high_inflight = prior_flight;
}

void BbrOnRepairedLoss(const ControlBlock& cb, SendState& tx) {
  bbr::NoteLoss(cb, tx, *tx.bbr);
  tx.bbr->loss_in_round = true;
}

void BbrOnAck(ControlBlock& cb, SendState& tx, uint32_t bytes,
              const Delivery& delivery, const Context& ctx) {
  BbrState& s = *tx.bbr;
  RateSample rs = s.sampler.OnAck(bytes, delivery, tx.min_rtt_us, ctx.now.us);
  rs.newly_lost = s.lost_now;
  s.mss = cb.mss;
  if (rs.rate != 0) {
    s.last_rate = rs.rate;
    s.last_rate_limited = rs.app_limited;
  }
  s.grain_us = cb.srtt_us / 8 / 32;
  const Turn turn{cb, tx, s, rs, Pipe(cb, tx), ctx.now.us};
  TakeLosses(turn);
  UpdateModelAndState(turn);
  s.marked = false;
  s.lost_now = 0;
  if (s.pacing_rate == 0) InitPacingRate(cb, s);
  bbr::SetPacingRate(s, BbrPacingGain(s.phase));
  SetCwnd(turn);
}

void BbrUndo(ControlBlock& cb, SendState& tx) {
  BbrState& s = *tx.bbr;
  bbr::RestoreCwnd(cb, s);
  s.loss_in_round = false;
  s.lost_now = 0;
  s.too_high = false;
  bbr::ResetFullBw(s);
  s.bw_shortterm = std::max(s.bw_shortterm, s.undo_bw_shortterm);
  s.inflight_shortterm =
      std::max(s.inflight_shortterm, s.undo_inflight_shortterm);
  s.inflight_longterm = std::max(s.inflight_longterm, s.undo_inflight_longterm);
  if (s.undo_phase == BbrPhase::kStartup && s.phase != BbrPhase::kStartup) {
    s.filled_pipe = false;
    if (s.phase != BbrPhase::kProbeRtt) bbr::EnterStartup(s);
  } else if (s.undo_phase == BbrPhase::kProbeUp &&
             s.phase != BbrPhase::kProbeUp && s.phase != BbrPhase::kProbeRtt) {
    bbr::StartProbeRefill(s);
  }
  s.undo_phase = BbrPhase::kDrain;
}

uint32_t BbrPaceInterval(BbrState& s, uint32_t bytes) {
  if (s.pacing_rate == 0) return 0;
  const uint64_t whole = uint64_t{bytes} * 1'000'000 + s.pace_remainder;
  s.pace_remainder = whole % s.pacing_rate;
  return static_cast<uint32_t>(
      std::min<uint64_t>(whole / s.pacing_rate, kLongestPaceUs));
}

}  // namespace corelane::tcp
