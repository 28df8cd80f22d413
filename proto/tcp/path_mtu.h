// Packetization layer path MTU discovery without ICMP (RFC 4821, RFC 8899).
#ifndef CORELANE_PROTO_TCP_PATH_MTU_H_
#define CORELANE_PROTO_TCP_PATH_MTU_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// What nearly every path lets through, and what every path does (RFC 9293
// section 3.7.1), as MSS.
inline constexpr uint16_t kBaseMss = 1024;
inline constexpr uint16_t kLeastMss = 536;

// Black hole detection (RFC 4821 section 7.7), at each retransmission timeout
// before the segment goes out again: a full-sized one that has been lost so
// often may be too large for the path. A short one says nothing.
inline void SuspectBlackHole(ControlBlock& cb, const SendState& tx,
                             const Context& ctx) {
  constexpr int kLossesOfFull = 3;
  constexpr int kLossesOfBase = 5;
  if (!ctx.config.mtu_probing || tx.range_count == 0) return;
  if (tx.ranges[0].end - cb.snd_una < cb.mss) return;
  uint16_t mss = 0;
  if (cb.retransmits == kLossesOfFull) mss = kBaseMss;
  if (cb.retransmits == kLossesOfBase) mss = kLeastMss;
  if (mss == 0) return;
  mss = PayloadMss(mss, cb.Has(kTimestamps));
  if (mss < cb.mss) cb.mss = mss;
}

// The size of a segment that is larger than usual and may be tried now (RFC
// 8899 section 5.3.3); 0: none. What a device on the path lets through may have
// changed, or a black hole was only an outage. `own_mss` is the link's.
inline uint16_t MtuProbeSize(const ControlBlock& cb, SendState& tx,
                             uint16_t own_mss, const Context& ctx) {
  if (!ctx.config.mtu_probing || !cb.Has(kSack)) return 0;
  const uint16_t full = PayloadMss(
      EffectiveMss(cb.peer_mss, own_mss, ctx.config), cb.Has(kTimestamps));
  if (cb.mss >= full) return 0;
  if (!tx.mtu_waiting) {
    tx.mtu_waiting = true;
    tx.mtu_since = ctx.now.tick;
  }
  const bool due = ctx.now.tick - tx.mtu_since >= ToTicks(ctx.config.mtu_raise);
  return due && tx.phase == SendPhase::kOpen ? full : 0;
}

// Such a segment is being sent, up to `end`.
inline void NoteMtuProbe(SendState& tx, uint16_t size, SeqNum end,
                         const Context& ctx) {
  tx.mtu_probe_size = size;
  tx.mtu_probe_end = end;
  tx.mtu_failed_size = 0;
  tx.mtu_since = ctx.now.tick;
}

// [start, ...) is being sent again: if the probe is in it, it has failed.
inline void NoteMtuResend(SendState& tx, SeqNum end) {
  if (tx.mtu_probe_size != 0 && end > tx.mtu_probe_end - tx.mtu_probe_size) {
    tx.mtu_failed_size = tx.mtu_probe_size;
    tx.mtu_probe_size = 0;
  }
}

// RFC 8899 section 3: the loss of nothing but a probe for the path's MTU is no
// sign of congestion; and pacing may let it wait before it is sent again, in
// pieces.
inline bool OnlyMtuProbeLost(const ControlBlock& cb, const SendState& tx) {
  if (tx.lost_bytes == 0) return false;
  if (tx.mtu_probe_size != 0 ? tx.lost_bytes != tx.mtu_probe_size
                             : tx.lost_bytes > tx.mtu_failed_size) {
    return false;
  }
  SeqNum start = cb.snd_una;
  for (uint32_t i = 0; i < tx.range_count; ++i) {
    const SentRange& run = tx.ranges[i];
    if (run.fate == SentRange::Fate::kLost) {
      return run.end == tx.mtu_probe_end && !run.retransmitted &&
             run.end - start == tx.lost_bytes;
    }
    start = run.end;
  }
  return false;
}

// SND.UNA has moved. A probe that arrived as such shows what the path takes.
inline void NoteMtuAck(ControlBlock& cb, SendState& tx) {
  if (tx.mtu_probe_size == 0 || cb.snd_una < tx.mtu_probe_end) return;
  if (tx.mtu_probe_size > cb.mss) {
    cb.mss = tx.mtu_probe_size;
    // Two segments (RFC 5681 equation 4), and those have grown.
    cb.ssthresh = std::max<uint32_t>(cb.ssthresh, 2u * cb.mss);
    cb.cwnd = std::max<uint32_t>(cb.cwnd, cb.mss);
  }
  tx.mtu_probe_size = 0;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_PATH_MTU_H_
