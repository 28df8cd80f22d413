// Round-trip time and retransmission timeout (RFC 6298).
#ifndef CORELANE_PROTO_TCP_RTT_H_
#define CORELANE_PROTO_TCP_RTT_H_

#include <algorithm>
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

// ---- The packet path uses both, to be inlined there.

inline void RestoreRto(ControlBlock& cb, const Config& config) {
  if (cb.srtt_us == 0) {
    cb.rto_us = ToMicros(config.rto_initial);
    return;
  }
  // RTO = SRTT + max(G, 4 * RTTVAR), with the floor in the place of G: on a
  // steady path RTTVAR goes to nothing, and a delayed ACK must still be in
  // time.
  cb.rto_us = std::min(
      cb.srtt_us / 8 + std::max(cb.rttvar_us, ToMicros(config.rto_min)),
      ToMicros(config.rto_max));
}

inline void OnRttSample(ControlBlock& cb, uint32_t rtt_us,
                        const Config& config) {
  rtt_us = std::clamp<uint32_t>(rtt_us, 1, 60'000'000);
  if (cb.srtt_us == 0) {  // (2.2)
    cb.srtt_us = rtt_us * 8;
    cb.rttvar_us = rtt_us * 2;  // R/2, times 4
  } else {                      // (2.3), alpha = 1/8 and beta = 1/4
    const int32_t error =
        static_cast<int32_t>(rtt_us) - static_cast<int32_t>(cb.srtt_us / 8);
    const int32_t deviation = error < 0 ? -error : error;
    cb.rttvar_us =
        static_cast<uint32_t>(static_cast<int32_t>(cb.rttvar_us) + deviation -
                              static_cast<int32_t>(cb.rttvar_us / 4));
    cb.srtt_us =
        static_cast<uint32_t>(static_cast<int32_t>(cb.srtt_us) + error);
  }
  RestoreRto(cb, config);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RTT_H_
