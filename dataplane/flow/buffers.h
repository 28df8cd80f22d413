// The queues of a connection, which it has only while there is something in
// them: an idle connection does not pay for them.
#ifndef CORELANE_DATAPLANE_FLOW_BUFFERS_H_
#define CORELANE_DATAPLANE_FLOW_BUFFERS_H_

#include "dataplane/flow/receive_queue.h"
#include "dataplane/flow/send_queue.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/ranges.h"

namespace corelane::dataplane {

struct alignas(64) Buffers {
  SendQueue send;
  ReceiveQueue receive;
  ReorderQueue reorder;
  uint32_t holes = tcp::kNoIndex;  // a tcp::ReceiveHoles, while there is a gap

  bool Empty() const {
    return send.empty() && receive.empty() && reorder.empty() &&
           holes == tcp::kNoIndex;
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_BUFFERS_H_
