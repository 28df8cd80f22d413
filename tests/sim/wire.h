// One direction of a link, and everything that can go wrong on it.
#ifndef CORELANE_TESTS_SIM_WIRE_H_
#define CORELANE_TESTS_SIM_WIRE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "proto/base/rng.h"
#include "proto/base/time.h"
#include "tests/sim/frames.h"

namespace corelane::sim {

// Chances are per frame, in parts per million.
struct WireConfig {
  Duration delay = 1ms;
  uint64_t bits_per_second = 0;    // 0: no limit
  uint32_t queue_bytes = 1 << 18;  // what may wait for a line with a limit
  uint32_t loss_ppm = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t reorder_ppm = 0;  // held back by up to reorder_delay
  Duration reorder_delay = 5ms;
  uint32_t corrupt_ppm = 0;
  uint32_t truncate_ppm = 0;
  uint32_t clog_ppm = 0;  // nothing moves for up to clog_time
  Duration clog_time = 500ms;
  // Congestion marks (RFC 3168): CE on packets that are ECN-capable, by chance,
  // and while more than so many bytes wait for a line with a limit; 0: never.
  uint32_t mark_ppm = 0;
  uint32_t mark_above = 0;
  // The narrowest link of the path: larger IP packets that must not be
  // fragmented are dropped before it, and an ICMP error comes back unless that
  // is lost, too; 0: no limit.
  uint16_t mtu = 0;
  uint32_t bounce_loss_ppm = 0;
};

struct Arrival {
  Time at;
  Frame frame;
};

class Wire {
 public:
  struct Counters {
    uint64_t frames = 0;
    uint64_t lost = 0;
    uint64_t queue_full = 0;
    uint64_t duplicated = 0;
    uint64_t reordered = 0;
    uint64_t corrupted = 0;
    uint64_t truncated = 0;
    uint64_t clogged = 0;
    uint64_t marked = 0;
    uint64_t too_large = 0;
    uint64_t by_content = 0;  // dropped by a predicate
  };

  // `direction` tells the wires of a world apart: each has its own streams of
  // randomness.
  Wire(const WireConfig& config, uint64_t seed, uint32_t direction);

  // Drops frames by what they say: skips the first `skip` that the predicate
  // names and drops the `count` after them.
  void DropIf(std::function<bool(const ParsedFrame&)> predicate,
              uint32_t skip = 0, uint32_t count = 1);

  // Puts a frame on the line; appends what comes out of its other end, and
  // when.
  void Send(ByteView frame, Time now, std::vector<Arrival>& out);

  // For a frame that the path's MTU does not let through (Send must not be
  // called then): true, and into `error` the router's answer to its sender, if
  // there is one.
  bool Bounces(ByteView frame, Frame& error);

  const Counters& counters() const { return counters_; }
  // For tests that change the weather.
  WireConfig& config() { return config_; }

 private:
  struct Fault {
    std::function<bool(const ParsedFrame&)> predicate;
    uint32_t skip;
    uint32_t count;
  };

  bool DroppedByContent(ByteView frame);
  Duration Below(Rng& rng, Duration bound);
  void Corrupt(Frame& frame);
  void Truncate(Frame& frame);
  void Mark(Frame& frame);

  WireConfig config_;
  Rng loss_;
  Rng duplicate_;
  Rng reorder_;
  Rng damage_;
  Rng clog_;
  Rng mark_;
  Rng bounce_;
  Time clogged_until_ = Time::min();
  Time busy_until_ = Time::min();
  std::vector<Fault> faults_;
  Counters counters_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_WIRE_H_
