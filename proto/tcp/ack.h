// The fifth check of RFC 9293 section 3.10.7.4: the ACK field.
#ifndef CORELANE_PROTO_TCP_ACK_H_
#define CORELANE_PROTO_TCP_ACK_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/ingest.h"

namespace corelane::tcp {

// Processes SEG.ACK and SEG.WND. Returns false if the rest of the segment is to
// be ignored.
bool ProcessAck(ControlBlock& cb, const Segment& segment, const Context& ctx,
                IngestResult& result);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_ACK_H_
