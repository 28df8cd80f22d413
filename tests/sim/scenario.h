// What a seed stands for: hosts, links, faults and what the applications do.
#ifndef CORELANE_TESTS_SIM_SCENARIO_H_
#define CORELANE_TESTS_SIM_SCENARIO_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/node.h"
#include "tests/sim/wire.h"
#include "tests/sim/workload.h"

namespace corelane::sim {

// A frame that is lost because of what it says.
enum class ContentFault : uint8_t {
  kFirstSyn,
  kFirstSynAck,
  kThirdAck,  // of the handshake
  kFirstFin,
  kDataSegment,    // a random one
  kPureAck,        // likewise
  kWindowUpdates,  // the first ones after a window of 0
  kArp,
};

// The path's MTU becomes another one in mid-run.
struct PathMtuChange {
  Duration at{};
  size_t wire = 0;
  uint16_t mtu = 0;
};

struct Scenario {
  uint64_t seed = 0;
  Time start;
  // Addresses of link i are 10.i.0.1 (the client's) and 10.i.0.2.
  size_t links = 1;
  bool second_address = false;  // the server's 10.0.0.3
  NodeConfig client;
  NodeConfig server;
  WireConfig there;
  WireConfig back;
  std::vector<std::pair<ContentFault, uint32_t>> faults;  // with the wire
  // Data segments of the client's that are lost: how many pass before, and how
  // many are.
  std::vector<std::pair<uint32_t, uint32_t>> lost_data;
  std::vector<ConnectionPlan> connections;
  std::vector<std::pair<Duration, uint32_t>> datagrams;  // when, and its size
  std::vector<std::pair<Duration, uint32_t>> pings;
  std::vector<PathMtuChange> path_mtus;
  // A host loses power and is back at once, with other secrets; 0: none does.
  Duration restart_at{};
  size_t restarted = 0;
  // Chance that a connection wants to go to another core, after each event of
  // its application's.
  uint32_t move_ppm = 0;
  // Connections may end by timeout, reset or refusal: memory, tables or the
  // wire are too bad for promises.
  bool breaks_allowed = false;
  // Nothing on the wire or in the hosts can lose a frame.
  bool lossless = false;
  // Moreover nothing is late: no reason to send anything twice.
  bool calm = false;
  // The world is torn down then, whatever is under way; 0: it is not.
  Duration stop_after{};

  std::string Summary() const;
};

Scenario DrawScenario(uint64_t seed);

MacAddress MacOf(size_t node, size_t link);
Ipv4Address AddressOf(size_t node, size_t link);
// Where a connection goes.
Ipv4Address RemoteOf(const ConnectionPlan& plan);

inline constexpr uint16_t kEchoPort = 7;

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCENARIO_H_
