// The words of a script's lines.
#ifndef CORELANE_TESTS_SIM_SCRIPT_LINE_H_
#define CORELANE_TESTS_SIM_SCRIPT_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/pipeline/counters.h"
#include "proto/base/address.h"
#include "tests/sim/frames.h"

namespace corelane::sim {

// A TCP segment as it is written:
//   FLAGS SEQ:END(LENGTH) [ack N] [win N] [<OPTIONS>] [MODIFIER...]
// FLAGS are letters of SFRPU and a dot for ACK, or - for none. OPTIONS, without
// blanks: mss N, wscale N, nop, eol, or hexadecimal bytes, with commas between
// and = before the number: <mss=1460,nop,wscale=2>. Modifiers:
//   urg N                the urgent pointer (the flag is U)
//   port N, our_port N   other ports than usual
//   from A, to A         other addresses than usual
//   abs                  (expected only) SEQ is not relative to our SYN
// and for what is injected only, after the checksums were made
//   bad_sum, bad_ip_sum, no_sum
//   doff N, ihl N, iplen N, udplen N    lies in the headers, with good sums
//   cut N                only so many bytes of the frame arrive
//   broadcast            to the broadcast MAC address
struct TcpText {
  uint8_t flags = 0;
  uint32_t seq = 0;
  uint32_t length = 0;
  std::optional<uint32_t> ack;
  std::optional<uint16_t> window;
  uint16_t urgent = 0;
  std::vector<uint8_t> options;
  std::optional<uint16_t> peer_port;
  std::optional<uint16_t> our_port;
  std::optional<Ipv4Address> source;
  std::optional<Ipv4Address> destination;
  bool absolute = false;
  bool broadcast = false;
  bool bad_sum = false;
  bool bad_ip_sum = false;
  bool no_sum = false;
  std::optional<uint8_t> data_offset;
  std::optional<uint8_t> header_length;
  std::optional<uint16_t> total_length;
  std::optional<uint16_t> udp_length;
  std::optional<uint32_t> cut;
};

// Each returns what is wrong, or nothing.
std::string ParseTcpLine(const std::vector<std::string>& words, TcpText& out);
std::string ParseModifiers(const std::vector<std::string>& words, size_t from,
                           TcpText& out);

// What the modifiers say is wrong with the frame.
void ApplyDamage(const TcpText& text, Frame& frame);

bool ParseHex(const std::string& text, std::vector<uint8_t>& out);

// `kind` is drop, counter or tcp. False if there is no such counter.
bool CounterValue(const dataplane::Counters& counters, const std::string& kind,
                  const std::string& name, std::string& out);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_LINE_H_
