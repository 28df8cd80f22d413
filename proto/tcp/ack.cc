#include "proto/tcp/ack.h"

#include <algorithm>

#include "proto/tcp/congestion.h"
#include "proto/tcp/handshake.h"
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
void EndPersist(ControlBlock& cb, const Context& ctx) {
  StopRetransmit(cb);
  RestoreRto(cb, ctx.config);
  cb.Clear(kProbe);
  if (cb.snd_una == cb.snd_max) return;
  ArmRetransmit(cb, ctx.now);
  cb.snd_nxt = cb.snd_una;
  if (cb.Has(kFastRecovery)) cb.cwnd = cb.ssthresh;
  cb.Clear(kFastRecovery | kRetransmitHead);
}

// `advanced`: the segment acknowledged new data. It is then the latest word
// even if its sequence number is old, as a retransmission's is.
void UpdateSendWindow(ControlBlock& cb, const Segment& segment, bool advanced,
                      const Context& ctx) {
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
    if (cb.SendWindow() > 0) EndPersist(cb, ctx);
  }
}

// RFC 9293 section 3.10.7.4, SYN-RECEIVED (here: after a simultaneous open).
bool CompleteHandshake(ControlBlock& cb, const Segment& segment,
                       const Context& ctx, IngestResult& result) {
  if (segment.ack <= cb.snd_una || segment.ack > cb.snd_max) {
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
         !segment.Has(kFin | kSyn) && cb.snd_una != cb.snd_max &&
         OfferedEdge(cb, segment) == cb.snd_edge && cb.SendWindow() > 0;
}

}  // namespace

void AcknowledgeData(ControlBlock& cb, SeqNum ack, uint32_t acked,
                     const Context& ctx) {
  if (cb.Has(kTimingRtt) && ack >= cb.rtt_seq) {
    cb.Clear(kTimingRtt);
    OnRttSample(cb, ctx.now.us - cb.rtt_us, ctx.config);
  }
  if (cb.Has(kPersist)) RestoreRto(cb, ctx.config);
  OnNewAck(cb, ack, acked);
  cb.snd_una = ack;
  if (cb.snd_nxt < ack) cb.snd_nxt = ack;
  cb.retransmits = 0;
  cb.una_since = ctx.now.tick;
  if (ack == cb.snd_max) {
    StopRetransmit(cb);  // RFC 6298 (5.2)
  } else {
    ArmRetransmit(cb, ctx.now);  // (5.3)
  }
}

bool AllowChallengeAck(ControlBlock& cb, const Context& ctx) {
  const Tick now = ctx.now.tick | 1;  // 0 means never
  // By age, not by deadline: one passed 39 hours ago would lie ahead again.
  if (cb.challenge_at != 0 && now - cb.challenge_at < ToTicks(500ms)) {
    return false;
  }
  cb.challenge_at = now;
  ++ctx.counters.challenge_acks;
  return true;
}

bool ProcessAck(ControlBlock& cb, const Segment& segment, const Context& ctx,
                IngestResult& result) {
  if (!segment.Has(kAck)) return false;
  if (cb.state == State::kSynReceived &&
      !CompleteHandshake(cb, segment, ctx, result)) {
    return false;
  }
  // RFC 5961 section 5: blind data injection.
  if (segment.ack > cb.snd_max || segment.ack < cb.snd_una - cb.max_window) {
    if (AllowChallengeAck(cb, ctx)) cb.Set(kAckNow);
    return false;
  }
  if (segment.ack > cb.snd_una) {
    result.acked =
        SeqMin(segment.ack, cb.snd_queued) - SeqMin(cb.snd_una, cb.snd_queued);
    AcknowledgeData(cb, segment.ack, segment.ack - cb.snd_una, ctx);
    UpdateSendWindow(cb, segment, true, ctx);
    if (cb.Has(kFinQueued) && segment.ack == cb.SendEnd()) {
      OnFinAcked(cb, ctx, result);
    }
  } else if (segment.ack == cb.snd_una) {
    if (IsDuplicateAck(cb, segment)) {
      OnDuplicateAck(cb, ctx.counters);
    }
    UpdateSendWindow(cb, segment, false, ctx);
  }
  return (result.events & (kFinished | kToTimeWait)) == 0;
}

}  // namespace corelane::tcp
