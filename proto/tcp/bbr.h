// BBR version 3 (draft-ietf-ccwg-bbr): what is sent follows a model of the path
// (its bandwidth, its round-trip time, the inflight at which it loses), not
// losses as such.
//
// A connection runs it while its send state has a BbrState (`tx.bbr`). These
// are the places at which the rest of TCP tells it something; each expects one.
// BBR sets cwnd in every phase of recovery, leaves ssthresh alone, and paces.
#ifndef CORELANE_PROTO_TCP_BBR_H_
#define CORELANE_PROTO_TCP_BBR_H_

#include <cstdint>

#include "proto/tcp/bbr_state.h"
#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"
#include "proto/tcp/sent_list.h"

namespace corelane::tcp {

// `bbr` is the connection's from now on, until StopBbr: with nothing in flight
// or in the middle of a transfer under another algorithm.
void StartBbr(ControlBlock& cb, SendState& tx, BbrState& bbr,
              const Context& ctx);

// Another algorithm goes on, in congestion avoidance.
void StopBbr(ControlBlock& cb, SendState& tx);

// New data is about to leave: has the application kept it waiting?
void BbrBeforeSend(ControlBlock& cb, SendState& tx, Now now);

// An acknowledgment has arrived, of which nothing has been taken in yet.
void BbrBeforeAck(const ControlBlock& cb, SendState& tx);

// The scoreboard calls a run of `bytes`, sent at `sent_us`, lost. `separate`:
// the one before it is not.
void BbrOnLoss(BbrState& bbr, uint32_t bytes, uint32_t sent_us, bool separate);

// What was called lost was not lost to congestion.
void BbrForgetLosses(BbrState& bbr);

// Fast recovery or a reduction for a mark begins, before the phase changes, or
// has come to its end, as recovery from a timeout has.
void BbrEnterRecovery(const ControlBlock& cb, SendState& tx);
void BbrLeaveRecovery(ControlBlock& cb, SendState& tx);

// The retransmission timer has gone off; `first` of a series. The phase and
// cwnd are as before.
void BbrOnTimeout(const ControlBlock& cb, SendState& tx, bool first);

// An acknowledgment says that a segment met congestion (RFC 3168). At most once
// per window.
void BbrOnMark(const ControlBlock& cb, SendState& tx, uint32_t prior_flight);

// A loss that no acknowledgment showed: a probe has repaired it.
void BbrOnRepairedLoss(const ControlBlock& cb, SendState& tx);

// The last step of taking in any acknowledgment, which delivered `bytes`.
void BbrOnAck(ControlBlock& cb, SendState& tx, uint32_t bytes,
              const Delivery& delivery, const Context& ctx);

// HandleSpuriousLossDetection(): nothing was lost after all.
void BbrUndo(ControlBlock& cb, SendState& tx);

// However slow the path seems, a segment is never held for longer.
inline constexpr uint32_t kLongestPaceUs = 1'000'000;

// By how much the rate and the inflight differ from the path's, in percent.
uint32_t BbrPacingGain(BbrPhase phase);
uint32_t BbrCwndGain(BbrPhase phase);

// How long `bytes` take at the pacing rate, in microseconds. What the division
// leaves over is kept for the next time.
uint32_t BbrPaceInterval(BbrState& bbr, uint32_t bytes);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_BBR_H_
