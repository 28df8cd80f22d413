// Where a sender begins, and begins again.
#include <algorithm>

#include "proto/tcp/cubic.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/scaled_growth.h"

namespace corelane::tcp {

void InitSendState(const ControlBlock& cb, SendState& tx) {
  tx.recover = tx.fack = tx.undo_from = tx.limited_end = cb.snd_una;
  tx.min_rtt_us = cb.srtt_us / 8;
}

uint32_t InitialWindow(const ControlBlock& cb, const Config& config) {
  return std::min<uint32_t>(config.initial_window_segments * cb.mss,
                            std::max<uint32_t>(2u * cb.mss, 14600));
}

void StartCongestion(ControlBlock& cb, const Config& config) {
  cb.cwnd = InitialWindow(cb, config);
  // RFC 5681 section 3.1 (7): lost SYNs cost the initial window. One may be
  // lost for other reasons (RFC 6928 section 2).
  if (cb.retransmits > 1) cb.cwnd = cb.mss;
  cb.ssthresh = kMaxCwnd;
}

void RestartAfterIdle(ControlBlock& cb, SendState& tx, const Context& ctx) {
  if (!ctx.config.slow_start_after_idle || cb.snd_una != cb.snd_nxt) return;
  if (ctx.now.tick - cb.una_since <= MicrosToTicks(cb.rto_us)) return;
  // It goes on at the rate that it knows (draft-ietf-ccwg-bbr section 5.4).
  if (ctx.config.congestion == CongestionControl::kBbr) return;
  const uint32_t restart = InitialWindow(cb, ctx.config);
  if (cb.cwnd <= restart) return;
  cb.cwnd = restart;
  // Its estimate of Reno's window would give the old one back.
  EndCubicStage(tx.congestion.cubic);
}

}  // namespace corelane::tcp
