#include "proto/tcp/congestion_control.h"

#include <algorithm>

#include "proto/tcp/cubic.h"
#include "proto/tcp/dctcp.h"
#include "proto/tcp/hystart.h"
#include "proto/tcp/reno_growth.h"
#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {
namespace {

struct Name {
  std::string_view name;
  CongestionControl control;
};
// The first of several names is the one that is shown.
constexpr Name kNames[] = {
    {"newreno", CongestionControl::kNewReno},
    {"reno", CongestionControl::kNewReno},  // as other systems call it
    {"cubic", CongestionControl::kCubic},
    {"dctcp", CongestionControl::kDctcp},
    {"bbr", CongestionControl::kBbr},
};

// RFC 9406 is for the first slow start: until a congestion event, or HyStart++
// itself, has set ssthresh. DCTCP's marks come before the delay it looks for.
bool UsesHyStart(const ControlBlock& cb, const Config& config) {
  return config.hystart && config.congestion != CongestionControl::kDctcp &&
         cb.ssthresh >= kMaxCwnd;
}

uint32_t SlowStartStep(const ControlBlock& cb, const SendState& tx,
                       uint32_t acked, const Config& config) {
  const uint32_t mss = std::max<uint32_t>(cb.mss, 1);
  // RFC 3465 section 2.3: what the first ACKs after a timeout cover may have
  // arrived before it, and says nothing of the path as it is now.
  if (tx.phase == SendPhase::kLoss) return std::min(acked, mss);
  if (UsesHyStart(cb, config)) {
    return HyStartStep(tx.congestion.hystart, acked, mss, config.pacing);
  }
  return std::min(acked, kSlowStartLimit * mss);
}

// Whether this acknowledgment begins a round.
bool StartsRound(const ControlBlock& cb, const CongestionState& state) {
  return state.flight == 0 || cb.snd_una > state.round_end;
}

}  // namespace

std::optional<CongestionControl> CongestionControlByName(
    std::string_view name) {
  for (const Name& known : kNames) {
    if (known.name == name) return known.control;
  }
  return std::nullopt;
}

std::string_view NameOf(CongestionControl control) {
  for (const Name& known : kNames) {
    if (known.control == control) return known.name;
  }
  return "unknown";
}

void ObserveAck(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx) {
  CongestionState& state = tx.congestion;
  const CongestionControl control = ctx.config.congestion;
  const bool dctcp = control == CongestionControl::kDctcp;
  const bool hystart = UsesHyStart(cb, ctx.config);
  if (dctcp) CountMarks(state.dctcp, sample.acked, sample.ece);
  if (StartsRound(cb, state)) {
    state.round_end = cb.snd_nxt;
    state.flight_before = state.flight;
    state.flight = 1;
    if (dctcp) EndDctcpWindow(state.dctcp);
    if (hystart) StartHyStartRound(state.hystart);
  }
  state.flight = std::max(state.flight, sample.prior_flight);
  if (hystart && sample.rtt_us > 0) {
    AddHyStartSample(state.hystart, sample.rtt_us);
  }
  if (control == CongestionControl::kCubic) {
    ObserveCubic(cb, state.cubic, sample, ctx.now.us);
  }
}

void GrowWindow(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx) {
  const Config& config = ctx.config;
  if (UsesHyStart(cb, config) && HyStartIsDone(tx.congestion.hystart)) {
    cb.ssthresh = std::max(cb.cwnd, LeastThreshold(cb));
  }
  // RFC 7661 section 4.3, RFC 9438 section 4.6: what was not used has not been
  // shown to be there.
  if (!sample.cwnd_limited) return;
  uint32_t acked = sample.acked;
  if (cb.cwnd < cb.ssthresh) {
    EndCubicStage(tx.congestion.cubic);
    acked = GrowToThreshold(cb, SlowStartStep(cb, tx, acked, config));
  }
  if (acked > 0) {
    switch (config.congestion) {
      case CongestionControl::kCubic:
        GrowCubic(cb, tx, acked);
        break;
      case CongestionControl::kNewReno:
      case CongestionControl::kDctcp:
      case CongestionControl::kBbr:
        GrowReno(cb, tx, acked);
        break;
    }
  }
  cb.cwnd =
      std::clamp(cb.cwnd, std::max<uint32_t>(cb.mss, 1), uint32_t{kMaxCwnd});
}

uint32_t ThresholdAfter(ControlBlock& cb, SendState& tx, CongestionEvent event,
                        const Context& ctx) {
  CongestionState& state = tx.congestion;
  switch (ctx.config.congestion) {
    case CongestionControl::kCubic:
      return CubicThreshold(cb, state.cubic, event);
    case CongestionControl::kDctcp:
      if (event == CongestionEvent::kEcn) {
        return DctcpThreshold(cb, state.dctcp);
      }
      break;
    case CongestionControl::kNewReno:
    case CongestionControl::kBbr:
      break;
  }
  return RenoThreshold(cb, tx);
}

void UndoReduction(ControlBlock&, SendState& tx, const Context& ctx) {
  if (ctx.config.congestion == CongestionControl::kCubic) {
    UndoCubic(tx.congestion.cubic);
  }
}

}  // namespace corelane::tcp
