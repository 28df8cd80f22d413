// A connection's deadlines. Arming one is a store; the earliest of them is
// filed in the pipeline's wheel once per turn of the loop.
#ifndef CORELANE_PROTO_TCP_TIMERS_H_
#define CORELANE_PROTO_TCP_TIMERS_H_

#include <optional>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// The retransmission timer stands for one of four things at a time:
// (Re)starts it as such (RFC 6298 section 5).
void ArmRetransmit(ControlBlock& cb, const Context& ctx);
// The same, counted from when the oldest segment was sent.
void ArmRetransmitFromHead(ControlBlock& cb, const SendState& tx,
                           const Context& ctx);
// ... for a zero-window probe (RFC 9293 section 3.8.6.1).
void ArmPersist(ControlBlock& cb, const Context& ctx);
// ... for a tail loss probe (RFC 8985 section 7).
void ArmTailProbe(ControlBlock& cb, Now now, uint32_t after_us);
// ... for RACK's reordering window.
void ArmReorder(ControlBlock& cb, Now now, uint32_t after_us);
void StopRetransmit(ControlBlock& cb);
void ArmDelayedAck(ControlBlock& cb, const Context& ctx);
void ArmIdle(ControlBlock& cb, Now now, Duration after);
void ArmApp(ControlBlock& cb, Now now, Duration after);

// The earliest armed deadline, if any. `tx` may be null.
std::optional<Tick> NextDeadline(const ControlBlock& cb,
                                 const SendState* tx = nullptr);

// What expired timers ask of the pipeline, as bits.
enum TimerAction : uint8_t {
  kTimerNothing = 0,
  kTimerEmit = 1,   // something is due: put it on the dirty list
  kTimerApp = 2,    // the application's own timer
  kTimerAbort = 4,  // the connection is over; cb.error says why
  kTimerDone = 8,   // FIN-WAIT-2 without an application ran out: forget it
};

// Runs every timer of the connection that has expired. `tx` may be null while
// nothing of the stream is in flight.
uint8_t OnTimers(ControlBlock& cb, SendState* tx, const Context& ctx);

// The peer was heard: keep-alive starts over (RFC 9293 section 3.8.4).
void RestartKeepalive(ControlBlock& cb, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIMERS_H_
