// When a core should give connections away, how many, and to whom.
//
// RSS spreads flows by a hash, not by what they do: a few busy connections may
// meet on one core. Each core says how many segments its connections have
// received; one that got more than its share gives some to the one that got
// least, and looks again. Moving costs, and so small differences stay.
#ifndef CORELANE_DATAPLANE_STEERING_REBALANCER_H_
#define CORELANE_DATAPLANE_STEERING_REBALANCER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/steering/core_group.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

class Rebalancer {
 public:
  static constexpr Duration kInterval = 100ms;
  // In an interval: below this, a core has too little to do to be relieved.
  static constexpr uint64_t kLeastSegments = 300;

  struct Shift {
    uint16_t to;
    uint32_t connections;
  };

  // The group outlives it.
  Rebalancer(CoreGroup* group, uint16_t self);

  // `segments`: that this core's connections have received, ever; `active`: how
  // many of them have been doing something lately. To be asked in every turn.
  // nullopt: it is not time to look; of no connections: nothing is to be done.
  std::optional<Shift> Look(Time now, uint64_t segments, uint32_t active);

 private:
  CoreGroup& group_;
  uint16_t self_;
  Time next_ = kTimeZero;
  std::vector<uint64_t> seen_;  // at the last look, by core
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_REBALANCER_H_
