// What must hold of every control block between two events.
#ifndef CORELANE_PROTO_TCP_INVARIANTS_H_
#define CORELANE_PROTO_TCP_INVARIANTS_H_

#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// nullptr, or what is wrong. For tests and the simulator's oracle.
const char* CheckInvariants(const ControlBlock& cb, const SendState* tx,
                            const Config& config);

// Likewise, once NextSegment has said that nothing is due: a connection that
// has something to tell must have a timer that will make it do so.
const char* CheckSettled(const ControlBlock& cb, const SendState* tx = nullptr);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_INVARIANTS_H_
