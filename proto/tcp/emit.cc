#include "proto/tcp/emit.h"

#include <algorithm>

#include "proto/tcp/bbr.h"
#include "proto/tcp/ecn.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/pacing.h"
#include "proto/tcp/path_mtu.h"
#include "proto/tcp/rack.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/send_use.h"
#include "proto/tcp/sent_list.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/undo.h"
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

// A segment that is being made.
struct Draft {
  ControlBlock& cb;
  const Extras& extras;
  uint32_t receive_space;
  uint16_t own_mss;
  const Context& ctx;
  SegmentSpec& out;
};

// Up to four SACK blocks fit behind timestamps' 12 bytes only as three (RFC
// 2018 section 3).
void AddOptions(const Draft& d) {
  ControlBlock& cb = d.cb;
  if (cb.Has(kTimestamps)) {
    d.out.has_timestamps = true;
    d.out.ts_value = d.ctx.now.ms + cb.ts_offset;
    d.out.ts_echo = cb.ts_recent;
  }
  ReceiveHoles* holes = d.extras.holes;
  if (holes == nullptr || !cb.Has(kSack)) return;
  const uint32_t most = cb.Has(kTimestamps) ? 3 : 4;
  d.out.sack_count =
      static_cast<uint8_t>(holes->WriteSack({d.out.sack.data(), most}));
}

// How much of a segment's payload the SACK option takes away.
uint32_t SackRoom(const Draft& d) {
  const ReceiveHoles* holes = d.extras.holes;
  if (holes == nullptr || !d.cb.Has(kSack)) return 0;
  const uint32_t most = d.cb.Has(kTimestamps) ? 3 : 4;
  const uint32_t blocks = std::min(holes->SackBlocks(), most);
  return blocks == 0 ? 0 : 4 + 8 * blocks;
}

uint32_t MaxPayload(const Draft& d) {
  const uint32_t room = SackRoom(d);
  return d.cb.mss > 2 * room ? d.cb.mss - room : d.cb.mss;
}

// The common end of every segment with an ACK on it.
void Finish(const Draft& d) {
  ControlBlock& cb = d.cb;
  AddOptions(d);
  d.out.ack = cb.rcv_nxt;
  d.out.flags |= kAck | EchoFlags(cb);
  d.out.window = OfferWindow(cb, d.receive_space, d.ctx.config);
  cb.rcv_acked = cb.rcv_nxt;
  cb.Clear(kAckNow | kAckTimer);
  const uint32_t piece = d.out.piece;
  d.ctx.counters.segments_out +=
      piece == 0 ? 1 : (d.out.length + piece - 1) / piece;
}

// Small differences between transmission times may share a run.
uint32_t Grain(const ControlBlock& cb) { return cb.srtt_us / 8 / 128; }

[[gnu::noinline]] bool AppendForBbr(const Draft& d, SeqNum end,
                                    uint32_t grain_us) {
  SendState& tx = *d.extras.tx;
  const uint32_t now_us = d.ctx.now.us;
  BbrBeforeSend(d.cb, tx, d.ctx.now);
  SentList list(tx, d.cb.snd_una);
  if (!list.AppendLogged(end, now_us, grain_us)) return false;
  tx.bbr->ran_out = end >= d.cb.snd_queued;
  return true;
}

// The stream up to `end` is leaving. False if the scoreboard has no room.
bool Append(const Draft& d, SeqNum end, uint32_t grain_us) {
  SendState& tx = *d.extras.tx;
  if (tx.bbr != nullptr) [[unlikely]] {
    return AppendForBbr(d, end, grain_us);
  }
  const uint32_t segments = d.out.piece == 0 ? 1 : d.out.length / d.out.piece;
  return SentList(tx, d.cb.snd_una)
      .Append(end, d.ctx.now.us, grain_us, segments);
}

