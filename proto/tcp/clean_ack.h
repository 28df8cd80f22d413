// What an acknowledgment does to a sender in good order: nothing is lost, known
// to be duplicated, or being probed for. The outcome is that of
// OnAcknowledgment (recovery.h), with all steps left out that find nothing
// then; it asks here first.
#ifndef CORELANE_PROTO_TCP_CLEAN_ACK_H_
#define CORELANE_PROTO_TCP_CLEAN_ACK_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/congestion_control.h"
#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/rack.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/scaled_growth.h"
#include "proto/tcp/send_state.h"
#include "proto/tcp/send_use.h"
#include "proto/tcp/sent_list.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {

// Whether what was acknowledged shows that waiting on is worth it. A released
// connection is not held by single bytes (CVE-2008-4609), but neither given up
// because its peer's window is smaller than a segment.
inline bool IsProgress(const ControlBlock& cb, uint32_t acked, SeqNum ack) {
  constexpr uint16_t kFewBytes = 256;
  return !cb.Has(kOrphan) || acked >= std::min(cb.mss, kFewBytes) ||
         ack == cb.SendEnd();
}

// Whether the acknowledgment may be the ordinary one of a sender in good order:
// of what has been in flight for longest, in one run that left once.
inline bool IsCleanAck(const ControlBlock& cb, const SendState& tx,
                       const Acknowledgment& a) {
  const SentRange& run = tx.ranges[0];
  return a.ack != cb.snd_una && a.options->sack_count == 0 && !a.ece &&
         tx.range_count != 0 && a.ack <= run.end &&
         run.fate == SentRange::Fate::kInFlight && !run.retransmitted &&
         tx.phase == SendPhase::kOpen &&
         (tx.sacked_bytes | tx.lost_bytes | tx.dup_acks | tx.mtu_probe_size) ==
             0 &&
         !tx.Has(kProbeOut | kCwrHold | kTimedOut | kDsackSeen) &&
         a.ack >= tx.fack && tx.bbr == nullptr;
}

// What is left of OnAcknowledgment then: all steps that would find nothing are
// left out, and the result is the same. `all`: nothing remains in flight. Else
// RACK must have nothing to say of the rest.
inline void OnCleanAck(ControlBlock& cb, SendState& tx, SeqNum ack, bool all,
                       const Context& ctx) {
  const uint32_t sent_us = tx.ranges[0].sent_us;
  AckSample sample;
  sample.prior_una = cb.snd_una;
  sample.acked = sample.delivered = ack - cb.snd_una;
  sample.prior_flight = cb.snd_nxt - cb.snd_una;
  sample.cwnd_limited = WindowWasUsed(cb, tx);
  sample.rtt_us = std::max<uint32_t>(ctx.now.us - sent_us, 1);
  tx.active_ms = ctx.now.ms;
  if (all) {
    tx.range_count = 0;
  } else {
    SentList(tx, cb.snd_una).AckInFirst(ack);
  }
  cb.snd_una = ack;
  if (IsProgress(cb, sample.acked, ack)) cb.retransmits = 0;
  cb.una_since = ctx.now.tick;
  OnRttSample(cb, sample.rtt_us, ctx.config);
  UpdateMinRtt(tx, sample.rtt_us, ctx);
  if (cb.Has(kSack)) RackUpdateClean(tx, sent_us, ack, ctx);
  tx.fack = ack;
  ObserveAck(cb, tx, sample, ctx);
  GrowWindow(cb, tx, sample, ctx);
  cb.cwnd = std::clamp<uint32_t>(cb.cwnd, cb.mss, kMaxCwnd);
  if (all) {
    StopRetransmit(cb);
  } else {
    RearmRetransmit(cb, tx, ctx);
  }
}

// False, and nothing changed, if RACK may deem lost what remains.
[[gnu::noinline]] inline bool OnCleanPartialAck(ControlBlock& cb, SendState& tx,
                                                SeqNum ack,
                                                const Context& ctx) {
  if (!RackKnowsNoneAfter(tx, tx.ranges[0], ack) || cb.Has(kReorderTimer)) {
    return false;
  }
  OnCleanAck(cb, tx, ack, false, ctx);
  return true;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CLEAN_ACK_H_
