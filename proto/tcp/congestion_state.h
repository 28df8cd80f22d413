// What congestion control remembers besides cwnd and ssthresh.
#ifndef CORELANE_PROTO_TCP_CONGESTION_STATE_H_
#define CORELANE_PROTO_TCP_CONGESTION_STATE_H_

#include <cstdint>

#include "proto/base/sequence.h"

namespace corelane::tcp {

struct CongestionState {};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONGESTION_STATE_H_
