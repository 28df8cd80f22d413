#include "proto/tcp/timers.h"

#include <algorithm>

#include "proto/tcp/path_mtu.h"
#include "proto/tcp/recovery.h"

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

uint8_t GiveUp(ControlBlock& cb, const Context& ctx) {
  // RFC 9293 section 3.9.1.8 (MUST-47): soft errors are told.
  const bool explained =
      cb.state == State::kSynSent && cb.soft_error != Error::kNone;
  cb.error = explained ? cb.soft_error : Error::kTimedOut;
  ++ctx.counters.gave_up;
  return kTimerAbort;
}

// RFC 5482: nothing has been acknowledged for as long as the application waits.
bool UserTimeoutPassed(const ControlBlock& cb, const Context& ctx) {
  const Duration limit = ctx.config.user_timeout;
  return limit > 0s && ctx.now.tick - cb.una_since >= ToTicks(limit);
}

bool MayTryAgain(const ControlBlock& cb, const Context& ctx) {
  if (ctx.config.user_timeout > 0s && cb.state >= State::kEstablished) {
    return !UserTimeoutPassed(cb, ctx);
  }
  return cb.retransmits < RetransmitLimit(cb, ctx.config);
}

// A peer may keep its window closed for ever as long as it answers; one that
// does not answer is given up like any other.
uint8_t OnPersistTimeout(ControlBlock& cb, const Context& ctx) {
  if (!MayTryAgain(cb, ctx)) return GiveUp(cb, ctx);
  if (cb.retransmits < 255) ++cb.retransmits;
  BackOff(cb, ctx.config);
  cb.Set(kProbe);
  ArmPersist(cb, ctx);
  return kTimerEmit;
}

// RFC 6298 (5.4)-(5.6); RFC 9293 section 3.8.3 for giving up.
uint8_t OnRetransmitTimeout(ControlBlock& cb, SendState* tx,
                            const Context& ctx) {
  if (cb.state >= State::kEstablished && cb.SendWindow() == 0) {
    // The peer took its window back from what is in flight: from now on probe,
    // which ends only when the peer stops answering.
    return OnPersistTimeout(cb, ctx);
  }
  if (!MayTryAgain(cb, ctx)) return GiveUp(cb, ctx);
  if (cb.retransmits < 255) ++cb.retransmits;
  ++ctx.counters.timeouts;
  BackOff(cb, ctx.config);
  if (cb.state == State::kSynSent || cb.state == State::kSynReceived) {
    cb.Set(kSynDue);
  } else if (tx != nullptr) {
    SuspectBlackHole(cb, *tx, ctx);
    OnTimeout(cb, *tx, ctx);
  }
  ArmRetransmit(cb, ctx);
  return kTimerEmit;
}

uint8_t OnRetransmitTimer(ControlBlock& cb, SendState* tx, const Context& ctx) {
  if (cb.Has(kPersist)) return OnPersistTimeout(cb, ctx);
  if (tx != nullptr && cb.Has(kReorderTimer)) {
    StopRetransmit(cb);
    OnReorderTimeout(cb, *tx, ctx);
    return kTimerEmit;
  }
  if (tx != nullptr && cb.Has(kTailTimer)) {
    cb.Set(kTailProbe);
    ArmRetransmit(cb, ctx);
    return kTimerEmit;
  }
  return OnRetransmitTimeout(cb, tx, ctx);
}

// RFC 9293 section 3.8.4: is the peer still there? Nobody asks while
// retransmissions do.
// Probes are counted up to 255: with a user timeout no more than 254 have room
// in it, however short their interval.
Duration KeepaliveInterval(const Config& config) {
  constexpr int kMostProbes = 254;
  const Duration room = config.user_timeout - config.keepalive_idle;
  return std::max(config.keepalive_interval, room / kMostProbes);
}

uint8_t OnKeepalive(ControlBlock& cb, const Context& ctx) {
  const Config& config = ctx.config;
  if (!internal::WantsKeepalive(cb, ctx)) return kTimerNothing;
  if (cb.SendEnd() != cb.snd_una) {
    ArmIdle(cb, ctx.now, config.keepalive_idle);
    return kTimerNothing;
  }
  const Duration interval = KeepaliveInterval(config);
  const Duration silent = config.keepalive_idle + cb.keepalives * interval;
  const bool over = config.user_timeout > 0s
                        ? cb.keepalives > 0 && silent >= config.user_timeout
                        : cb.keepalives >= config.keepalive_probes;
  if (over) return GiveUp(cb, ctx);
  if (cb.keepalives < 255) ++cb.keepalives;
  cb.Set(kProbe);
  ArmIdle(cb, ctx.now, interval);
  return kTimerEmit;
}

}  // namespace

void ArmRetransmitFromHead(ControlBlock& cb, const SendState& tx,
                           const Context& ctx) {
  if (cb.snd_una == cb.snd_nxt) {
    StopRetransmit(cb);
    return;
  }
  const uint32_t age = ctx.now.us - tx.ranges[0].sent_us;
  const uint32_t left = cb.rto_us > age ? cb.rto_us - age : 0;
  internal::Arm(cb, ctx.now, internal::Clamped(cb, left, ctx), 0);
}

void ArmPersist(ControlBlock& cb, const Context& ctx) {
  internal::Arm(cb, ctx.now, internal::Clamped(cb, cb.rto_us, ctx), kPersist);
}

void ArmReorder(ControlBlock& cb, Now now, uint32_t after_us) {
  internal::Arm(cb, now, after_us, kReorderTimer);
}

void ArmApp(ControlBlock& cb, Now now, Duration after) {
  cb.app_deadline = now.tick + ToTicks(after);
  cb.Set(kAppTimer);
}

uint8_t OnTimers(ControlBlock& cb, SendState* tx, const Context& ctx) {
  uint8_t actions = kTimerNothing;
  if (cb.Has(kAckTimer) && Expired(cb.ack_deadline, ctx.now)) {
    cb.Clear(kAckTimer);
    cb.Set(kAckNow);
    ++ctx.counters.delayed_acks;
    actions |= kTimerEmit;
  }
  if (cb.Has(kRetransmitTimer) && Expired(cb.retransmit_deadline, ctx.now)) {
    actions |= OnRetransmitTimer(cb, tx, ctx);
  }
  if (tx != nullptr && tx->Has(kPaced) && Expired(tx->pace_deadline, ctx.now)) {
    tx->Clear(kPaced);
    actions |= kTimerEmit;
  }
  if (cb.Has(kIdleTimer) && Expired(cb.idle_deadline, ctx.now)) {
    cb.Clear(kIdleTimer);
    if (cb.Has(kOrphan)) {
      actions |= kTimerDone;
    } else {
      actions |= OnKeepalive(cb, ctx);
    }
  }
  if (cb.Has(kAppTimer) && Expired(cb.app_deadline, ctx.now)) {
    cb.Clear(kAppTimer);
    actions |= kTimerApp;
  }
  return actions;
}

}  // namespace corelane::tcp
