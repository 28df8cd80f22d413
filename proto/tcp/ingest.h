// What an arriving segment does to a connection (RFC 9293 section 3.10.7).
//
// Ingest only changes state: it sends nothing. What became due is asked for
// once per burst with NextSegment (emit.h). It never sees the payload's bytes,
// only where they lie in the stream, and says what to do with them.
#ifndef CORELANE_PROTO_TCP_INGEST_H_
#define CORELANE_PROTO_TCP_INGEST_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/extras.h"
#include "proto/tcp/header.h"

namespace corelane::tcp {

enum class Placement : uint8_t {
  kNone,     // nothing of the payload is wanted
  kDeliver,  // hand [offset, offset + length) to the application, then what
             // was parked, up to cb.rcv_nxt
  kPark,     // keep it until the gap before it is filled
};

enum IngestEvent : uint8_t {
  kConnected = 1,    // the handshake is complete
  kPeerClosed = 2,   // the peer's FIN is in order: end of its stream
  kBroken = 4,       // reset or refused; cb.error says which. Forget it.
  kFinished = 8,     // LAST-ACK is acknowledged. Forget it.
  kToTimeWait = 16,  // replace it by a TIME-WAIT record
};

struct IngestResult {
  Placement placement = Placement::kNone;
  uint8_t events = 0;           // IngestEvent bits
  bool reply_reset = false;     // answer with ResetFor(segment)
  uint16_t payload_offset = 0;  // from the start of the segment's payload
  uint16_t length = 0;
  uint32_t acked = 0;  // bytes of our stream that may be let go
};

// The general path, for any state but CLOSED, LISTEN and TIME-WAIT.
// `extras.holes` is where gaps in the receive stream are noted. It may be null
// when memory for it is short: then nothing is parked, and the peer sends
// again. A connection that has gaps must always be given its own, and so must
// one that has a send state.
IngestResult Ingest(ControlBlock& cb, const Segment& segment,
                    const Extras& extras, const Context& ctx);

// Whether an ACK that answers an unacceptable segment may be sent: at most one
// in 500 ms for each connection, so that two ends that disagree do not storm
// (RFC 5961 section 7). Notes it if so.
bool AllowChallengeAck(ControlBlock& cb, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_INGEST_H_