// New data or a FIN, [out.seq, out.seq + out.length (+ FIN)), is being sent.
// False if the scoreboard has no room for it.
bool NoteNew(const Draft& d, bool fin) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  const Context& ctx = d.ctx;
  const uint32_t taken = d.out.length + (fin ? 1 : 0);
  const SeqNum end = cb.snd_nxt + taken;
  const bool idle = cb.snd_una == cb.snd_nxt;
  if (!Append(d, end, Grain(cb))) return false;
  if (idle) {
    cb.una_since = ctx.now.tick;
    tx.Clear(kRackValid);  // its times may be from before the clock wrapped
  }
  tx.active_ms = ctx.now.ms;
  tx.prr_out += taken;
  cb.snd_nxt = end;
  ctx.counters.bytes_out += d.out.length;
  if (!cb.Has(kRetransmitTimer) || cb.Has(kPersist)) {
    cb.Clear(kPersist);
    RearmRetransmit(cb, tx, ctx);
  } else if (cb.Has(kTailTimer) && !ScheduleTailProbe(cb, tx, ctx)) {
    ArmRetransmitFromHead(cb, tx, ctx);
  }
  MarkOutgoingData(cb, tx, d.out);
  return true;
}

void NoteAgain(const Draft& d, uint32_t taken) {
  SendState& tx = *d.extras.tx;
  tx.prr_out += taken;
  ++d.ctx.counters.retransmits;
  ++d.cb.total_retransmits;
  NoteRetransmission(d.cb, tx, d.ctx.now, 1);
}

// Fills in what lies at `out.seq`: up to `taken` numbers of the stream, of
// which the last may be the FIN.
void Describe(const Draft& d, uint32_t taken) {
  const ControlBlock& cb = d.cb;
  const SeqNum end = d.out.seq + taken;
  const SeqNum data_end = SeqMin(end, cb.snd_queued);
  d.out.length = data_end > d.out.seq ? data_end - d.out.seq : 0;
  d.out.flags = 0;
  if (d.out.length > 0 && data_end == cb.snd_queued) d.out.flags |= kPsh;
  if (end > cb.snd_queued) d.out.flags |= kFin;
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
  if (cb.snd_nxt != cb.iss) {
    ++ctx.counters.retransmits;
    ++cb.total_retransmits;
  }
  cb.measure_us = ctx.now.us;  // for the round-trip time
  cb.snd_nxt = cb.iss + 1;
  cb.una_since = ctx.now.tick;
  cb.Clear(kSynDue);
  if (!cb.Has(kRetransmitTimer)) ArmRetransmit(cb, ctx);
  ++ctx.counters.segments_out;
  return true;
}

// A lost tail that does not fill a segment, such as the byte that a closed
// window refused, takes along what may be sent behind it: on its own it would
// keep the rest back for a round trip (Nagle's algorithm). Returns how much.
uint32_t AppendNew(const Draft& d, SeqNum start, uint32_t taken) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  const SeqNum end = start + taken;
  const uint32_t full = MaxPayload(d);
  if (end != cb.snd_nxt || end >= cb.snd_edge || taken >= full) return 0;
  // What is being sent again counts as under way by now.
  const uint32_t more = std::min(
      {Unsent(cb), cb.snd_edge - end, full - taken, CongestionRoom(cb, tx)});
  if (more == 0) return 0;
  if (!Append(d, end + more, 0)) return 0;
  cb.snd_nxt = end + more;
  tx.prr_out += more;
  d.ctx.counters.bytes_out += more;
  return more;
}

