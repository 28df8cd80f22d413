// What is due to be sent. Asked once per burst for every touched connection.
#ifndef CORELANE_PROTO_TCP_EMIT_H_
#define CORELANE_PROTO_TCP_EMIT_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/extras.h"
#include "proto/tcp/segment_spec.h"
#include "proto/tcp/window.h"

namespace corelane::tcp {

// Decides on the next segment that is due, most urgent first: SYN,
// retransmission, new data with the ACK on it, FIN, window probe, bare ACK.
// Fills `out`, accounts for it as sent and returns true; or returns false when
// nothing is due. To be called until it returns false or the caller's budget
// is used up. A segment that then cannot be built is lost like any other.
//
// `receive_space` is how many bytes the receive buffer could still take;
// `own_mss` what a SYN offers.
//
// NeedsSendState says whether `extras.tx` must not be null; it may be given
// without need.
bool NextSegment(ControlBlock& cb, const Extras& extras, uint32_t receive_space,
                 uint16_t own_mss, const Context& ctx, SegmentSpec& out);

inline bool NeedsSendState(const ControlBlock& cb) {
  return cb.state >= State::kEstablished && cb.SendEnd() != cb.snd_una;
}

// Whether NextSegment would say no, found out at a glance: for the connection
// that was only acknowledged, or has just sent all it had.
inline bool NothingDue(const ControlBlock& cb, const SendState* tx) {
  if (cb.Has(kSynDue | kAckNow | kProbe | kTailProbe) || cb.acks_owed != 0) {
    return false;
  }
  return tx == nullptr ? cb.SendEnd() == cb.snd_una
                       : tx->lost_bytes == 0 && cb.SendEnd() <= cb.snd_nxt;
}

// The application has taken data from the receive buffer: whether a window
// update is worth sending. Sets kAckNow if so.
inline void OnReceiveSpace(ControlBlock& cb, uint32_t receive_space,
                           const Context& ctx) {
  if (!MayReceive(cb.state)) return;
  // An update for every segment read would double the ACKs: tell the peer when
  // a quarter of the buffer has come free, or when it may be blocked on us.
  if (!WindowWorthTelling(cb, receive_space, ctx.config)) return;
  const uint32_t gain =
      (cb.rcv_nxt + OfferableSpace(cb, receive_space)) - cb.rcv_edge;
  if (gain >= OfferableSpace(cb, ReceiveLimit(cb, ctx.config)) / 4 ||
      cb.ReceiveWindow() < 2u * std::max<uint32_t>(cb.rcv_mss, 536)) {
    cb.Set(kAckNow);
  }
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_EMIT_H_
