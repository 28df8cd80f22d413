// What a TCP is told once, at start.
#ifndef CORELANE_PROTO_TCP_CONFIG_H_
#define CORELANE_PROTO_TCP_CONFIG_H_

#include <cstdint>

#include "proto/base/time.h"

namespace corelane::tcp {

struct Config {
  // RFC 6298 asks for a minimum of 1 s "conservatively"; like every current
  // server stack we use 200 ms, which still exceeds any peer's delayed ACK
  // plus the path's variation (COMPLIANCE.md).
  Duration rto_initial = 1s;  // RFC 6298 (2.1)
  Duration rto_min = 200ms;
  Duration rto_max = 60s;
  // RFC 9293 section 3.8.3 R2: with 15 back-offs from 200 ms this is 9 min.
  uint8_t max_retransmits = 15;
  uint8_t max_syn_retransmits = 7;     // active open: 3 min (MUST-23)
  uint8_t max_synack_retransmits = 5;  // passive open: 63 s
  // A closed application does not wait for its peer as patiently.
  uint8_t max_orphan_retransmits = 8;
  Duration delayed_ack = 40ms;  // RFC 9293 section 3.8.6.3: below 500 ms
  Duration time_wait = 60s;     // 2 MSL
  Duration fin_wait2 = 60s;     // for connections without an application
  uint32_t initial_window_segments = 10;  // RFC 6928
  // The receive buffer: the largest window that is offered.
  uint32_t receive_buffer = 256 * 1024;
  uint32_t send_buffer = 256 * 1024;
  // The smallest segment size that a peer can talk us into (CVE-2019-11479).
  uint16_t min_mss = 88;
  bool nodelay = false;
};

// The shift that lets `buffer` be offered in 16 bits (RFC 7323 section 2.3).
constexpr uint8_t WindowScaleFor(uint32_t buffer) {
  uint8_t shift = 0;
  while (shift < 14 && (buffer >> shift) > 0xffff) ++shift;
  return shift;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONFIG_H_
