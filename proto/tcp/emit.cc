#include "proto/tcp/emit.h"

#include <algorithm>

#include "proto/tcp/congestion.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/window.h"

namespace corelane::tcp {
namespace {

// Data that could be sent from snd_nxt on, whatever the windows say.
uint32_t Unsent(const ControlBlock& cb) {
  return cb.snd_queued > cb.snd_nxt ? cb.snd_queued - cb.snd_nxt : 0;
}

bool FinUnsent(const ControlBlock& cb) {
  return cb.Has(kFinQueued) && cb.snd_nxt <= cb.snd_queued;
}

// The common end of every segment with an ACK on it.
void Finish(ControlBlock& cb, uint32_t receive_space, const Context& ctx,
            SegmentSpec& out) {
  out.ack = cb.rcv_nxt;
  out.flags |= kAck;
  out.window = OfferWindow(cb, receive_space, ctx.config);
  cb.rcv_acked = cb.rcv_nxt;
  cb.Clear(kAckNow | kAckTimer);
  ++ctx.counters.segments_out;
}

// Accounts for [out.seq, out.seq + out.length (+ FIN)) as sent.
void NoteSent(ControlBlock& cb, const Context& ctx, const SegmentSpec& out) {
  const SeqNum end = out.seq + out.length + ((out.flags & kFin) != 0 ? 1 : 0);
  if (cb.snd_una == cb.snd_max) cb.una_since = ctx.now.tick;
  if (out.seq < cb.snd_max) {
    ++ctx.counters.retransmits;
    ++cb.total_retransmits;
    if (cb.Has(kTimingRtt) && out.seq < cb.rtt_seq) cb.Clear(kTimingRtt);
  } else if (!cb.Has(kTimingRtt)) {
    cb.rtt_seq = end;
    cb.rtt_us = ctx.now.us;
    cb.Set(kTimingRtt);
  }
  if (end > cb.snd_max) {
    ctx.counters.bytes_out +=
        SeqMin(end, cb.snd_queued) -
        SeqMin(SeqMax(out.seq, cb.snd_max), cb.snd_queued);
    cb.snd_max = end;
  }
  if (!cb.Has(kRetransmitTimer) || cb.Has(kPersist)) ArmRetransmit(cb, ctx.now);
}

bool EmitSyn(ControlBlock& cb, uint16_t own_mss, const Context& ctx,
             SegmentSpec& out) {
  const bool answer = cb.state == State::kSynReceived;
  out = SynFor(cb, own_mss, ctx);
  if (answer) {
    cb.rcv_acked = cb.rcv_nxt;
    cb.Clear(kAckNow | kAckTimer);
    cb.acks_owed = 0;
  }
  if (cb.snd_nxt == cb.iss) {
    cb.rtt_us = ctx.now.us;
    cb.Set(kTimingRtt);
  } else {
    cb.Clear(kTimingRtt);  // which of the two will have been acknowledged?
    ++ctx.counters.retransmits;
    ++cb.total_retransmits;
  }
  cb.snd_nxt = cb.iss + 1;
  cb.una_since = ctx.now.tick;
  cb.Clear(kSynDue);
  if (!cb.Has(kRetransmitTimer)) ArmRetransmit(cb, ctx.now);
  ++ctx.counters.segments_out;
  return true;
}

// Fast retransmit and partial acknowledgments: one segment from snd_una.
bool EmitHead(ControlBlock& cb, uint32_t receive_space, const Context& ctx,
              SegmentSpec& out) {
  cb.Clear(kRetransmitHead);
  if (cb.snd_una == cb.snd_max) return false;
  const SeqNum data_end = SeqMin(cb.snd_max, cb.snd_queued);
  out.seq = cb.snd_una;
  out.length = data_end > cb.snd_una
                   ? std::min<uint32_t>(data_end - cb.snd_una, cb.mss)
                   : 0;
  out.flags = 0;
  if (out.seq + out.length == cb.snd_queued) {
    if (out.length > 0) out.flags |= kPsh;
    if (cb.Has(kFinQueued) && cb.snd_max == cb.SendEnd()) out.flags |= kFin;
  }
  NoteSent(cb, ctx, out);
  ArmRetransmit(cb, ctx.now);
  Finish(cb, receive_space, ctx, out);
  return true;
}

// How much new data may leave now; 0 if none. Sender's silly window avoidance
// and Nagle's algorithm (RFC 9293 sections 3.8.6.2.1 and 3.7.4).
uint32_t SendableLength(const ControlBlock& cb) {
  const uint32_t unsent = Unsent(cb);
  const uint32_t window =
      cb.snd_edge > cb.snd_nxt ? cb.snd_edge - cb.snd_nxt : 0;
  const uint32_t room = CongestionRoom(cb);
  uint32_t length = std::min({unsent, window, room, uint32_t{cb.mss}});
  if (length == 0 || length == cb.mss) return length;
  const bool idle = cb.snd_nxt == cb.snd_una;
  const bool resending = cb.snd_nxt < cb.snd_max;
  // After a timeout something has to leave, however small the peer has made
  // its window since: silence would end in giving up a living peer.
  if (idle && resending) return length;
  // A short segment because the congestion window has a few bytes left: wait.
  if (room < std::min<uint32_t>(unsent, cb.mss) && !idle) return 0;
  if (length == unsent) {
    if (idle || cb.Has(kNoDelay | kFinQueued) || resending) return length;
    return 0;
  }
  // The window is what limits: worth it from half the largest ever offered.
  if (length >= cb.max_window / 2) return length;
  return 0;
}

bool EmitData(ControlBlock& cb, uint32_t receive_space, const Context& ctx,
              SegmentSpec& out) {
  RestartAfterIdle(cb, ctx);
  const uint32_t length = SendableLength(cb);
  bool fin = false;
  if (FinUnsent(cb) && length == Unsent(cb)) {
    // A FIN takes a sequence number and so needs window, but not a segment of
    // congestion window to itself.
    fin = cb.snd_nxt + length < cb.snd_edge;
  }
  if (length == 0 && !fin) return false;
  out.seq = cb.snd_nxt;
  out.length = length;
  out.flags = 0;
  if (length > 0 && cb.snd_nxt + length == cb.snd_queued) out.flags |= kPsh;
  if (fin) out.flags |= kFin;
  NoteSent(cb, ctx, out);
  cb.snd_nxt += length + (fin ? 1 : 0);
  Finish(cb, receive_space, ctx, out);
  return true;
}

// RFC 9293 section 3.8.6.1: at least one byte (or the FIN), window or not.
bool EmitProbe(ControlBlock& cb, uint32_t receive_space, const Context& ctx,
               SegmentSpec& out) {
  cb.Clear(kProbe);
  if (cb.SendEnd() == cb.snd_una) return false;
  out.seq = cb.snd_una;
  out.flags = 0;
  SeqNum end = cb.snd_una + 1;
  if (cb.snd_queued > cb.snd_una) {
    // What silly window avoidance has held back goes out as well.
    out.length = std::min({cb.snd_queued - cb.snd_una, uint32_t{cb.mss},
                           std::max<uint32_t>(cb.SendWindow(), 1)});
    end = cb.snd_una + out.length;
    if (end == cb.snd_queued) out.flags |= kPsh;
  } else {
    out.flags |= kFin;
  }
  cb.snd_max = SeqMax(cb.snd_max, end);
  cb.snd_nxt = SeqMax(cb.snd_nxt, end);
  cb.Clear(kTimingRtt);
  ++ctx.counters.window_probes;
  Finish(cb, receive_space, ctx, out);
  return true;
}

// Something to send, and nothing in flight that would bring an ACK: then it is
// the peer's window that says no (Nagle's algorithm and the congestion window
// do so only while something is in flight). Only a probe can find out when it
// opens; a lost window update would otherwise stall the connection for ever.
void ConsiderPersist(ControlBlock& cb, const Context& ctx) {
  if (cb.Has(kRetransmitTimer)) return;
  cb.retransmits = 0;
  ArmPersist(cb, ctx.now);
}

bool EmitAck(ControlBlock& cb, uint32_t receive_space, const Context& ctx,
             SegmentSpec& out) {
  if (!cb.Has(kAckNow) && cb.acks_owed == 0) return false;
  // One that acknowledges new data is no duplicate (RFC 5681 section 2), and
  // the peer counts duplicates.
  const bool duplicate = cb.rcv_acked == cb.rcv_nxt;
  if (duplicate && cb.acks_owed > 0) --cb.acks_owed;
  out.seq = cb.AckSeq();
  Finish(cb, receive_space, ctx, out);
  return true;
}

bool Synchronized(const ControlBlock& cb) {
  return cb.state >= State::kEstablished && cb.state <= State::kLastAck;
}

}  // namespace

bool NextSegment(ControlBlock& cb, uint32_t receive_space, uint16_t own_mss,
                 const Context& ctx, SegmentSpec& out) {
  out = SegmentSpec{};
  if (cb.Has(kSynDue)) return EmitSyn(cb, own_mss, ctx, out);
  if (cb.state == State::kSynReceived) {
    return EmitAck(cb, receive_space, ctx, out);
  }
  if (!Synchronized(cb)) return false;
  if (cb.Has(kRetransmitHead) && EmitHead(cb, receive_space, ctx, out)) {
    return true;
  }
  if (cb.SendEnd() > cb.snd_nxt) {
    if (EmitData(cb, receive_space, ctx, out)) return true;
    if (cb.Has(kProbe) && EmitProbe(cb, receive_space, ctx, out)) return true;
    ConsiderPersist(cb, ctx);
  } else if (cb.Has(kProbe) && EmitProbe(cb, receive_space, ctx, out)) {
    return true;
  }
  return EmitAck(cb, receive_space, ctx, out);
}

void OnReceiveSpace(ControlBlock& cb, uint32_t receive_space,
                    const Context& ctx) {
  if (!MayReceive(cb.state)) return;
  // An update for every segment read would double the ACKs: tell the peer when
  // a quarter of the buffer has come free, or when it may be blocked on us.
  if (!WindowWorthTelling(cb, receive_space, ctx.config)) return;
  const uint32_t gain =
      (cb.rcv_nxt + OfferableSpace(cb, receive_space)) - cb.rcv_edge;
  if (gain >= OfferableSpace(cb, ctx.config.receive_buffer) / 4 ||
      cb.ReceiveWindow() < 2u * std::max<uint32_t>(cb.rcv_mss, 536)) {
    cb.Set(kAckNow);
  }
}

}  // namespace corelane::tcp
