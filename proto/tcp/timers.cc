#include "proto/tcp/timers.h"

#include <algorithm>

#include "proto/tcp/congestion.h"

namespace corelane::tcp {
namespace {

bool Expired(Tick deadline, Now now) { return !TickBefore(now.tick, deadline); }

uint8_t RetransmitLimit(const ControlBlock& cb, const Config& config) {
  switch (cb.state) {
    case State::kSynSent:
      return config.max_syn_retransmits;
    case State::kSynReceived:
      return config.max_synack_retransmits;
    default:
      return cb.Has(kOrphan) ? config.max_orphan_retransmits
                             : config.max_retransmits;
  }
}

void BackOff(ControlBlock& cb, const Config& config) {
  cb.rto_us = static_cast<uint32_t>(
      std::min<uint64_t>(uint64_t{cb.rto_us} * 2, ToMicros(config.rto_max)));
}

// A peer may keep its window closed for ever as long as it answers; one that
// does not answer is given up like any other.
uint8_t OnPersistTimeout(ControlBlock& cb, const Context& ctx) {
  if (cb.retransmits >= RetransmitLimit(cb, ctx.config)) {
    cb.error = Error::kTimedOut;
    ++ctx.counters.gave_up;
    return kTimerAbort;
  }
  ++cb.retransmits;
  BackOff(cb, ctx.config);
  cb.Set(kProbe);
  ArmPersist(cb, ctx.now);
  return kTimerEmit;
}

// RFC 6298 (5.4)-(5.6); RFC 9293 section 3.8.3 for giving up.
uint8_t OnRetransmitTimeout(ControlBlock& cb, const Context& ctx) {
  if (cb.state >= State::kEstablished && cb.SendWindow() == 0) {
    // The peer took its window back from what is in flight: from now on probe,
    // which ends only when the peer stops answering.
    return OnPersistTimeout(cb, ctx);
  }
  if (cb.retransmits >= RetransmitLimit(cb, ctx.config)) {
    cb.error = Error::kTimedOut;
    ++ctx.counters.gave_up;
    return kTimerAbort;
  }
  ++cb.retransmits;
  ++ctx.counters.timeouts;
  BackOff(cb, ctx.config);
  cb.Clear(kTimingRtt);  // Karn: what is sent again is not timed
  if (cb.state == State::kSynSent || cb.state == State::kSynReceived) {
    cb.Set(kSynDue);
  } else {
    OnTimeout(cb);
    cb.snd_nxt = cb.snd_una;
  }
  ArmRetransmit(cb, ctx.now);
  return kTimerEmit;
}

}  // namespace

void ArmRetransmit(ControlBlock& cb, Now now) {
  cb.retransmit_deadline = now.tick + MicrosToTicks(cb.rto_us);
  cb.Set(kRetransmitTimer);
  cb.Clear(kPersist);
}

void ArmPersist(ControlBlock& cb, Now now) {
  cb.retransmit_deadline = now.tick + MicrosToTicks(cb.rto_us);
  cb.Set(kRetransmitTimer | kPersist);
}

void StopRetransmit(ControlBlock& cb) { cb.Clear(kRetransmitTimer | kPersist); }

void ArmDelayedAck(ControlBlock& cb, const Context& ctx) {
  if (cb.Has(kAckTimer)) return;
  cb.ack_deadline = ctx.now.tick + ToTicks(ctx.config.delayed_ack);
  cb.Set(kAckTimer);
}

void ArmIdle(ControlBlock& cb, Now now, Duration after) {
  cb.idle_deadline = now.tick + ToTicks(after);
  cb.Set(kIdleTimer);
}

void ArmApp(ControlBlock& cb, Now now, Duration after) {
  cb.app_deadline = now.tick + ToTicks(after);
  cb.Set(kAppTimer);
}

std::optional<Tick> NextDeadline(const ControlBlock& cb) {
  std::optional<Tick> next;
  auto consider = [&](uint32_t flag, Tick deadline) {
    if (cb.Has(flag) && (!next || TickBefore(deadline, *next))) next = deadline;
  };
  consider(kRetransmitTimer, cb.retransmit_deadline);
  consider(kAckTimer, cb.ack_deadline);
  consider(kIdleTimer, cb.idle_deadline);
  consider(kAppTimer, cb.app_deadline);
  return next;
}

uint8_t OnTimers(ControlBlock& cb, const Context& ctx) {
  uint8_t actions = kTimerNothing;
  if (cb.Has(kAckTimer) && Expired(cb.ack_deadline, ctx.now)) {
    cb.Clear(kAckTimer);
    cb.Set(kAckNow);
    ++ctx.counters.delayed_acks;
    actions |= kTimerEmit;
  }
  if (cb.Has(kRetransmitTimer) && Expired(cb.retransmit_deadline, ctx.now)) {
    actions |= cb.Has(kPersist) ? OnPersistTimeout(cb, ctx)
                                : OnRetransmitTimeout(cb, ctx);
  }
  if (cb.Has(kIdleTimer) && Expired(cb.idle_deadline, ctx.now)) {
    cb.Clear(kIdleTimer);
    actions |= kTimerDone;
  }
  if (cb.Has(kAppTimer) && Expired(cb.app_deadline, ctx.now)) {
    cb.Clear(kAppTimer);
    actions |= kTimerApp;
  }
  return actions;
}

}  // namespace corelane::tcp
