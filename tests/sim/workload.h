// What the applications of a world are to do, and what became of it.
#ifndef CORELANE_TESTS_SIM_WORKLOAD_H_
#define CORELANE_TESTS_SIM_WORKLOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/time.h"
#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"

namespace corelane::sim {

inline constexpr uint16_t kStreamPort = 7000;

enum Side : uint32_t { kClient = 0, kServer = 1 };

// How one end of a connection behaves.
struct SidePlan {
  enum class Ending : uint8_t {
    kOrderly,  // FIN after its stream, then waits for the peer's
    kHasty,    // closes as soon as its stream is queued: may end in a reset
    kAbort,    // resets after half of its stream
  };

  uint64_t bytes = 0;      // that it sends; ignored by one that echoes
  bool echo = false;       // sends back what it receives
  uint32_t max_write = 0;  // bytes per call of Send
  uint32_t max_read = 0;   // bytes per call of Consume
  uint32_t pause_ppm = 0;  // chance of a pause after each turn
  Duration longest_pause{};
  bool use_static = false;  // sends without copying
  bool nodelay = false;
  Ending ending = Ending::kOrderly;
};

struct ConnectionPlan {
  Duration start{};
  size_t link = 0;
  bool second_address = false;  // goes to the server's other address
  uint16_t local_port = 0;      // of the client; 0: it chooses
  // The client's, if not its host's.
  std::optional<tcp::CongestionControl> congestion;
  SidePlan side[2];
  bool may_break = false;  // a host is restarted meanwhile

  // Whether it may end otherwise than in order: its applications break it, or
  // a host does.
  bool Breaks() const {
    return may_break || side[kClient].ending != SidePlan::Ending::kOrderly ||
           side[kServer].ending != SidePlan::Ending::kOrderly;
  }
  uint64_t BytesFrom(Side from) const {
    return from == kServer && side[kServer].echo ? side[kClient].bytes
                                                 : side[from].bytes;
  }
};

// What one end has seen.
struct SideRecord {
  bool opened = false;
  bool finished = false;  // read to the end, sent all and closed
  bool let_go = false;    // closed or aborted otherwise, as planned
  bool gone = false;      // was told so
  bool refused = false;   // Connect failed
  tcp::Error error = tcp::Error::kNone;
  uint64_t sent = 0;
  uint64_t received = 0;

  bool Over() const { return finished || let_go || gone || refused; }
};

struct ConnectionRecord {
  SideRecord side[2];
};

// The applications of all hosts write here.
struct Ledger {
  uint64_t seed = 0;
  uint32_t send_buffer[2] = {};  // of the hosts
  uint32_t move_ppm = 0;         // chance of a wish to move, after each event
  bool may_break = false;        // any connection, for want of memory or so
  bool replays = false;          // a server may see a connection a second time
  std::vector<ConnectionPlan> plans;
  std::vector<ConnectionRecord> records;
  uint32_t over[2] = {};  // ends of connections that are
  std::string failure;    // the first byte that was wrong

  void Fail(const std::string& what) {
    if (failure.empty()) failure = what;
  }
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_WORKLOAD_H_
