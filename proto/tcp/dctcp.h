// DCTCP (RFC 8257), the sender's part: the window shrinks by as much as the
// share of marked bytes says. It grows as NewReno's does, and a loss is to it
// what it is to NewReno (section 3.5).
//
// For networks whose switches mark at a threshold; whoever configures it
// vouches for that (section 5). The receiver's part (section 3.2) is in ecn.h.
#ifndef CORELANE_PROTO_TCP_DCTCP_H_
#define CORELANE_PROTO_TCP_DCTCP_H_

#include <cstdint>

#include "proto/tcp/congestion_state.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

inline constexpr uint32_t kDctcpOne = 1u << 20;  // an alpha of 1

// Section 3.3 steps 1 to 3: `acked` bytes, SACK not counted, of an
// acknowledgment with or without ECN-Echo.
void CountMarks(DctcpState& dctcp, uint32_t acked, bool ece);

// Steps 5 to 7: the observation window has ended.
void EndDctcpWindow(DctcpState& dctcp);

// DCTCP.Alpha in units of 1 / kDctcpOne.
inline uint32_t DctcpAlpha(const DctcpState& dctcp) {
  return dctcp.unmarked_share < kDctcpOne ? kDctcpOne - dctcp.unmarked_share
                                          : 0;
}

// Step 8: cwnd * (1 - DCTCP.Alpha / 2).
uint32_t DctcpThreshold(const ControlBlock& cb, const DctcpState& dctcp);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_DCTCP_H_
