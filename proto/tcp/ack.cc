#include "proto/tcp/ack.h"

#include <algorithm>

#include "proto/tcp/congestion.h"
#include "proto/tcp/header_prediction.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

SeqNum OfferedEdge(const ControlBlock& cb, const Segment& segment) {
  return segment.ack +
         (static_cast<uint32_t>(segment.window) << cb.snd_wscale());
}

void UpdateSendWindow(ControlBlock& cb, const Segment& segment) {
  const bool newer = cb.snd_wl1 < segment.seq ||
                     (cb.snd_wl1 == segment.seq && cb.snd_wl2 <= segment.ack);
  if (!newer) return;
  cb.snd_edge = OfferedEdge(cb, segment);
  cb.snd_wl1 = segment.seq;
  cb.snd_wl2 = segment.ack;
  cb.max_window = std::max(cb.max_window, cb.SendWindow());
  if (cb.Has(kPersist)) {
    // The peer answers: it is alive, however long its window stays closed.
    cb.retransmits = 0;
    if (cb.SendWindow() > 0) {
      StopRetransmit(cb);
      cb.Clear(kProbe);
      if (cb.snd_una != cb.snd_max) cb.snd_nxt = cb.snd_una;
    }
  }
}

// RFC 9293 section 3.10.7.4, SYN-RECEIVED (here: after a simultaneous open).
bool CompleteHandshake(ControlBlock& cb, const Segment& segment,
                       const Context& ctx, IngestResult& result) {
  if (segment.ack <= cb.snd_una || segment.ack > cb.snd_max) {
    result.reply_reset = true;
    return false;
  }
  cb.state = cb.Has(kFinQueued) ? State::kFinWait1 : State::kEstablished;
  cb.snd_una = cb.iss + 1;
  cb.snd_nxt = SeqMax(cb.snd_nxt, cb.snd_una);
  cb.snd_edge = OfferedEdge(cb, segment);
  cb.snd_wl1 = segment.seq;
  cb.snd_wl2 = segment.ack;
  cb.max_window = cb.SendWindow();
  cb.Clear(kSynDue);
  StopRetransmit(cb);
  StartCongestion(cb, ctx.config);
  cb.retransmits = 0;
  UpdatePrediction(cb);
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
  const Tick interval = ToTicks(500ms);
  if (cb.challenge_at != 0 &&
      TickBefore(ctx.now.tick, cb.challenge_at + interval)) {
    return false;
  }
  cb.challenge_at = ctx.now.tick | 1;  // 0 means never
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
    UpdateSendWindow(cb, segment);
    if (cb.Has(kFinQueued) && segment.ack == cb.SendEnd()) {
      OnFinAcked(cb, ctx, result);
    }
  } else if (segment.ack == cb.snd_una) {
    if (IsDuplicateAck(cb, segment)) {
      OnDuplicateAck(cb, ctx.counters);
    }
    UpdateSendWindow(cb, segment);
  }
  return (result.events & (kFinished | kToTimeWait)) == 0;
}

}  // namespace corelane::tcp
