// Disconnecting (RFC 9293 sections 3.6 and 3.10.4, 3.10.5).
#ifndef CORELANE_PROTO_TCP_CLOSE_H_
#define CORELANE_PROTO_TCP_CLOSE_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/segment_spec.h"

namespace corelane::tcp {

// Ends our stream after what is queued (half close); receiving goes on. Returns
// false if there is no connection to finish: the control block may go at once.
bool CloseSend(ControlBlock& cb);

// The application lets go for good: it will read no more. Implies CloseSend.
bool Release(ControlBlock& cb, const Context& ctx);

// The reset that an abort sends, if the state calls for one (section 3.10.5).
bool AbortSegment(const ControlBlock& cb, Now now, SegmentSpec& out);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CLOSE_H_
