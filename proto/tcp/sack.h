// Selective acknowledgments as the sender of data sees them (RFC 2018, 2883).
#ifndef CORELANE_PROTO_TCP_SACK_H_
#define CORELANE_PROTO_TCP_SACK_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/options.h"
#include "proto/tcp/send_state.h"
#include "proto/tcp/sent_list.h"

namespace corelane::tcp {

struct SackReport {
  bool dsack = false;  // the first block reported a duplicate (RFC 2883)
  SeqNum dsack_end;
};

// Marks what the blocks say. `ack` is the segment's; blocks that are reversed,
// old, or about what was never sent are ignored (hostile peers,
// CVE-2019-11478).
SackReport ProcessSack(const ControlBlock& cb, SendState& tx, SeqNum ack,
                       const Options& options, SentList& list,
                       Delivery& delivery, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SACK_H_
