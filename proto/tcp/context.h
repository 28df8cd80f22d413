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
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONTEXT_H_
