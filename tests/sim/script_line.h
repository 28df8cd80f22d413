// The words of a script's lines.
#ifndef CORELANE_TESTS_SIM_SCRIPT_LINE_H_
#define CORELANE_TESTS_SIM_SCRIPT_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/address.h"
#include "proto/base/time.h"
#include "tests/sim/frames.h"
#include "tests/sim/script_options.h"

namespace corelane::sim {

// A TCP segment as it is written:
//   FLAGS SEQ:END(LENGTH) [ack N] [win N] [<OPTIONS>] [MODIFIER...]
// FLAGS are letters of SFRPUEW (E: ECE, W: CWR) and a dot for ACK, or - for
// none. OPTIONS: see script_options.h. If they are left out, none are sent, and
// what the stack sends is not looked at; <> means that there are none.
// Modifiers:
//   urg N                the urgent pointer (the flag is U)
//   port N, our_port N   other ports than usual
//   from A, to A         other addresses than usual
//   tos N, ttl N         of the IP header
//   ect0, ect1, ce, noect    its ECN bits
//   by N                 a row of segments of N bytes each (the last may be
//                        shorter; only it has the P and the F). Injected, they
//                        arrive in one burst
//   abs                  (expected only) SEQ is not relative to our SYN
// and for what is injected only, after the checksums were made
//   bad_sum, bad_ip_sum, no_sum
//   doff N, ihl N, iplen N, udplen N    lies in the headers, with good sums
//   cut N                only so many bytes of the frame arrive
//   broadcast            to the broadcast MAC address
//   ipopt HEX            options in the IP header
struct TcpText {
  uint8_t flags = 0;
  uint32_t seq = 0;
  uint32_t length = 0;
  std::optional<uint32_t> ack;
  std::optional<uint16_t> window;
  uint16_t urgent = 0;
  bool has_options = false;  // written, if only as <>
  std::vector<OptionText> options;
  std::optional<uint8_t> tos;
  std::optional<uint8_t> ttl;
  std::optional<uint8_t> ecn;  // the low two bits of the TOS byte
  uint32_t by = 0;
  std::vector<uint8_t> ip_options;
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

uint32_t Number(const std::string& text);
Duration Seconds(const std::string& text);

// A line's words, without its comment; what stands in <...> is one word.
std::vector<std::string> SplitLine(std::string line);

// The segments that a line with `by N` stands for; else just that one.
std::vector<TcpText> RowOf(const TcpText& text);

// Each returns what is wrong, or nothing.
std::string ParseTcpLine(const std::vector<std::string>& words, TcpText& out);
std::string ParseModifiers(const std::vector<std::string>& words, size_t from,
                           TcpText& out);

// What the modifiers say is wrong with the frame.
void ApplyDamage(const TcpText& text, Frame& frame);

bool ParseHex(const std::string& text, std::vector<uint8_t>& out);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_LINE_H_
