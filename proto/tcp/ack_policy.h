// When received data is acknowledged (RFC 9293 section 3.8.6.3, RFC 5681
// section 4.2).
#ifndef CORELANE_PROTO_TCP_ACK_POLICY_H_
#define CORELANE_PROTO_TCP_ACK_POLICY_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {

// ACKs sent without delay while the peer's congestion window is small and each
// of them matters: at the start, and after an idle time.
inline constexpr uint8_t kInitialQuickAcks = 16;

// RFC 5681 section 4.1: after an idle time of the peer's its window is small
// again, and an ACK that waits stalls it. While no delayed ACK is due,
// ack_deadline says when the last data came.
inline void NoteArrivalTime(ControlBlock& cb, const Context& ctx) {
  const Tick delay = ToTicks(ctx.config.delayed_ack);
  const Tick silent = ctx.now.tick + delay - cb.ack_deadline;
  if (silent > std::max(MicrosToTicks(cb.rto_us), delay) &&
      cb.quick_acks < kInitialQuickAcks) {
    cb.quick_acks = kInitialQuickAcks;
  }
  cb.ack_deadline = ctx.now.tick + delay;
}

// `length` bytes arrived in order; rcv_nxt has already moved. An ACK is due at
// once for every second full-sized segment, else within the delay.
inline void NoteInOrderData(ControlBlock& cb, uint32_t length,
                            const Context& ctx) {
  if (length > cb.rcv_mss) {
    cb.rcv_mss = static_cast<uint16_t>(length < 0xffff ? length : 0xffff);
  }
  if (!cb.Has(kAckTimer)) NoteArrivalTime(cb, ctx);
  cb.acks_owed = 0;  // duplicates of an ACK that has been overtaken
  if (cb.quick_acks > 0) {
    --cb.quick_acks;
    cb.Set(kAckNow);
  } else if (cb.rcv_nxt - cb.rcv_acked >= 2u * cb.rcv_mss) {
    cb.Set(kAckNow);
  } else {
    ArmDelayedAck(cb, ctx);
  }
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_ACK_POLICY_H_
