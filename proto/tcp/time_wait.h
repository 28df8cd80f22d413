// TIME-WAIT: a small record instead of a control block.
#ifndef CORELANE_PROTO_TCP_TIME_WAIT_H_
#define CORELANE_PROTO_TCP_TIME_WAIT_H_

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/segment_spec.h"

namespace corelane::tcp {

struct TimeWait {
  FlowKey key;
  SeqNum snd_nxt;
  SeqNum rcv_nxt;
  Tick expires = 0;
  Tick opened_at = 0;
  uint16_t window = 0;  // as last advertised, in header units
  uint16_t port = 0;
  uint32_t next = kNoIndex;  // in the pipeline's list, by expiry
  uint32_t prev = kNoIndex;
};
static_assert(sizeof(TimeWait) == 40);

void EnterTimeWait(TimeWait& record, const ControlBlock& cb,
                   const Context& ctx);

// The ACK with which the record answers.
SegmentSpec TimeWaitAck(const TimeWait& record);

enum class TimeWaitVerdict : uint8_t {
  kIgnore,
  kAck,      // answer, and start the 2 MSL again
  kReopen,   // a new connection may take over (RFC 9293 section 3.10.7.4 SYN)
  kAckOnly,  // answer without restarting the timer
};

// The first sequence number of a connection that takes over. It must lie past
// everything the old one sent (RFC 1122 section 4.2.2.13), which `isn`, from a
// clock of 250 kB/s, need not.
SeqNum SuccessorSequence(const TimeWait& record, SeqNum isn);

TimeWaitVerdict OnTimeWaitSegment(const TimeWait& record,
                                  const Segment& segment);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIME_WAIT_H_
