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
  uint32_t ts_recent = 0;
  uint32_t ts_offset = 0;
  // When it last answered what is not the peer's FIN, in ticks of 2^9; 0: never
  uint16_t answered_at = 0;
  bool timestamps = false;  // both sides sent them
};
static_assert(sizeof(TimeWait) == 52);

void EnterTimeWait(TimeWait& record, const ControlBlock& cb,
                   const Context& ctx);

// The ACK with which the record answers.
SegmentSpec TimeWaitAck(const TimeWait& record, Now now);

enum class TimeWaitVerdict : uint8_t {
  kIgnore,
  kAck,      // answer, and start the 2 MSL again
  kReopen,   // a new connection may take over (RFC 9293 section 3.10.7.4 SYN)
  kAckOnly,  // answer without restarting the timer
};

TimeWaitVerdict OnTimeWaitSegment(TimeWait& record, const Segment& segment,
                                  const Context& ctx);

// The first sequence number of a connection that takes over. It must lie past
// everything the old one sent (RFC 1122 section 4.2.2.13), which `isn`, from a
// clock of 250 kB/s, need not.
SeqNum SuccessorSequence(const TimeWait& record, SeqNum isn);

// Whether we may open a connection with the record's addresses. The peer tells
// its segments from the old ones' by timestamps, of which ours have gone on
// since (RFC 6191 section 2), and we tell the peer's by the rule of PAWS.
bool MayTakeOver(const TimeWait& record, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIME_WAIT_H_
