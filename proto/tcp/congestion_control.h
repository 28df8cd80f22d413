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
  bool cwnd_limited = false;  // the window was what held the sender back
  bool ece = false;           // it carried ECN-Echo
};

// "cubic" and so on; nothing if there is none of that name.
std::optional<CongestionControl> CongestionControlByName(std::string_view name);
std::string_view NameOf(CongestionControl control);

// Every acknowledgment, in every phase: what only observes (DCTCP's share of
// marked bytes, HyStart++'s rounds).
void ObserveAck(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx);

// Grows cwnd for an acknowledgment of new data in the phases Open, Disorder and
// Loss (slow start, congestion avoidance). `sample.acked` > 0.
void GrowWindow(ControlBlock& cb, SendState& tx, const AckSample& sample,
                const Context& ctx);

// The slow start threshold after a congestion event of now (a loss, a timeout
// or an ECN mark), and what the algorithm wants to remember of it. Changes
// neither cwnd nor ssthresh.
enum class CongestionEvent : uint8_t { kLoss, kTimeout, kEcn };
uint32_t ThresholdAfter(ControlBlock& cb, SendState& tx, CongestionEvent event,
                        const Context& ctx);

// The reduction turned out to be uncalled for: cwnd and ssthresh have been put
// back, the algorithm's own memory of the event goes as well.
void UndoReduction(ControlBlock& cb, SendState& tx, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONGESTION_CONTROL_H_