// What is lost goes first (RFC 6675 section 5, NextSeg rule 1).
bool EmitLost(const Draft& d) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  if (tx.lost_bytes == 0 || tx.Has(kFrtoNewData)) return false;
  SentList list(tx, cb.snd_una);
  const uint32_t i = list.FirstLost();
  if (i == list.size()) return false;
  const SeqNum start = list.StartOf(i);
  uint32_t taken = std::min(list[i].end - start, MaxPayload(d));
  // A window that was taken back: what lies past it would be refused.
  if (start >= cb.snd_edge) return false;
  taken = std::min(taken, cb.snd_edge - start);
  const bool alone = Pipe(cb, tx) == 0;
  if (taken > CongestionRoom(cb, tx) && !alone) {
    NoteUse(cb, tx, true);
    return false;
  }
  d.out.seq = start;
  list.Resend(i, taken, d.ctx.now.us);
  NoteAgain(d, taken);
  NoteMtuResend(tx, start + taken);
  const uint32_t fresh = AppendNew(d, start, taken);
  Describe(d, taken + fresh);
  if (fresh > 0) NoteUse(cb, tx, CongestionRoom(cb, tx) < cb.mss);
  AdvancePace(cb, tx, d.out.length, d.ctx);
  // RFC 6298 (5.1). A timer that runs goes on, but the oldest segment gets as
  // long for its second journey as it had for the first, or else a recovery
  // that takes two round trips ends in a timeout.
  if (!cb.Has(kRetransmitTimer) || cb.Has(kPersist) ||
      (start == cb.snd_una && !cb.Has(kReorderTimer))) {
    ArmRetransmit(cb, d.ctx);
  }
  Finish(d);
  return true;
}

// How much new data may leave now; 0 if none. Sender's silly window avoidance
// and Nagle's algorithm (RFC 9293 sections 3.8.6.2.1 and 3.7.4).
uint32_t SendableLength(const Draft& d) {
  const ControlBlock& cb = d.cb;
  const uint32_t unsent = Unsent(cb);
  const uint32_t window =
      cb.snd_edge > cb.snd_nxt ? cb.snd_edge - cb.snd_nxt : 0;
  const uint32_t full = MaxPayload(d);
  const uint32_t room = CongestionRoom(cb, *d.extras.tx);
  const uint32_t length = std::min({unsent, window, room, full});
  const bool idle = cb.snd_nxt == cb.snd_una;
  if (room < std::min(unsent, full)) {
    // A short segment because the congestion window has a few bytes left: wait.
    if (std::min(unsent, window) > room) NoteUse(cb, *d.extras.tx, true);
    if (!idle) return 0;
  }
  if (length == 0 || length == full) return length;
  if (length == unsent) {
    return idle || cb.Has(kNoDelay | kFinQueued) ? length : 0;
  }
  // The window is what limits: worth it from half the largest ever offered.
  return length >= cb.max_window / 2 ? length : 0;
}

// How many segments like the one of `length` bytes may leave as well: full ones
// without a gap in what was received to report. Pacing looks at each of them,
// and CWR is for one.
uint32_t SegmentsAtOnce(const Draft& d, uint32_t length) {
  const ControlBlock& cb = d.cb;
  const SendState& tx = *d.extras.tx;
  if (length < cb.mss || Paces(tx, d.ctx.config) || SackRoom(d) > 0 ||
      tx.Has(kCwrDue)) {
    return 1;
  }
  const uint32_t bytes =
      std::min({Unsent(cb), cb.snd_edge - cb.snd_nxt, CongestionRoom(cb, tx)});
  return std::clamp<uint32_t>(bytes / length, 1, d.extras.at_once);
}

// A segment that probes for a larger path MTU: with all its room, so that its
// loss is found like any other, and a run of its own.
bool EmitMtuProbe(const Draft& d) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  const uint16_t size = MtuProbeSize(cb, tx, d.own_mss, d.ctx);
  if (size == 0) return false;
  // With what follows and tells of its loss (RFC 4821 section 7.4).
  const uint32_t all = size + 3u * cb.mss;
  if (SackRoom(d) > 0 || Unsent(cb) < all ||
      cb.SendWindow() < cb.InFlight() + all || CongestionRoom(cb, tx) < size) {
    return false;
  }
  d.out.seq = cb.snd_nxt;
  Describe(d, size);
  tx.Set(kRunSealed);
  if (!NoteNew(d, false)) return false;
  tx.Set(kRunSealed);
  NoteMtuProbe(tx, size, cb.snd_nxt, d.ctx);
  AdvancePace(cb, tx, size, d.ctx);
  Finish(d);
  return true;
}

