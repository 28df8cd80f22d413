// A connection's deadlines. Arming one is a store; the earliest of them is
// filed in the pipeline's wheel once per turn of the loop.
#ifndef CORELANE_PROTO_TCP_TIMERS_H_
#define CORELANE_PROTO_TCP_TIMERS_H_

#include <algorithm>
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

// ---- The ones that the packet path uses, to be inlined there.

namespace internal {

inline void Arm(ControlBlock& cb, Now now, uint32_t after_us, uint32_t kind) {
  cb.retransmit_deadline = now.tick + MicrosToTicks(after_us);
  cb.Clear(kPersist | kTailTimer | kReorderTimer);
  cb.Set(kRetransmitTimer | kind);
}

// Not beyond the user timeout, or it would end the connection too late.
inline uint32_t Clamped(const ControlBlock& cb, uint32_t after_us,
                        const Context& ctx) {
  const Duration limit = ctx.config.user_timeout;
  if (limit == 0s || cb.state < State::kEstablished) return after_us;
  const uint64_t passed =
      (uint64_t{ctx.now.tick - cb.una_since} << kTickShift) / 1000;
  const auto most = static_cast<uint64_t>(limit / 1us);
  const uint64_t left = most > passed ? most - passed : 1000;
  return static_cast<uint32_t>(std::min<uint64_t>(after_us, left));
}

inline bool WantsKeepalive(const ControlBlock& cb, const Context& ctx) {
  return ctx.config.keepalive && !cb.Has(kOrphan) &&
         (cb.state == State::kEstablished || cb.state == State::kCloseWait);
}

}  // namespace internal

inline void ArmRetransmit(ControlBlock& cb, const Context& ctx) {
  internal::Arm(cb, ctx.now, internal::Clamped(cb, cb.rto_us, ctx), 0);
}

inline void ArmTailProbe(ControlBlock& cb, Now now, uint32_t after_us) {
  internal::Arm(cb, now, after_us, kTailTimer);
}

inline void StopRetransmit(ControlBlock& cb) {
  cb.Clear(kRetransmitTimer | kPersist | kTailTimer | kReorderTimer);
}

inline void ArmIdle(ControlBlock& cb, Now now, Duration after) {
  cb.idle_deadline = now.tick + ToTicks(after);
  cb.Set(kIdleTimer);
}

inline void RestartKeepalive(ControlBlock& cb, const Context& ctx) {
  if (!internal::WantsKeepalive(cb, ctx)) return;
  cb.keepalives = 0;
  ArmIdle(cb, ctx.now, ctx.config.keepalive_idle);
}

inline void ArmDelayedAck(ControlBlock& cb, const Context& ctx) {
  if (cb.Has(kAckTimer)) return;
  cb.ack_deadline = ctx.now.tick + ToTicks(ctx.config.delayed_ack);
  cb.Set(kAckTimer);
}

inline std::optional<Tick> NextDeadline(const ControlBlock& cb,
                                        const SendState* tx) {
  std::optional<Tick> next;
  auto consider = [&](uint32_t flag, Tick deadline) {
    if (cb.Has(flag) && (!next || TickBefore(deadline, *next))) next = deadline;
  };
  consider(kRetransmitTimer, cb.retransmit_deadline);
  consider(kAckTimer, cb.ack_deadline);
  consider(kIdleTimer, cb.idle_deadline);
  consider(kAppTimer, cb.app_deadline);
  if (tx != nullptr && tx->Has(kPaced) &&
      (!next || TickBefore(tx->pace_deadline, *next))) {
    next = tx->pace_deadline;
  }
  return next;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIMERS_H_
