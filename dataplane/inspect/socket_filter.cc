#include "dataplane/inspect/socket_filter.h"

#include <iterator>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dataplane/inspect/sockets.h"

namespace corelane::inspect {
namespace {

constexpr tcp::State kStates[] = {
    tcp::State::kListen,      tcp::State::kSynSent,  tcp::State::kSynReceived,
    tcp::State::kEstablished, tcp::State::kFinWait1, tcp::State::kFinWait2,
    tcp::State::kCloseWait,   tcp::State::kClosing,  tcp::State::kLastAck,
    tcp::State::kTimeWait,
};

struct Order {
  const char* name;
  TopBy by;
};
constexpr Order kOrders[] = {{"cwnd", TopBy::kCwnd},
                             {"retrans", TopBy::kRetransmissions},
                             {"bytes", TopBy::kBytes}};

absl::Status Bad(absl::string_view flag, absl::string_view text,
                 absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " ", text.empty() ? "''" : text, ": ", what));
}

absl::Status SetState(absl::string_view text, SocketFilter& filter) {
  for (const tcp::State state : kStates) {
    if (absl::EqualsIgnoreCase(text, NetstatName(state))) {
      filter.state = state;
      return absl::OkStatus();
    }
  }
  return Bad("state", text,
             "it is one of netstat's, such as LISTEN, SYN_RECV, ESTABLISHED, "
             "FIN_WAIT1, CLOSE_WAIT or TIME_WAIT");
}

absl::Status SetAddress(absl::string_view text, SocketFilter& filter) {
  const std::string address(text);
  if (const auto one = ParseIpv4(address); one.has_value()) {
    filter.address = Ipv4Prefix{*one, 32};
  } else if (const auto many = ParseIpv4Prefix(address); many.has_value()) {
    filter.address = *many;
  } else {
    return Bad("addr", text,
               "write an address or a network like 10.77.0.1 or 10.77.0.0/24");
  }
  return absl::OkStatus();
}

absl::Status SetOrder(absl::string_view text, SocketFilter& filter) {
  for (const Order& order : kOrders) {
    if (text != order.name) continue;
    filter.by = order.by;
    return absl::OkStatus();
  }
  return Bad("top", absl::StrCat("by=", text),
             "it is one of by=cwnd, by=retrans, by=bytes");
}

bool ParseCount(absl::string_view text, uint32_t low, uint32_t high,
                uint32_t& value) {
  return !text.empty() && text.size() < 8 &&
         text.find_first_not_of("0123456789") == absl::string_view::npos &&
         absl::SimpleAtoi(text, &value) && value >= low && value <= high;
}

}  // namespace

absl::Status ParseFilterParameter(absl::string_view text,
                                  SocketFilter& filter) {
  if (text == "tcp" || text == "udp" || text == "servers") {
    (text == "tcp"   ? filter.tcp_only
     : text == "udp" ? filter.udp_only
                     : filter.servers_only) = true;
    return absl::OkStatus();
  }
  const size_t equals = text.find('=');
  const absl::string_view name = text.substr(0, equals);
  const absl::string_view value =
      equals == absl::string_view::npos ? "" : text.substr(equals + 1);
  uint32_t number = 0;
  if (name == "state") return SetState(value, filter);
  if (name == "addr") return SetAddress(value, filter);
  if (name == "by") return SetOrder(value, filter);
  if (name == "port") {
    if (!ParseCount(value, 1, std::numeric_limits<uint16_t>::max(), number)) {
      return Bad("port", value, "a port is a number from 1 to 65535");
    }
    filter.port = static_cast<uint16_t>(number);
    return absl::OkStatus();
  }
  if (name == "top") {
    if (!ParseCount(value, 1, kMostTop, filter.top)) {
      return Bad("top", value,
                 absl::StrCat("give a number from 1 to ", kMostTop));
    }
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown parameter '", name.substr(0, 32),
      "'; there are wide, tcp, udp, servers, state=, port=, addr=, top=, by="));
}

std::string FilterParameters(const SocketFilter& filter) {
  std::string text;
  if (filter.tcp_only) text += ",tcp";
  if (filter.udp_only) text += ",udp";
  if (filter.servers_only) text += ",servers";
  if (filter.state.has_value()) {
    absl::StrAppend(&text, ",state=", NetstatName(*filter.state));
  }
  if (filter.port.has_value()) absl::StrAppend(&text, ",port=", *filter.port);
  if (filter.address.has_value()) {
    absl::StrAppend(&text, ",addr=", ToString(*filter.address));
  }
  if (filter.top == 0) return text;
  for (const Order& order : kOrders) {
    if (order.by == filter.by) {
      absl::StrAppend(&text, ",top=", filter.top, ",by=", order.name);
    }
  }
  return text;
}

uint64_t TopValue(const SocketRecord& record, TopBy by) {
  const ControlInfo& c = record.control;
  switch (by) {
    case TopBy::kCwnd:
      return c.cwnd;
    case TopBy::kRetransmissions:
      return c.retransmissions;
    case TopBy::kBytes:
      break;
  }
  return uint64_t{c.snd_una - c.iss} + uint64_t{c.rcv_nxt - c.irs};
}

}  // namespace corelane::inspect
