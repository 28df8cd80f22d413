// What is due to be sent. Asked once per burst for every touched connection.
#ifndef CORELANE_PROTO_TCP_EMIT_H_
#define CORELANE_PROTO_TCP_EMIT_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/extras.h"
#include "proto/tcp/segment_spec.h"

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
void OnReceiveSpace(ControlBlock& cb, uint32_t receive_space,
                    const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_EMIT_H_