bool EmitData(const Draft& d) {
  ControlBlock& cb = d.cb;
  RestartAfterIdle(cb, *d.extras.tx, d.ctx);
  if (EmitMtuProbe(d)) return true;
  uint32_t length = SendableLength(d);
  if (d.extras.at_once > 1) {
    const uint32_t segments = SegmentsAtOnce(d, length);
    if (segments > 1) d.out.piece = static_cast<uint16_t>(length);
    length *= segments;
  }
  bool fin = false;
  if (FinUnsent(cb) && length == Unsent(cb)) {
    // A FIN takes a sequence number and so needs window, but not a segment of
    // congestion window to itself.
    fin = cb.snd_nxt + length < cb.snd_edge;
  }
  if (length == 0 && !fin) return false;
  d.out.seq = cb.snd_nxt;
  Describe(d, length + (fin ? 1 : 0));
  if (!NoteNew(d, fin)) {
    d.out.piece = 0;
    return false;
  }
  AdvancePace(cb, *d.extras.tx, length, d.ctx);
  NoteUse(cb, *d.extras.tx, CongestionRoom(cb, *d.extras.tx) < cb.mss);
  Finish(d);
  return true;
}

// RFC 9293 section 3.8.6.1: at least one byte (or the FIN), window or not.
bool EmitWindowProbe(const Draft& d) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  // What silly window avoidance has held back goes out as well.
  const uint32_t queued = cb.SendEnd() - cb.snd_una;
  const uint32_t taken =
      std::min({queued, MaxPayload(d), std::max<uint32_t>(cb.SendWindow(), 1)});
  d.out.seq = cb.snd_una;
  Describe(d, taken);
  const SeqNum end = cb.snd_una + taken;
  if (end > cb.snd_nxt) {
    if (!Append(d, end, 0)) return false;
    cb.snd_nxt = end;
    NoteUse(cb, tx, CongestionRoom(cb, tx) < cb.mss);
  } else {
    tx.ranges[0].retransmitted = true;  // Karn: which of them will be answered?
  }
  tx.active_ms = d.ctx.now.ms;
  ++d.ctx.counters.window_probes;
  Finish(d);
  return true;
}

// RFC 9293 section 3.8.4: nothing new, so that the peer answers with an ACK.
bool EmitKeepalive(const Draft& d) {
  d.out = SegmentSpec{};
  d.out.seq = d.cb.snd_una - 1;
  d.out.flags = 0;
  ++d.ctx.counters.keepalive_probes;
  Finish(d);
  return true;
}

bool EmitProbe(const Draft& d) {
  d.cb.Clear(kProbe);
  return d.cb.SendEnd() == d.cb.snd_una ? EmitKeepalive(d) : EmitWindowProbe(d);
}

// RFC 8985 section 7.3: new data if there is any, else the last segment again.
bool EmitTailProbe(const Draft& d) {
  ControlBlock& cb = d.cb;
  SendState& tx = *d.extras.tx;
  cb.Clear(kTailProbe);
  if (cb.snd_una == cb.snd_nxt) return false;
  const uint32_t window =
      cb.snd_edge > cb.snd_nxt ? cb.snd_edge - cb.snd_nxt : 0;
  const uint32_t length = std::min({Unsent(cb), window, MaxPayload(d)});
  tx.Clear(kProbeResent);
  if (length > 0) {
    d.out.seq = cb.snd_nxt;
    Describe(d, length);
    tx.Set(kProbeOut);  // before NoteNew: no further probe is to be scheduled
    if (!NoteNew(d, false)) {
      tx.Clear(kProbeOut);
      return false;
    }
  } else {
    const uint32_t taken =
        SentList(tx, cb.snd_una).ResendTail(MaxPayload(d), d.ctx.now.us);
    if (taken == 0) return false;
    d.out.seq = cb.snd_nxt - taken;
    Describe(d, taken);
    NoteAgain(d, taken);
    NoteMtuResend(tx, cb.snd_nxt);
    tx.Set(kProbeOut | kProbeResent);
  }
  tx.probe_end = cb.snd_nxt;
  ++d.ctx.counters.tail_probes;
  ArmRetransmit(cb, d.ctx);
  Finish(d);
  return true;
}

