// The fifth check of RFC 9293 section 3.10.7.4: the ACK field.
#ifndef CORELANE_PROTO_TCP_ACK_H_
#define CORELANE_PROTO_TCP_ACK_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/ingest.h"
#include "proto/tcp/options.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// Whether SEG.ACK is one to go on with (RFC 5961 section 5; SYN-RECEIVED's own
// check). If not, the answer is noted, and the segment is to be ignored.
bool AcceptableAck(ControlBlock& cb, const Segment& segment, const Context& ctx,
                   IngestResult& result);

// Processes an acceptable SEG.ACK, SEG.WND and the options that belong to them.
// `tx` may be null if nothing is in flight. Returns false if the rest of the
// segment is to be ignored.
bool ProcessAck(ControlBlock& cb, const Segment& segment,
                const Options& options, SendState* tx, const Context& ctx,
                IngestResult& result);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_ACK_H_
