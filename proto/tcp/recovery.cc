#include "proto/tcp/recovery.h"

#include <algorithm>

#include "proto/tcp/bbr.h"
#include "proto/tcp/clean_ack.h"
#include "proto/tcp/congestion_control.h"
#include "proto/tcp/path_mtu.h"
#include "proto/tcp/prr.h"
#include "proto/tcp/rack.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/sack.h"
#include "proto/tcp/scaled_growth.h"
#include "proto/tcp/sent_list.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/undo.h"

namespace corelane::tcp {
namespace {

constexpr uint8_t kDupAckThreshold = 3;

// What one acknowledgment has told so far; the steps below fill it in.
struct Step {
  AckSample sample;
  Delivery delivery;
  SackReport report;
  bool newly_lost = false;
  bool reduced = false;  // a reduction has just come to its end
  // RFC 6582: the segment after a partial acknowledgment goes at once.
  bool resend_now = false;
};

// What duplicates stand for cannot be what is known to be lost.
void LimitDuplicates(const ControlBlock& cb, SendState& tx) {
  if (cb.Has(kSack)) return;
  const uint32_t flight = cb.snd_nxt - cb.snd_una;
  tx.sacked_bytes = std::min(tx.sacked_bytes, flight - tx.lost_bytes);
}

// Without SACK each duplicate stands for one segment that has arrived,
// whichever that is (RFC 5681 section 3.2): the sum plays the part of the
// SACKed bytes.
void CountDuplicates(const ControlBlock& cb, SendState& tx,
                     const Acknowledgment& a, Step& step) {
  const uint32_t flight = cb.snd_nxt - cb.snd_una;
  if (step.sample.acked > 0) {
    const uint32_t known = std::min(tx.sacked_bytes, step.sample.acked);
    step.delivery.bytes -= std::min(step.delivery.bytes, known);
    // A partial acknowledgment uses up the duplicates of what it covers.
    tx.sacked_bytes -=
        std::min(tx.sacked_bytes,
                 step.sample.acked > cb.mss ? step.sample.acked - cb.mss : 0u);
    tx.dup_acks = 0;
    if (a.ack >= tx.recover || tx.phase < SendPhase::kRecovery) {
      tx.sacked_bytes = 0;
    }
  } else if (a.duplicate) {
    if (tx.dup_acks < 255) ++tx.dup_acks;
    tx.sacked_bytes += cb.mss;
    step.delivery.bytes += cb.mss;
  }
  const uint32_t most = flight > cb.mss ? flight - cb.mss : 0;
  tx.sacked_bytes = std::min(tx.sacked_bytes, most);
  LimitDuplicates(cb, tx);
}

// RFC 6298 (3), Karn's algorithm: not from what was sent more than once, except
// by the timestamps (RFC 7323 section 4), whose grain is a millisecond.
uint32_t MeasureRtt(const ControlBlock& cb, const Acknowledgment& a,
                    const Step& step, const Context& ctx) {
  if (step.sample.acked == 0) return 0;
  const Delivery& d = step.delivery;
  if (d.has_first && !d.resent) {
    return std::max<uint32_t>(ctx.now.us - d.first_us, 1);
  }
  const Options& options = *a.options;
  if (!cb.Has(kTimestamps) || !options.has_timestamps || options.ts_echo == 0) {
    return 0;
  }
  const uint32_t sent_ms = options.ts_echo - cb.ts_offset;
  const uint32_t elapsed_ms = ctx.now.ms - sent_ms;
  if (elapsed_ms > 60'000) return 0;
  return std::max<uint32_t>(elapsed_ms, 1) * 1000;  // the grain
}

void BeginReduction(ControlBlock& cb, SendState& tx, const Step& step,
                    CongestionEvent event, const Context& ctx) {
  if (tx.bbr != nullptr) {
    BbrEnterRecovery(cb, tx);
    return;
  }
  cb.ssthresh = ThresholdAfter(cb, tx, event, ctx);
  StartReduction(cb, tx, step.sample.delivered);
}

void EnterRecovery(ControlBlock& cb, SendState& tx, const Step& step,
                   const Context& ctx) {
  ++ctx.counters.fast_retransmits;
  const bool reducing = tx.phase == SendPhase::kCwr;
  RememberForUndo(cb, tx, reducing);
  tx.recover = cb.snd_nxt;
  if (!reducing) BeginReduction(cb, tx, step, CongestionEvent::kLoss, ctx);
  tx.phase = SendPhase::kRecovery;
}

void Calm(SendState& tx) {
  const bool disorder = tx.sacked_bytes > 0 || tx.dup_acks > 0;
  tx.phase = disorder ? SendPhase::kDisorder : SendPhase::kOpen;
}

// RFC 8985 section 6.2 step 4: the reordering window that duplicates have
// widened narrows again after so many recoveries without.
void NoteRecovered(SendState& tx) {
  if (tx.reorder_window_persist == 0) return;
  if (--tx.reorder_window_persist == 0) tx.reorder_window_mult = 1;
}

// RFC 9937: at the end the window is ssthresh, whatever PRR has let out.
void EndReduction(ControlBlock& cb, SendState& tx) {
  if (tx.bbr != nullptr) {
    BbrLeaveRecovery(cb, tx);
  } else {
    cb.cwnd = std::max<uint32_t>(cb.ssthresh, cb.mss);
  }
  Calm(tx);
}

// After an ECN mark, or a loss that a probe has repaired.
void EnterCwr(ControlBlock& cb, SendState& tx, const Step& step,
              const Context& ctx) {
  tx.Clear(kCanUndo);
  BeginReduction(cb, tx, step, CongestionEvent::kEcn, ctx);
  tx.recover = cb.snd_nxt;
  tx.phase = SendPhase::kCwr;
  if (cb.snd_una == cb.snd_nxt) EndReduction(cb, tx);
}

// Marks by whatever tells losses on this connection.
void DetectLoss(ControlBlock& cb, SendState& tx, bool partial, Step& step,
                const Context& ctx) {
  if (cb.Has(kSack)) {
    step.newly_lost = RackDetectLoss(cb, tx, ctx);
    return;
  }
  const bool third = tx.phase < SendPhase::kRecovery &&
                     tx.dup_acks >= kDupAckThreshold &&
                     // RFC 6582 section 3.2 step 2: not for the duplicates that
                     // resending a window after a timeout brought about.
                     (!tx.Has(kTimedOut) || cb.snd_una > tx.recover);
  if (third || partial) {
    const uint32_t before = tx.lost_bytes;
    SentList(tx, cb.snd_una).MarkHeadLost(cb.mss);
    step.newly_lost = tx.lost_bytes > before;
    step.resend_now = step.newly_lost;
    LimitDuplicates(cb, tx);
  }
}

// Open, Disorder and Cwr: is something lost, or marked?
void OnAckWhileOpen(ControlBlock& cb, SendState& tx, Step& step,
                    const Context& ctx) {
  if (tx.phase == SendPhase::kCwr && cb.snd_una >= tx.recover) {
    EndReduction(cb, tx);
    step.reduced = true;
  }
  DetectLoss(cb, tx, false, step, ctx);
  if (tx.lost_bytes > 0 && !OnlyMtuProbeLost(cb, tx)) {
    EnterRecovery(cb, tx, step, ctx);
    return;
  }
  if (tx.bbr != nullptr && tx.lost_bytes > 0) BbrForgetLosses(*tx.bbr);
  if (tx.phase == SendPhase::kCwr) return;
  Calm(tx);
  // RFC 3168 section 6.1.2: once per window of data.
  if (tx.Has(kCwrHold) && cb.snd_una >= tx.cwr_end) tx.Clear(kCwrHold);
  if (step.sample.ece && cb.Has(kEcn) && !tx.Has(kCwrHold)) {
    tx.cwr_end = cb.snd_nxt;
    tx.Set(kCwrDue | kCwrHold);
    ++ctx.counters.ecn_reductions;
    if (tx.bbr != nullptr) BbrOnMark(cb, tx, step.sample.prior_flight);
    EnterCwr(cb, tx, step, ctx);
  }
}

void OnAckInRecovery(ControlBlock& cb, SendState& tx, const Acknowledgment& a,
                     Step& step, const Context& ctx) {
  if (WasSpurious(cb, tx, *a.options, step.sample.acked > 0)) {
    Undo(cb, tx, ctx);
    return;
  }
  if (cb.snd_una >= tx.recover) {
    tx.Clear(kCanUndo);
    NoteRecovered(tx);
    EndReduction(cb, tx);
    step.reduced = true;
    // What was sent since may be lost as well: that is a loss of its own.
    DetectLoss(cb, tx, false, step, ctx);
    if (tx.lost_bytes > 0) EnterRecovery(cb, tx, step, ctx);
    return;
  }
  DetectLoss(cb, tx, step.sample.acked > 0, step, ctx);
}

// RFC 5682 section 3.1 step 2b: the first acknowledgment after the timeout only
// covers what was sent again. New data goes out instead of more old data, and
// the next acknowledgment tells: of the original (the timeout was spurious), or
// not.
void StepFrto(const ControlBlock& cb, SendState& tx, bool advanced) {
  if (!tx.Has(kFrto)) return;
  const bool has_new = cb.snd_queued > cb.snd_nxt && cb.snd_edge > cb.snd_nxt;
  if (tx.Has(kFrtoNewData) || !advanced || !has_new) {
    tx.Clear(kFrto | kFrtoNewData);
    return;
  }
  tx.Set(kFrtoNewData);
  tx.recover = cb.snd_nxt;
}

// RFC 5682 and Eifel: the timeout was spurious if what it deemed lost arrives
// without having been sent again.
void OnAckInLoss(ControlBlock& cb, SendState& tx, const Acknowledgment& a,
                 Step& step, const Context& ctx) {
  const bool advanced = step.sample.acked > 0;
  // Without SACK the first acknowledgment may cover what has been waiting
  // behind the hole; only the one after the new data tells (RFC 5682
  // section 2.1).
  const bool telling = cb.Has(kSack) ? tx.Has(kFrto) : tx.Has(kFrtoNewData);
  if ((telling && step.delivery.original > 0) ||
      WasSpurious(cb, tx, *a.options, advanced)) {
    ++ctx.counters.spurious_timeouts;
    Undo(cb, tx, ctx);
    return;
  }
  if (cb.snd_una >= tx.recover) {
    tx.Clear(kFrto | kFrtoNewData | kCanUndo);
    NoteRecovered(tx);
    if (tx.bbr != nullptr) BbrLeaveRecovery(cb, tx);
    Calm(tx);
    DetectLoss(cb, tx, false, step, ctx);
    if (tx.lost_bytes > 0) EnterRecovery(cb, tx, step, ctx);
    return;
  }
  StepFrto(cb, tx, advanced);
  if (cb.Has(kSack)) step.newly_lost = RackDetectLoss(cb, tx, ctx);
}

void ChangePhase(ControlBlock& cb, SendState& tx, const Acknowledgment& a,
                 Step& step, const Context& ctx) {
  switch (tx.phase) {
    case SendPhase::kRecovery:
      OnAckInRecovery(cb, tx, a, step, ctx);
      break;
    case SendPhase::kLoss:
      OnAckInLoss(cb, tx, a, step, ctx);
      break;
    default:
      OnAckWhileOpen(cb, tx, step, ctx);
      break;
  }
}

void ChangeWindow(ControlBlock& cb, SendState& tx, const Step& step,
                  const Context& ctx) {
  if (tx.bbr != nullptr) {
    BbrOnAck(cb, tx, step.sample.delivered, step.delivery, ctx);
  } else if (tx.phase == SendPhase::kRecovery || tx.phase == SendPhase::kCwr) {
    ReduceProportionally(cb, tx, step.sample.delivered,
                         step.sample.acked > 0 && !step.newly_lost);
    if (step.resend_now) {
      cb.cwnd = std::max<uint32_t>(cb.cwnd, Pipe(cb, tx) + cb.mss);
    }
  } else if (step.sample.acked > 0 && step.sample.delivered > 0 &&
             !step.reduced) {
    // What SACKs have told of before has been counted (RFC 5681's "previously
    // unacknowledged").
    AckSample sample = step.sample;
    sample.acked = std::min(sample.acked, sample.delivered);
    sample.cwnd_limited &= WindowWasUsed(cb, tx);  // no longer after an Undo
    GrowWindow(cb, tx, sample, ctx);
  }
  cb.cwnd = std::clamp<uint32_t>(cb.cwnd, cb.mss, kMaxCwnd);
}

}  // namespace

void RearmRetransmit(ControlBlock& cb, SendState& tx, const Context& ctx) {
  if (cb.snd_una == cb.snd_nxt) {
    StopRetransmit(cb);  // a window that is closed has its timer started anew
    return;
  }
  if (cb.Has(kReorderTimer) || cb.Has(kPersist)) return;
  if (ScheduleTailProbe(cb, tx, ctx)) return;
  ArmRetransmit(cb, ctx);
}

void OnAcknowledgment(ControlBlock& cb, SendState& tx, const Acknowledgment& a,
                      const Context& ctx) {
  if (IsCleanAck(cb, tx, a)) [[likely]] {
    if (a.ack == cb.snd_nxt) [[likely]] {
      OnCleanAck(cb, tx, a.ack, true, ctx);
      return;
    }
    if (OnCleanPartialAck(cb, tx, a.ack, ctx)) return;
  }
  if (tx.bbr != nullptr) BbrBeforeAck(cb, tx);
  Step step;
  AckSample& sample = step.sample;
  sample.prior_una = cb.snd_una;
  sample.prior_flight = Pipe(cb, tx);
  sample.ece = a.ece;
  sample.cwnd_limited = WindowWasUsed(cb, tx);
  sample.acked = a.ack - cb.snd_una;
  tx.active_ms = ctx.now.ms;
  SentList list(tx, cb.snd_una);
  if (cb.Has(kSack)) {
    step.report =
        ProcessSack(cb, tx, a.carried, *a.options, list, step.delivery, ctx);
  }
  if (sample.acked > 0) {
    list.AckUpTo(a.ack, step.delivery);
    cb.snd_una = a.ack;
    if (IsProgress(cb, sample.acked, a.ack)) cb.retransmits = 0;
    cb.una_since = ctx.now.tick;
    if (tx.mtu_probe_size != 0) NoteMtuAck(cb, tx);
  }
  if (!cb.Has(kSack)) CountDuplicates(cb, tx, a, step);
  sample.delivered = step.delivery.bytes;
  sample.rtt_us = MeasureRtt(cb, a, step, ctx);
  if (sample.rtt_us != 0) {
    OnRttSample(cb, sample.rtt_us, ctx.config);
    // Timestamps are too coarse for it.
    if (!step.delivery.resent) UpdateMinRtt(tx, sample.rtt_us, ctx);
  }
  if (cb.Has(kSack)) {
    RackUpdate(cb, tx, step.delivery, step.report, *a.options, ctx);
  }
  if (step.delivery.has_latest) {
    tx.fack = SeqMax(tx.fack, step.delivery.highest_end);
  }
  ObserveAck(cb, tx, sample, ctx);
  if (OnTailProbeAck(tx, a.ack, a.duplicate, step.report,
                     a.options->sack_count > 0) &&
      tx.phase < SendPhase::kCwr) {
    if (tx.bbr != nullptr) BbrOnRepairedLoss(cb, tx);
    EnterCwr(cb, tx, step, ctx);  // the probe repaired a loss
  }
  ChangePhase(cb, tx, a, step, ctx);
  ChangeWindow(cb, tx, step, ctx);
  if (tx.Has(kTimedOut) && cb.snd_una > tx.recover) tx.Clear(kTimedOut);
  if (sample.acked > 0 || !cb.Has(kRetransmitTimer)) {
    RearmRetransmit(cb, tx, ctx);  // RFC 6298 (5.2), (5.3)
  } else if (cb.Has(kTailTimer) && tx.sacked_bytes > 0) {
    ArmRetransmitFromHead(cb, tx, ctx);  // no probe is needed any more
  }
}

void OnTimeout(ControlBlock& cb, SendState& tx, const Context& ctx) {
  const bool first = tx.phase != SendPhase::kLoss || cb.snd_una > tx.undo_from;
  const bool was_recovering = tx.phase == SendPhase::kRecovery;
  if (first) {
    RememberForUndo(cb, tx, false);
    if (tx.bbr == nullptr) {
      cb.ssthresh = ThresholdAfter(cb, tx, CongestionEvent::kTimeout, ctx);
    }
  }
  if (tx.bbr != nullptr) BbrOnTimeout(cb, tx, first);
  SentList list(tx, cb.snd_una);
  // RFC 2018 section 8: a receiver that has SACKed what it still misses at the
  // front has thrown its data away.
  if (!list.empty() && list[0].fate == SentRange::Fate::kSacked) {
    list.ForgetSacks();
  }
  if (!cb.Has(kSack)) tx.sacked_bytes = 0;
  // RFC 8985 section 6.3: the oldest, and what has had its time.
  const uint32_t limit = tx.rack_rtt_us + ReorderWindow(cb, tx);
  for (uint32_t i = 0; i < list.size(); ++i) {
    const bool aged = ctx.now.us - list[i].sent_us >= limit;
    if (i == 0 || aged || !cb.Has(kSack) || !tx.Has(kRackValid)) {
      list.MarkLost(i);
    }
  }
  // One segment more than what may still be under way.
  cb.cwnd = Pipe(cb, tx) + cb.mss;
  tx.dup_acks = 0;
  tx.recover = cb.snd_nxt;
  tx.phase = SendPhase::kLoss;
  tx.Clear(kProbeOut | kFrto | kFrtoNewData);
  tx.Set(kTimedOut);
  if (ctx.config.frto && first && !was_recovering) tx.Set(kFrto);
}

void OnReorderTimeout(ControlBlock& cb, SendState& tx, const Context& ctx) {
  Step step;
  step.newly_lost = RackDetectLoss(cb, tx, ctx);
  if (step.newly_lost && tx.phase < SendPhase::kRecovery &&
      !OnlyMtuProbeLost(cb, tx)) {
    EnterRecovery(cb, tx, step, ctx);
  }
  if (step.newly_lost && tx.phase == SendPhase::kRecovery &&
      tx.bbr == nullptr) {
    ReduceProportionally(cb, tx, 0, false);
  }
  if (!cb.Has(kReorderTimer)) ArmRetransmitFromHead(cb, tx, ctx);
}

void ResendAll(ControlBlock& cb, SendState& tx) {
  if (cb.snd_una == cb.snd_nxt) return;
  SentList list(tx, cb.snd_una);
  list.ForgetSacks();
  tx.sacked_bytes = 0;
  list.MarkAllLost();
  if (tx.bbr != nullptr) BbrForgetLosses(*tx.bbr);
  tx.Clear(kRackValid);  // after long probing its times may have wrapped
  tx.dup_acks = 0;
  if (tx.bbr == nullptr &&
      (tx.phase == SendPhase::kRecovery || tx.phase == SendPhase::kCwr)) {
    cb.cwnd = std::max<uint32_t>(cb.ssthresh, cb.mss);
  }
  tx.recover = cb.snd_nxt;
  tx.phase = SendPhase::kLoss;
  tx.Clear(kProbeOut | kFrto | kFrtoNewData | kCanUndo);
}

}  // namespace corelane::tcp
