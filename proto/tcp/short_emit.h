// What is due to be sent in the ordinary case, decided in one go: new bytes
// that fit one segment while nothing is in flight, or an ACK and nothing else.
// The outcome is what NextSegment (emit.h) would have come to, with all steps
// left out that find nothing then; it is asked for whatever is not ordinary.
#ifndef CORELANE_PROTO_TCP_SHORT_EMIT_H_
#define CORELANE_PROTO_TCP_SHORT_EMIT_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/ecn.h"
#include "proto/tcp/header.h"
#include "proto/tcp/pacing.h"
#include "proto/tcp/path_mtu.h"
#include "proto/tcp/rack.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/send_use.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/timestamps.h"
#include "proto/tcp/window.h"

namespace corelane::tcp {

// A segment without other options than timestamps.
struct ShortSegment {
  SeqNum seq;
  SeqNum ack;
  uint32_t length = 0;
  uint16_t window = 0;
  uint8_t flags = 0;
  bool ect = false;
};

namespace internal {

// Bytes are waiting, and whether all of them may leave in one segment.
inline bool AllMayLeave(const ControlBlock& cb, const SendState* tx,
                        uint32_t length, const Config& config) {
  return tx != nullptr && cb.snd_una == cb.snd_nxt &&
         !cb.Has(kRetransmitTimer) && length <= cb.mss &&
         cb.snd_edge >= cb.snd_nxt + length && !Paces(*tx, config);
}

// Path MTU discovery may begin to wait for its time, but there is not enough
// data for a probe.
inline void NoteMtuWaiting(const ControlBlock& cb, SendState& tx, uint16_t mtu,
                           const Context& ctx) {
  const uint32_t options = cb.Has(kTimestamps) ? 12 : 0;
  if (tx.mtu_waiting || cb.mss + options >= cb.peer_mss) return;
  MtuProbeSize(cb, tx, OwnMss(mtu, ctx.config), ctx);
}

// As NoteNew does, for the first run of an empty list.
inline void NoteOnlyRun(ControlBlock& cb, SendState& tx, uint32_t length,
                        const Context& ctx) {
  const SeqNum end = cb.snd_nxt + length;
  tx.ranges[0] = {end, ctx.now.us, 1, SentRange::Fate::kInFlight, false};
  tx.range_count = 1;
  tx.Clear(kRunSealed | kRackValid);
  tx.active_ms = ctx.now.ms;
  tx.prr_out += length;
  cb.una_since = ctx.now.tick;
  cb.snd_nxt = end;
  ctx.counters.bytes_out += length;
  if (!ScheduleTailProbe(cb, tx, ctx)) ArmRetransmit(cb, ctx);
  NoteUse(cb, tx, CongestionRoom(cb, tx) < cb.mss);
}

}  // namespace internal

// Decides, fills in `out` and accounts for it; or returns false, with nothing
// changed that NextSegment would not change, when it is for that to decide.
// The receive stream has no gaps. `mtu` is that of the way to the peer.
inline bool EmitShort(ControlBlock& cb, SendState* tx, uint32_t receive_space,
                      uint16_t mtu, const Context& ctx, ShortSegment& out) {
  constexpr uint32_t kUncommon = kSynDue | kFinQueued | kPersist | kProbe |
                                 kTailProbe | kEceEcho | kDetached;
  if (cb.state != State::kEstablished || cb.Has(kUncommon) ||
      cb.acks_owed != 0 || (tx != nullptr && tx->lost_bytes != 0)) {
    return false;
  }
  const uint32_t length = cb.snd_queued - cb.snd_nxt;
  out.flags = kAck;
  if (length == 0) {
    if (!cb.Has(kAckNow) || (tx == nullptr && cb.snd_una != cb.snd_nxt)) {
      return false;
    }
    out.seq = cb.AckSeq();
  } else {
    if (!internal::AllMayLeave(cb, tx, length, ctx.config)) return false;
    RestartAfterIdle(cb, *tx, ctx);
    if (cb.cwnd < length) return false;
    if (ctx.config.mtu_probing) internal::NoteMtuWaiting(cb, *tx, mtu, ctx);
    out.seq = cb.snd_nxt;
    out.length = length;
    out.flags = kAck | kPsh;
    internal::NoteOnlyRun(cb, *tx, length, ctx);
    if (cb.Has(kEcn)) {
      out.ect = true;
      if (tx->Has(kCwrDue)) {
        tx->Clear(kCwrDue);
        out.flags |= kCwr;
      }
    }
  }
  out.ack = cb.rcv_nxt;
  out.window = OfferWindow(cb, receive_space, ctx.config);
  cb.rcv_acked = cb.rcv_nxt;
  cb.Clear(kAckNow | kAckTimer);
  ++ctx.counters.segments_out;
  return true;
}

// Writes its header, of ShortHeaderLength bytes, with a checksum field of 0.
inline uint16_t ShortHeaderLength(const ControlBlock& cb) {
  return static_cast<uint16_t>(kHeaderLength + (cb.Has(kTimestamps) ? 12 : 0));
}

inline void WriteShort(uint8_t* p, const ControlBlock& cb,
                       const ShortSegment& segment, Now now) {
  const bool timestamps = cb.Has(kTimestamps);
  const uint32_t offset = timestamps ? 8u << 28 : 5u << 28;
  StoreBe32(p, cb.key.Ports());
  StoreBe32(p + 4, segment.seq.value());
  StoreBe32(p + 8, segment.ack.value());
  StoreBe32(p + 12, offset | uint32_t{segment.flags} << 16 | segment.window);
  StoreBe32(p + 16, 0);
  if (!timestamps) return;
  StoreBe32(p + 20, kTimestampsPrefix);
  StoreBe32(p + 24, now.ms + cb.ts_offset);
  StoreBe32(p + 28, cb.ts_recent);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SHORT_EMIT_H_
