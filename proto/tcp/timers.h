// A connection's deadlines. Arming one is a store; the earliest of them is
// filed in the pipeline's wheel once per turn of the loop.
#ifndef CORELANE_PROTO_TCP_TIMERS_H_
#define CORELANE_PROTO_TCP_TIMERS_H_

#include <optional>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

// (Re)starts the retransmission timer (RFC 6298 section 5).
void ArmRetransmit(ControlBlock& cb, Now now);
// Starts the zero-window probe timer (RFC 9293 section 3.8.6.1).
void ArmPersist(ControlBlock& cb, Now now);
void StopRetransmit(ControlBlock& cb);
void ArmDelayedAck(ControlBlock& cb, const Context& ctx);
void ArmIdle(ControlBlock& cb, Now now, Duration after);
void ArmApp(ControlBlock& cb, Now now, Duration after);

// The earliest armed deadline, if any.
std::optional<Tick> NextDeadline(const ControlBlock& cb);

// What expired timers ask of the pipeline, as bits.
enum TimerAction : uint8_t {
  kTimerNothing = 0,
  kTimerEmit = 1,   // something is due: put it on the dirty list
  kTimerApp = 2,    // the application's own timer
  kTimerAbort = 4,  // the connection is over; cb.error says why
  kTimerDone = 8,   // FIN-WAIT-2 without an application ran out: forget it
};

// Runs every timer of the connection that has expired.
uint8_t OnTimers(ControlBlock& cb, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIMERS_H_
