// What a connection holds besides its control block, at times.
#ifndef CORELANE_PROTO_TCP_EXTRAS_H_
#define CORELANE_PROTO_TCP_EXTRAS_H_

#include <cstdint>

#include "proto/tcp/ranges.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

struct Extras {
  // While anything of the stream is in flight; see NeedsSendState.
  SendState* tx = nullptr;
  // While the receive stream has a gap, or a duplicate is to be reported.
  ReceiveHoles* holes = nullptr;
  // How many full segments of new data may be asked for as one, which whoever
  // sends them cuts, or has the device cut, into pieces.
  uint32_t at_once = 1;
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_EXTRAS_H_
