// BBR's model of the path: what an acknowledgment changes of it, and what
// follows from it (draft-ietf-ccwg-bbr section 5.5). For bbr.cc and
// bbr_cycle.cc.
#ifndef CORELANE_PROTO_TCP_BBR_MODEL_H_
#define CORELANE_PROTO_TCP_BBR_MODEL_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/bbr_state.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp::bbr {

// One acknowledgment. SND.UNA, the scoreboard and the phase have been changed
// by it already; cwnd is what BBR makes of it.
struct Turn {
  ControlBlock& cb;
  SendState& tx;
  BbrState& s;
  const RateSample& rs;
  uint32_t inflight;  // C.inflight
  uint32_t now_us;
};

// Whether the loss rate was above BBR.LossThresh, 2 %, when `in_flight` bytes
// were under way. One segment says nothing of a rate: of fewer than 50 in
// flight it would be more than 2 % whenever it is lost.
inline bool IsTooHigh(const BbrState& s, uint32_t lost, uint32_t in_flight) {
  if (!s.sack) return lost > 0;
  return lost > s.mss && uint64_t{lost} * 50 > in_flight;
}

inline uint64_t MaxBw(const BbrState& s) {
  return std::max(s.max_bw[0], s.max_bw[1]);
}

inline bool InProbeBw(BbrPhase phase) {
  return phase >= BbrPhase::kProbeDown && phase <= BbrPhase::kProbeUp;
}

inline bool IsProbingBw(BbrPhase phase) {
  return phase == BbrPhase::kStartup || phase == BbrPhase::kProbeRefill ||
         phase == BbrPhase::kProbeUp;
}

inline uint32_t MinPipeCwnd(const ControlBlock& cb) { return 4u * cb.mss; }

// BBR.bdp of `bw` times percent / 100.
uint32_t BdpMultiple(const BbrState& s, uint64_t bw, uint32_t percent);

// What has to be in flight for full throughput, quantized (Inflight()).
uint32_t Inflight(const ControlBlock& cb, const BbrState& s, uint64_t bw,
                  uint32_t percent);
uint32_t QuantizationBudget(const ControlBlock& cb, const BbrState& s,
                            uint32_t inflight);
uint32_t InflightWithHeadroom(const ControlBlock& cb, const BbrState& s);
uint32_t TargetInflight(const ControlBlock& cb, const BbrState& s);

inline void StartRound(BbrState& s) {
  s.next_round_delivered = s.sampler.delivered();
}

void ResetShortTermModel(BbrState& s);
void ResetCongestionSignals(BbrState& s);
void ResetFullBw(BbrState& s);
void SaveCwnd(const ControlBlock& cb, const SendState& tx, BbrState& s);
void RestoreCwnd(ControlBlock& cb, const BbrState& s);
void SaveStateUponLoss(const ControlBlock& cb, const SendState& tx,
                       BbrState& s);

// The steps of UpdateModelAndState() that only learn, in their order.
void NoteLoss(const ControlBlock& cb, const SendState& tx, BbrState& s);
void UpdateLatestDeliverySignals(const Turn& t);
void UpdateCongestionSignals(const Turn& t);
void UpdateAckAggregation(const Turn& t);
void UpdateMinRtt(const Turn& t);
void AdvanceLatestDeliverySignals(const Turn& t);
inline void BoundBwForModel(BbrState& s) {
  s.bw = std::min(MaxBw(s), s.bw_shortterm);
}

// pacing_rate = bw * percent / 100, less the margin of 1 %. Before the pipe has
// once been full it only grows.
void SetPacingRate(BbrState& s, uint32_t percent);

// ---- bbr_cycle.cc: the state machine

void EnterStartup(BbrState& s);
void StartProbeRefill(BbrState& s);
// HandleInflightTooHigh(): probing went up to `in_flight`, which was too much.
void OnInflightTooHigh(const Turn& t, uint32_t in_flight, bool app_limited);
void CheckFullBwReached(const Turn& t);
void CheckStartupDone(const Turn& t);
void CheckDrainDone(const Turn& t);
void UpdateProbeBwCyclePhase(const Turn& t);
void CheckProbeRtt(const Turn& t);
void CheckProbeRttDone(ControlBlock& cb, BbrState& s, uint32_t now_us);

}  // namespace corelane::tcp::bbr

#endif  // CORELANE_PROTO_TCP_BBR_MODEL_H_
