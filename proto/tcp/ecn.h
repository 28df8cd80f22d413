// Explicit congestion notification on an open connection (RFC 3168 section 6.1;
// RFC 8257 section 3.2 for DCTCP's exact echo). Negotiation is in handshake.h.
#ifndef CORELANE_PROTO_TCP_ECN_H_
#define CORELANE_PROTO_TCP_ECN_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/segment_spec.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// The receiver's part: CE on data is echoed until the peer says CWR. With DCTCP
// the echo follows each change; but one ACK per burst covers what came before
// the change as well, which RFC 8257 section 3.2 would have acknowledged first.
inline void NoteReceivedEcn(ControlBlock& cb, const Segment& segment,
                            const Context& ctx) {
  if (!cb.Has(kEcn)) return;
  if (segment.ce) ++ctx.counters.ecn_marks_in;
  if (ctx.config.congestion == CongestionControl::kDctcp) {
    if (segment.payload_length == 0 || segment.ce == cb.Has(kEceEcho)) return;
    cb.Set(kAckNow);
    if (segment.ce) {
      cb.Set(kEceEcho);
    } else {
      cb.Clear(kEceEcho);
    }
    return;
  }
  if (segment.Has(kCwr)) cb.Clear(kEceEcho);
  if (!segment.ce) return;
  cb.Set(kEceEcho);
  // The peer should hear soon, as RFC 3168 supposes.
  if (cb.quick_acks < 2) cb.quick_acks = 2;
}

// What an ACK that leaves says of it.
inline uint8_t EchoFlags(const ControlBlock& cb) {
  return cb.Has(kEcn) && cb.Has(kEceEcho) ? kEce : 0;
}

// The sender's part: new data is ECN-capable, and says CWR once after a
// reduction. Retransmissions, probes and bare ACKs are not (section 6.1.5).
inline void MarkOutgoingData(const ControlBlock& cb, SendState& tx,
                             SegmentSpec& out) {
  if (!cb.Has(kEcn) || out.length == 0) return;
  out.ect = true;
  if (!tx.Has(kCwrDue)) return;
  tx.Clear(kCwrDue);
  out.flags |= kCwr;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_ECN_H_
