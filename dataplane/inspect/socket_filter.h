// Which of a core's sockets somebody wants to see.
#ifndef CORELANE_DATAPLANE_INSPECT_SOCKET_FILTER_H_
#define CORELANE_DATAPLANE_INSPECT_SOCKET_FILTER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/base/address.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/state.h"

namespace corelane::inspect {

struct SocketRecord;

// What the largest are looked for by.
enum class TopBy : uint8_t { kCwnd, kRetransmissions, kBytes };

struct SocketFilter {
  bool tcp_only = false;
  bool udp_only = false;
  bool servers_only = false;
  std::optional<tcp::State> state;
  std::optional<uint16_t> port;       // on either side
  std::optional<Ipv4Prefix> address;  // likewise
  uint32_t top = 0;                   // 0: all of them
  TopBy by = TopBy::kBytes;

  bool Matches(const tcp::FlowKey& key, tcp::State its_state) const {
    if (state.has_value() && *state != its_state) return false;
    if (port.has_value() && key.local_port != *port &&
        key.remote_port != *port) {
      return false;
    }
    return !address.has_value() || address->Contains(key.local()) ||
           address->Contains(key.remote());
  }
};

// Replies hold 16 KiB, so no more than this many rows with all columns.
inline constexpr uint32_t kMostTop = 25;

// Sets one parameter from text, "state=ESTABLISHED", "port=80",
// "addr=10.77.0.0/24", "top=20", "by=cwnd", "tcp", "udp", "servers". This is
// how a filter goes over the telemetry socket.
absl::Status ParseFilterParameter(absl::string_view text, SocketFilter& filter);

// The filter as parameters, each with a comma in front.
std::string FilterParameters(const SocketFilter& filter);

// What sockets are ordered by with filter.top. Bytes are those of the stream in
// both directions, acknowledged or received in order, each modulo 4 GiB: they
// come from the sequence numbers.
uint64_t TopValue(const SocketRecord& record, TopBy by);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_SOCKET_FILTER_H_
