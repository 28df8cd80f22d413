// Round-trip time and retransmission timeout (RFC 6298).
#ifndef CORELANE_PROTO_TCP_RTT_H_
#define CORELANE_PROTO_TCP_RTT_H_

#include <cstdint>

#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

// (5.7): the RTO after a handshake that needed retransmissions.
inline constexpr Duration kRtoAfterLostSyn = 3s;

// Takes one measurement and recomputes the RTO, which ends any back-off.
void OnRttSample(ControlBlock& cb, uint32_t rtt_us, const Config& config);

// Ends a back-off that was of window probes: unlike Karn's it says nothing
// about the path.
void RestoreRto(ControlBlock& cb, const Config& config);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RTT_H_
