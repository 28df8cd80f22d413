// Taking back a reduction of the window that was not called for: the original
// had arrived after all, late or out of order.
#ifndef CORELANE_PROTO_TCP_UNDO_H_
#define CORELANE_PROTO_TCP_UNDO_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/options.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// Before cwnd and ssthresh are reduced. `reducing`: a reduction is going on
// already, and the values of its beginning are the ones to go back to.
void RememberForUndo(const ControlBlock& cb, SendState& tx, bool reducing);

// A retransmission leaves: what Eifel (RFC 3522) and D-SACK will be compared
// with.
void NoteRetransmission(const ControlBlock& cb, SendState& tx, Now now,
                        uint32_t segments);

// Whether the acknowledgment shows that the retransmissions were unnecessary:
// it echoes a timestamp from before the first of them, or each was reported as
// a duplicate.
bool WasSpurious(const ControlBlock& cb, const SendState& tx,
                 const Options& options, bool advanced);

// RFC 4015: puts the window back and calls nothing lost.
void Undo(ControlBlock& cb, SendState& tx, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_UNDO_H_
