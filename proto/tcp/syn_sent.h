// Segments that arrive in SYN-SENT (RFC 9293 section 3.10.7.3).
#ifndef CORELANE_PROTO_TCP_SYN_SENT_H_
#define CORELANE_PROTO_TCP_SYN_SENT_H_

#include "proto/tcp/ingest.h"

namespace corelane::tcp {

void IngestSynSent(ControlBlock& cb, const Segment& segment, const Context& ctx,
                   IngestResult& result);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SYN_SENT_H_
