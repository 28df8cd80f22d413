#include "proto/tcp/ack.h"

#include <algorithm>

#include "proto/tcp/handshake.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

SeqNum OfferedEdge(const ControlBlock& cb, const Segment& segment) {
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  const int scale = segment.Has(kSyn) ? 0 : cb.snd_wscale();
  return segment.ack + (static_cast<uint32_t>(segment.window) << scale);
}

// The window opened under probes, which are not retransmissions: what they and
// the closed window have kept from arriving is sent again at the usual pace.
void EndPersist(ControlBlock& cb, SendState* tx, const Context& ctx) {
  StopRetransmit(cb);
  RestoreRto(cb, ctx.config);
  cb.Clear(kProbe);
  if (tx == nullptr || cb.snd_una == cb.snd_nxt) return;
  ResendAll(cb, *tx);
  ArmRetransmit(cb, ctx);
}

// `advanced`: the segment acknowledged new data. It is then the latest word
// even if its sequence number is old, as a retransmission's is.
void UpdateSendWindow(ControlBlock& cb, const Segment& segment, bool advanced,
                      SendState* tx, const Context& ctx) {
  const bool newer = cb.snd_wl1 < segment.seq ||
                     (cb.snd_wl1 == segment.seq && cb.snd_wl2 <= segment.ack);
  if (!newer && !advanced) return;
  cb.snd_edge = OfferedEdge(cb, segment);
  cb.snd_wl1 = segment.seq;
  cb.snd_wl2 = segment.ack;
  cb.max_window = std::max(cb.max_window, cb.SendWindow());
  if (cb.Has(kPersist)) {
    // The peer answers: it is alive, however long its window stays closed. But
    // with nobody left to wait for it that is not enough (CVE-2008-4609).
    if (!cb.Has(kOrphan)) cb.retransmits = 0;
    if (cb.SendWindow() > 0) EndPersist(cb, tx, ctx);
  }
}

// RFC 9293 section 3.10.7.4, SYN-RECEIVED (here: after a simultaneous open).
bool CompleteHandshake(ControlBlock& cb, const Segment& segment,
                       const Context& ctx, IngestResult& result) {
  if (segment.ack <= cb.snd_una || segment.ack > cb.snd_nxt) {
    result.reply_reset = true;
    return false;
  }
  CompleteActive(cb, ctx);
  cb.snd_edge = OfferedEdge(cb, segment);
  cb.snd_wl1 = segment.seq;
  cb.snd_wl2 = segment.ack;
  cb.max_window = cb.SendWindow();
  result.events |= kConnected;
  return true;
}

// Our FIN has been acknowledged.
void OnFinAcked(ControlBlock& cb, const Context& ctx, IngestResult& result) {
  switch (cb.state) {
    case State::kFinWait1:
      cb.state = State::kFinWait2;
      if (cb.Has(kOrphan)) ArmIdle(cb, ctx.now, ctx.config.fin_wait2);
      break;
    case State::kClosing:
      cb.state = State::kTimeWait;
      result.events |= kToTimeWait;
      break;
    case State::kLastAck:
      cb.state = State::kClosed;
      result.events |= kFinished;
      break;
    default:
      break;
  }
}

// RFC 5681 section 2, definition of DUPLICATE ACKNOWLEDGMENT.
bool IsDuplicateAck(const ControlBlock& cb, const Segment& segment) {
  return segment.ack == cb.snd_una && segment.payload_length == 0 &&
         !segment.Has(kFin | kSyn) && cb.snd_una != cb.snd_nxt &&
         OfferedEdge(cb, segment) == cb.snd_edge && cb.SendWindow() > 0;
}

}  // namespace

bool AllowChallengeAck(ControlBlock& cb, const Context& ctx) {
  const Tick now = ctx.now.tick | 1;  // 0 means never
  // By age, not by deadline: one passed 39 hours ago would lie ahead again.
  if (cb.challenge_at != 0 && now - cb.challenge_at < ToTicks(500ms)) {
    return false;
  }
  if (ctx.challenge_budget != nullptr) {
    if (*ctx.challenge_budget == 0) return false;
    --*ctx.challenge_budget;
  }
  cb.challenge_at = now;
  ++ctx.counters.challenge_acks;
  return true;
}

bool AcceptableAck(ControlBlock& cb, const Segment& segment, const Context& ctx,
                   IngestResult& result) {
  if (!segment.Has(kAck)) return false;
  if (cb.state == State::kSynReceived) {
    return CompleteHandshake(cb, segment, ctx, result);
  }
  if (segment.ack > cb.snd_nxt) {
    // Section 3.10.7.4 wants an ACK, but not at once: two ends that believe in
    // what the other has not sent would answer each other for ever.
    if (AllowChallengeAck(cb, ctx)) ArmDelayedAck(cb, ctx);
    return false;
  }
  if (segment.ack < cb.snd_una - cb.max_window) {
    if (AllowChallengeAck(cb, ctx)) cb.Set(kAckNow);
    return false;
  }
  return true;
}

bool ProcessAck(ControlBlock& cb, const Segment& segment,
                const Options& options, SendState* tx, const Context& ctx,
                IngestResult& result) {
  const bool in_flight = tx != nullptr && cb.snd_una != cb.snd_nxt;
  if (segment.ack < cb.snd_una) {
    // Overtaken by a later one; what it says of SACKs may be news all the same.
    if (in_flight && options.sack_count > 0) {
      OnAcknowledgment(
          cb, *tx,
          {.ack = cb.snd_una, .carried = segment.ack, .options = &options},
          ctx);
    }
    return true;
  }
  const bool advanced = segment.ack > cb.snd_una;
  Acknowledgment ack{.ack = segment.ack,
                     .carried = segment.ack,
                     .duplicate = IsDuplicateAck(cb, segment),
                     .ece = segment.Has(kEce),
                     .options = &options};
  if (advanced) {
    result.acked =
        SeqMin(segment.ack, cb.snd_queued) - SeqMin(cb.snd_una, cb.snd_queued);
    if (cb.Has(kPersist)) RestoreRto(cb, ctx.config);
  }
  if (ack.duplicate) ++ctx.counters.duplicate_acks;
  if (in_flight) {
    OnAcknowledgment(cb, *tx, ack, ctx);
  }
  UpdateSendWindow(cb, segment, advanced, tx, ctx);
  if (advanced && cb.Has(kFinQueued) && segment.ack == cb.SendEnd()) {
    OnFinAcked(cb, ctx, result);
  }
  return (result.events & (kFinished | kToTimeWait)) == 0;
}

}  // namespace corelane::tcp
