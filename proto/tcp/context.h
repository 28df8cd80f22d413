// What every TCP function is handed besides the control block.
#ifndef CORELANE_PROTO_TCP_CONTEXT_H_
#define CORELANE_PROTO_TCP_CONTEXT_H_

#include "proto/tcp/clock.h"
#include "proto/tcp/config.h"
#include "proto/tcp/counters.h"

namespace corelane::tcp {

struct Context {
  const Config& config;
  Counters& counters;
  Now now;
  // Challenge ACKs that all connections together may still send for now (RFC
  // 5961 section 7); null: no bound.
  uint32_t* challenge_budget = nullptr;
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONTEXT_H_
