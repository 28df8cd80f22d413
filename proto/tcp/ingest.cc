#include "proto/tcp/ingest.h"

#include <algorithm>

#include "proto/tcp/ack.h"
#include "proto/tcp/ack_policy.h"
#include "proto/tcp/ecn.h"
#include "proto/tcp/header_prediction.h"
#include "proto/tcp/syn_sent.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/timestamps.h"

namespace corelane::tcp {
namespace {

// The part of a segment that lies inside the receive window.
struct Trimmed {
  SeqNum seq;
  uint32_t offset = 0;  // into the payload
  uint32_t length = 0;
  bool fin = false;
  bool cut = false;  // something lay beyond the window
};

void OweAck(ControlBlock& cb) {
  if (cb.acks_owed < 255) ++cb.acks_owed;
}

// First check: the sequence number. Beyond the RFC's table, a pure ACK at the
// very edge of the window counts as acceptable: a peer that has filled our
// window and lost a segment sends from there.
bool Acceptable(const ControlBlock& cb, const Segment& segment) {
  const uint32_t length = segment.Length();
  // A closed window still lets ACK, RST and probes in; Trim cuts the text.
  if (cb.rcv_edge == cb.rcv_nxt) return segment.seq == cb.rcv_nxt;
  if (length == 0) {
    return segment.seq >= cb.rcv_nxt && segment.seq <= cb.rcv_edge;
  }
  return segment.seq < cb.rcv_edge && segment.seq + length > cb.rcv_nxt;
}

// RFC 2883: the peer learns that it sent something twice.
void ReportDuplicate(const ControlBlock& cb, SeqNum start, SeqNum end,
                     ReceiveHoles* holes) {
  if (holes == nullptr || !cb.Has(kSack) || start >= end) return;
  holes->NoteDuplicate(start, end);
}

// Section 3.10.7.4: an unacceptable segment is answered with an ACK. A repeated
// data segment says that our ACK was lost and always earns one; for all else
// the answer is rate limited.
void OnUnacceptable(ControlBlock& cb, const Segment& segment,
                    ReceiveHoles* holes, const Context& ctx) {
  ++ctx.counters.unacceptable;
  if (segment.Has(kRst)) return;
  if (segment.payload_length > 0 || segment.Has(kFin)) {
    if (!segment.Has(kSyn)) {
      ++ctx.counters.duplicate_data;
      const SeqNum end = segment.seq + segment.payload_length;
      if (end <= cb.rcv_nxt) ReportDuplicate(cb, segment.seq, end, holes);
      cb.Set(kAckNow);
      // The peer is retransmitting: it is in slow start again and wants ACKs.
      if (cb.quick_acks < 4) cb.quick_acks = 4;
      return;
    }
  }
  if (AllowChallengeAck(cb, ctx)) cb.Set(kAckNow);
}

// Second check (RFC 5961 section 3.2): exact, in the window, or neither.
void OnReset(ControlBlock& cb, const Segment& segment, const Context& ctx,
             IngestResult& result) {
  if (segment.seq != cb.rcv_nxt) {
    if (InWindow(segment.seq, cb.rcv_nxt, cb.ReceiveWindow()) &&
        AllowChallengeAck(cb, ctx)) {
      cb.Set(kAckNow);
    }
    return;
  }
  ++ctx.counters.resets_in;
  // Simultaneous open that the peer refused (section 3.10.7.4, SYN-RECEIVED).
  if (cb.state == State::kSynReceived) ++ctx.counters.failed_opens;
  cb.error = cb.state == State::kSynReceived ? Error::kRefused : Error::kReset;
  cb.state = State::kClosed;
  result.events |= kBroken;
}

Trimmed Trim(const ControlBlock& cb, const Segment& segment) {
  Trimmed t{.seq = segment.seq,
            .length = segment.payload_length,
            .fin = segment.Has(kFin)};
  if (t.seq < cb.rcv_nxt) {
    // At most the whole text: the segment is acceptable.
    t.offset = std::min(cb.rcv_nxt - t.seq, t.length);
    t.length -= t.offset;
    t.seq = cb.rcv_nxt;
  }
  const uint32_t room = cb.rcv_edge > t.seq ? cb.rcv_edge - t.seq : 0;
  if (t.length > room) {
    t.length = room;
    t.fin = false;
    t.cut = true;
  }
  return t;
}

// The stream ends where its first FIN says, and not before what has come.
void LimitToFin(const ReceiveHoles& holes, Trimmed& t) {
  const RangeSet& ranges = holes.ranges;
  if (t.fin && !ranges.empty()) {
    t.fin = ranges[ranges.size() - 1].end <= t.seq + t.length;
  }
  if (!holes.has_fin) return;
  t.seq = SeqMin(t.seq, holes.fin);
  t.length = std::min(t.length, holes.fin - t.seq);
  t.fin = t.fin && t.seq + t.length == holes.fin;
}

// Eighth check: the FIN, now in order.
void OnFin(ControlBlock& cb, IngestResult& result) {
  cb.rcv_nxt += 1;
  // It may lie at the edge of the window: it needs no room in the buffer. But
  // what follows it has to be found acceptable.
  cb.rcv_edge = SeqMax(cb.rcv_edge, cb.rcv_nxt);
  cb.Set(kAckNow);
  result.events |= kPeerClosed;
  switch (cb.state) {
    case State::kEstablished:
      cb.state = State::kCloseWait;
      break;
    case State::kFinWait1:  // ours is not acknowledged yet
      cb.state = State::kClosing;
      break;
    case State::kFinWait2:
      cb.state = State::kTimeWait;
      result.events |= kToTimeWait;
      break;
    default:
      break;
  }
}

void AcceptInOrder(ControlBlock& cb, const Trimmed& t, ReceiveHoles* holes,
                   const Context& ctx, IngestResult& result) {
  if (t.length > 0) {
    const SeqNum before = cb.rcv_nxt;
    cb.rcv_nxt += t.length;
    result.placement = Placement::kDeliver;
    result.payload_offset = static_cast<uint16_t>(t.offset);
    result.length = static_cast<uint16_t>(t.length);
    if (holes != nullptr && !holes->ranges.empty()) {
      cb.rcv_nxt = holes->ranges.TakeUpTo(cb.rcv_nxt);
      cb.acks_owed = 0;
      cb.Set(kAckNow);  // RFC 5681 section 4.2: a gap was filled
    } else {
      NoteInOrderData(cb, t.length, ctx);
    }
    ctx.counters.bytes_in += cb.rcv_nxt - before;
  }
  const bool own_fin = t.fin && cb.rcv_nxt == t.seq + t.length;
  const bool held_fin =
      holes != nullptr && holes->has_fin && holes->fin == cb.rcv_nxt;
  if (!own_fin && !held_fin) return;
  if (holes != nullptr) holes->has_fin = false;
  OnFin(cb, result);
}

// RFC 5681 section 4.2: each out-of-order segment earns an immediate duplicate
// ACK, or the peer's fast retransmit starves.
void AcceptOutOfOrder(ControlBlock& cb, const Trimmed& t, ReceiveHoles* holes,
                      const Context& ctx, IngestResult& result) {
  ++ctx.counters.out_of_order;
  OweAck(cb);
  if (holes == nullptr) return;
  if (t.length > 0) {
    switch (holes->ranges.Insert(t.seq, t.seq + t.length)) {
      case RangeSet::Insertion::kAdded:
        result.placement = Placement::kPark;
        result.payload_offset = static_cast<uint16_t>(t.offset);
        result.length = static_cast<uint16_t>(t.length);
        break;
      case RangeSet::Insertion::kDuplicate:
        ++ctx.counters.duplicate_data;
        ReportDuplicate(cb, t.seq, t.seq + t.length, holes);
        break;
      case RangeSet::Insertion::kFull:
        return;  // a FIN behind dropped data must be dropped as well
    }
  }
  if (t.length > 0) holes->NoteArrival(t.seq);
  if (t.fin) {
    holes->has_fin = true;
    holes->fin = t.seq + t.length;
  }
}

// Seventh and eighth check: the segment text, and the FIN.
void ProcessText(ControlBlock& cb, const Segment& segment, ReceiveHoles* holes,
                 const Context& ctx, IngestResult& result) {
  if (!MayReceive(cb.state)) return;
  if (segment.text_refused) {
    // The peer must notice a loss behind a gap; in order, its timer will do.
    if (segment.seq > cb.rcv_nxt) OweAck(cb);
    return;
  }
  Trimmed t = Trim(cb, segment);
  if (t.offset > 0) {
    ReportDuplicate(cb, segment.seq, segment.seq + t.offset, holes);
  }
  if (holes != nullptr) LimitToFin(*holes, t);
  // A peer that sends more than it may has to learn where the window ends.
  if (t.cut) cb.Set(kAckNow);
  if (t.length == 0 && !t.fin) {
    if (segment.payload_length > 0) cb.Set(kAckNow);  // all old
    return;
  }
  if (cb.Has(kOrphan) && t.length > 0) {
    // RFC 9293 section 3.6.1: nobody will read it; the peer must know.
    cb.error = Error::kAborted;
    cb.state = State::kClosed;
    result.reply_reset = true;
    result.events |= kBroken;
    return;
  }
  if (t.seq == cb.rcv_nxt) {
    AcceptInOrder(cb, t, holes, ctx, result);
  } else {
    AcceptOutOfOrder(cb, t, holes, ctx, result);
  }
}

// The peer's SYN, again, in a simultaneous open (section 3.5): with the ACK
// that completes it, or because ours has not arrived. By its sequence number it
// is no longer acceptable, and must be looked at before that check.
void IngestSynAgain(ControlBlock& cb, const Segment& segment,
                    const Options& options, const Extras& extras,
                    const Context& ctx, IngestResult& result) {
  if (!segment.Has(kAck)) {
    cb.Set(kSynDue);
  } else if (AcceptableAck(cb, segment, ctx, result) &&
             ProcessAck(cb, segment, options, extras.tx, ctx, result)) {
    cb.Set(kAckNow);
  }
}

// RFC 7323 section 5.3 R1, before all other checks. False: drop the segment.
bool PassesTimestamps(ControlBlock& cb, const Segment& segment,
                      const Options& options, const Context& ctx) {
  if (!cb.Has(kTimestamps) || segment.Has(kRst)) return true;
  if (!options.has_timestamps) {
    ++ctx.counters.paws_dropped;  // section 3.2: silently
    return false;
  }
  if (!IsOldTimestamp(cb, options.ts_value, ctx.now)) return true;
  ++ctx.counters.paws_dropped;
  // What is older than what was acknowledged may answer a lost ACK of ours.
  if (AllowChallengeAck(cb, ctx)) cb.Set(kAckNow);
  return false;
}

}  // namespace

IngestResult Ingest(ControlBlock& cb, const Segment& segment,
                    const Extras& extras, const Context& ctx) {
  IngestResult result;
  if (cb.state == State::kSynSent) {
    IngestSynSent(cb, segment, ctx, result);
    return result;
  }
  const Options options = ParseOptions(segment.OptionBytes());
  ReceiveHoles* holes = extras.holes;
  if (cb.state == State::kSynReceived && segment.seq == cb.irs &&
      segment.Has(kSyn) && !segment.Has(kRst)) {
    IngestSynAgain(cb, segment, options, extras, ctx, result);
    return result;
  }
  if (!PassesTimestamps(cb, segment, options, ctx)) return result;
  if (!Acceptable(cb, segment)) {
    OnUnacceptable(cb, segment, holes, ctx);
    return result;
  }
  if (segment.Has(kRst)) {
    OnReset(cb, segment, ctx, result);
    return result;
  }
  if (segment.Has(kSyn)) {  // fourth check, RFC 5961 section 4
    if (AllowChallengeAck(cb, ctx)) cb.Set(kAckNow);
    return result;
  }
  if (!AcceptableAck(cb, segment, ctx, result)) return result;
  if (cb.Has(kTimestamps)) TakeTimestamp(cb, segment.seq, options, ctx.now);
  NoteReceivedEcn(cb, segment, ctx);
  if (!ProcessAck(cb, segment, options, extras.tx, ctx, result)) return result;
  // Sixth check: the urgent pointer is ignored; urgent data stays in the
  // stream (RFC 6093).
  ProcessText(cb, segment, holes, ctx, result);
  UpdatePrediction(cb, holes != nullptr && !holes->Empty());
  return result;
}

}  // namespace corelane::tcp
