// What the end of a connection means to the load that opened it.
#ifndef CORELANE_DATAPLANE_LOAD_TCP_OUTCOME_H_
#define CORELANE_DATAPLANE_LOAD_TCP_OUTCOME_H_

#include "dataplane/load/tally.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

inline Outcome OutcomeOf(tcp::Error error) {
  switch (error) {
    case tcp::Error::kRefused:
      return Outcome::kRefused;
    case tcp::Error::kReset:
      return Outcome::kReset;
    case tcp::Error::kUnreachable:
      return Outcome::kUnreachable;
    default:
      return Outcome::kTimedOut;
  }
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_TCP_OUTCOME_H_