// Something to send, and nothing in flight that would bring an ACK: then it is
// the peer's window that says no (Nagle's algorithm and the congestion window
// do so only while something is in flight). Only a probe can find out when it
// opens; a lost window update would otherwise stall the connection for ever.
void ConsiderPersist(ControlBlock& cb, const Context& ctx) {
  if (cb.Has(kRetransmitTimer)) return;
  if (!cb.Has(kOrphan)) cb.retransmits = 0;
  cb.una_since = ctx.now.tick;
  ArmPersist(cb, ctx);
}

bool EmitAck(const Draft& d) {
  ControlBlock& cb = d.cb;
  if (!cb.Has(kAckNow) && cb.acks_owed == 0) return false;
  // One that acknowledges new data is no duplicate (RFC 5681 section 2), and
  // the peer counts duplicates.
  const bool duplicate = cb.rcv_acked == cb.rcv_nxt;
  if (duplicate && cb.acks_owed > 0) --cb.acks_owed;
  d.out = SegmentSpec{};  // whatever was drafted and could not be sent
  d.out.seq = cb.AckSeq();
  Finish(d);
  return true;
}

bool Synchronized(const ControlBlock& cb) {
  return cb.state >= State::kEstablished && cb.state <= State::kLastAck;
}

// Whatever belongs to the stream, in the order of urgency.
bool EmitStream(const Draft& d) {
  ControlBlock& cb = d.cb;
  if (cb.Has(kTailProbe) && EmitTailProbe(d)) return true;
  const bool wanted = d.extras.tx->lost_bytes > 0 || cb.SendEnd() > cb.snd_nxt;
  if (wanted && PaceHolds(cb, *d.extras.tx, d.ctx)) {
    return cb.Has(kProbe) && EmitProbe(d);
  }
  if (EmitLost(d)) return true;
  if (cb.SendEnd() > cb.snd_nxt) {
    if (EmitData(d)) return true;
    if (d.extras.tx->Has(kFrtoNewData) && cb.snd_nxt == d.extras.tx->recover) {
      // The new data that F-RTO wanted is held back (Nagle, a small window, a
      // full scoreboard): on with what is lost, or nothing moves until the next
      // timeout.
      d.extras.tx->Clear(kFrto | kFrtoNewData);
      if (EmitLost(d)) return true;
    }
    if (cb.Has(kProbe) && EmitProbe(d)) return true;
    ConsiderPersist(cb, d.ctx);
    return false;
  }
  return cb.Has(kProbe) && EmitProbe(d);
}

}  // namespace

bool NextSegment(ControlBlock& cb, const Extras& extras, uint32_t receive_space,
                 uint16_t own_mss, const Context& ctx, SegmentSpec& out) {
  out = SegmentSpec{};
  const Draft draft{cb, extras, receive_space, own_mss, ctx, out};
  if (cb.Has(kSynDue)) return EmitSyn(cb, own_mss, ctx, out);
  if (cb.state == State::kSynReceived) return EmitAck(draft);
  if (!Synchronized(cb)) return false;
  if (extras.tx != nullptr) {
    if (EmitStream(draft)) return true;
  } else if (cb.Has(kProbe) && EmitProbe(draft)) {
    return true;  // keep-alive: there is nothing to send
  }
  return EmitAck(draft);
}

}  // namespace corelane::tcp
