// Of the ACKs that a burst brings for one connection, as bulk transfers do,
// most are made redundant by the one after them.
#ifndef CORELANE_PROTO_TCP_MERGED_ACKS_H_
#define CORELANE_PROTO_TCP_MERGED_ACKS_H_

#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/send_state.h"
#include "proto/tcp/send_use.h"
#include "proto/tcp/timestamps.h"

namespace corelane::tcp {

// Whether `next`, which came in the same burst, says all that the pure ACK
// `segment` does and more, so that this one may be left out. Not where slow
// start has the window grow by what one ACK covers, up to a bound; nor while
// anything is being found out from single ACKs.
inline bool Supersedes(const ControlBlock& cb, const SendState* tx,
                       const Segment& segment, const Segment& next) {
  const auto is_pure = [&cb](const Segment& s) {
    return (s.offset_and_flags & static_cast<uint16_t>(~kPsh)) ==
               cb.predicted &&
           s.seq == cb.rcv_nxt && s.payload_length == 0 && !s.ce;
  };
  if (!is_pure(segment) || !is_pure(next) || tx == nullptr) return false;
  if (tx->phase != SendPhase::kOpen || tx->bbr != nullptr ||
      tx->Has(kProbeOut) || (cb.cwnd < cb.ssthresh && WindowWasUsed(cb, *tx))) {
    return false;
  }
  const SeqNum edge =
      segment.ack + (static_cast<uint32_t>(segment.window) << cb.snd_wscale());
  const SeqNum next_edge =
      next.ack + (static_cast<uint32_t>(next.window) << cb.snd_wscale());
  if (segment.ack <= cb.snd_una || next.ack <= segment.ack ||
      next.ack > cb.snd_nxt || edge < cb.snd_edge || next_edge < edge) {
    return false;
  }
  if (!cb.Has(kTimestamps)) return true;
  const uint32_t stamp = LoadBe32(segment.options + 4);
  return LoadBe32(segment.options) == kTimestampsPrefix &&
         LoadBe32(next.options) == kTimestampsPrefix &&
         static_cast<int32_t>(stamp - cb.ts_recent) >= 0 &&
         static_cast<int32_t>(LoadBe32(next.options + 4) - stamp) >= 0;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_MERGED_ACKS_H_
