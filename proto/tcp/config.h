// What a TCP is told once, at start.
#ifndef CORELANE_PROTO_TCP_CONFIG_H_
#define CORELANE_PROTO_TCP_CONFIG_H_

#include <cstdint>

#include "proto/base/time.h"

namespace corelane::tcp {

enum class CongestionControl : uint8_t { kNewReno, kCubic, kDctcp, kBbr };

enum class Ecn : uint8_t {
  kOff,
  kAccept,   // when the peer asks for it
  kRequest,  // ask for it, too
};

// Defaults of a whole stack, and, as a copy, the options of a socket.
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
  // The send buffer is a mark rather than a wall (RoomInPieces, send_room.h).
  bool send_in_pieces = false;
  // The smallest segment size that a peer can talk us into (CVE-2019-11479).
  uint16_t min_mss = 88;
  bool nodelay = false;

  CongestionControl congestion = CongestionControl::kCubic;
  bool timestamps = true;      // RFC 7323
  bool sack = true;            // RFC 2018
  bool window_scaling = true;  // RFC 7323
  Ecn ecn = Ecn::kRequest;
  bool syn_cookies = true;      // RFC 4987, when there is no room for requests
  bool tail_loss_probe = true;  // RFC 8985 section 7
  bool frto = true;             // RFC 5682
  bool hystart = true;          // RFC 9406
  bool slow_start_after_idle = true;  // RFC 5681 section 4.1
  bool pacing = false;
  bool mtu_probing = true;  // RFC 8899
  // PMTU_RAISE_TIMER: how often a larger segment is tried.
  Duration mtu_raise = 600s;
  bool autotune_receive = true;
  // Keep-alive (RFC 9293 section 3.8.4): off unless the application asks.
  bool keepalive = false;
  Duration keepalive_idle = 2h;
  Duration keepalive_interval = 75s;
  uint8_t keepalive_probes = 9;
  Duration user_timeout{};   // RFC 5482; 0: max_retransmits decides
  uint16_t max_segment = 0;  // TCP_MAXSEG; 0: what the route's MTU allows
  uint8_t tos = 0;           // DSCP; the two ECN bits are TCP's own
  uint8_t ttl = 64;

  friend bool operator==(const Config&, const Config&) = default;
};

// The shift that lets `buffer` be offered in 16 bits (RFC 7323 section 2.3).
constexpr uint8_t WindowScaleFor(uint32_t buffer) {
  uint8_t shift = 0;
  while (shift < 14 && (buffer >> shift) > 0xffff) ++shift;
  return shift;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONFIG_H_
