// Congestion control by name: how fast the window grows, and what it shrinks
// to. When it shrinks, and how the reduction is spread over the
// acknowledgments, is loss recovery's business (recovery.h).
//
// A switch over CongestionControl, not a virtual call: it is on the packet
// path. All windows are in bytes.
#ifndef CORELANE_PROTO_TCP_CONGESTION_CONTROL_H_
#define CORELANE_PROTO_TCP_CONGESTION_CONTROL_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// What one acknowledgment told the sender. SND.UNA has moved already.
struct AckSample {
  SeqNum prior_una;
  uint32_t acked = 0;      // bytes by which SND.UNA advanced
  uint32_t delivered = 0;  // bytes newly known to have arrived, SACKed or not
  uint32_t rtt_us = 0;     // a round-trip time, 0 if it gave none
  uint32_t prior_flight = 0;  // bytes in flight before it
  // The window was what held the sender back: since SND.UNA's round began, the
  // flight once came within a segment of cwnd, or of half of it in slow start.
  bool cwnd_limited = false;
  bool ece = false;  // it carried ECN-Echo
};

// "cubic" and so on; nothing if there is none of that name. BBR, which decides
// on cwnd on its own, is in bbr.h: what follows here is not for it.
std::optional<CongestionControl> CongestionControlByName(std::string_view name);
std::string_view NameOf(CongestionControl control);

// Every acknowledgment, in every phase, duplicates included, and before
// GrowWindow: what only observes (DCTCP's share of marked bytes, HyStart++'s
// rounds, the time that CUBIC's curve has been followed). Changes neither cwnd
// nor ssthresh. Before srtt is updated or after makes no difference that
// counts.
void ObserveAck(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx);

// Grows cwnd for an acknowledgment of new data in the phases Open, Disorder and
// Loss (slow start, congestion avoidance). `sample.acked` > 0. Does nothing
// unless `sample.cwnd_limited`. Where HyStart++ ends slow start it sets
// ssthresh, which before the first congestion event is kMaxCwnd
// (scaled_growth.h) or more.
void GrowWindow(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx);

// The slow start threshold after a congestion event of now (a loss, a timeout
// or an ECN mark), and what the algorithm wants to remember of it. Changes
// neither cwnd nor ssthresh. At least two segments.
//
// To be called once per event: for the first timeout of a series only, and not
// for losses or marks of a window that has been answered for already. cwnd and
// SND.NXT are still what they were before it, in particular not yet reduced or
// fallen back by the timeout; whether lost bytes have been marked makes no
// difference. NewReno and DCTCP go by what was in flight lately (UsedWindow in
// reno_growth.h), CUBIC and DCTCP's reaction to marks by cwnd.
enum class CongestionEvent : uint8_t { kLoss, kTimeout, kEcn };
uint32_t ThresholdAfter(ControlBlock& cb, SendState& tx, CongestionEvent event,
                        const Context& ctx);

// The reduction turned out to be uncalled for: cwnd and ssthresh have been put
// back, the algorithm's own memory of the event goes as well. Only the last
// event can be undone.
void UndoReduction(ControlBlock& cb, SendState& tx, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONGESTION_CONTROL_H_
