#include "proto/tcp/time_wait.h"

#include <algorithm>

namespace corelane::tcp {

void EnterTimeWait(TimeWait& record, const ControlBlock& cb,
                   const Context& ctx) {
  record.key = cb.key;
  record.port = cb.port;
  record.snd_nxt = cb.snd_nxt;
  record.rcv_nxt = cb.rcv_nxt;
  record.opened_at = cb.opened_at;
  record.expires = ctx.now.tick + ToTicks(ctx.config.time_wait);
  record.window = static_cast<uint16_t>(
      std::min<uint32_t>(cb.ReceiveWindow() >> cb.rcv_wscale(), 0xffff));
}

SegmentSpec TimeWaitAck(const TimeWait& record) {
  SegmentSpec spec;
  spec.seq = record.snd_nxt;
  spec.ack = record.rcv_nxt;
  spec.flags = kAck;
  spec.window = record.window;
  return spec;
}

SeqNum SuccessorSequence(const TimeWait& record, SeqNum isn) {
  return isn > record.snd_nxt ? isn : record.snd_nxt + 1;
}

TimeWaitVerdict OnTimeWaitSegment(const TimeWait& record,
                                  const Segment& segment) {
  if (segment.Has(kRst)) return TimeWaitVerdict::kIgnore;  // RFC 1337, fix F1
  if (segment.Has(kSyn)) {
    // RFC 1122 section 4.2.2.13: a larger sequence number is a new incarnation.
    if (!segment.Has(kAck) && segment.seq > record.rcv_nxt) {
      return TimeWaitVerdict::kReopen;
    }
    return TimeWaitVerdict::kAckOnly;
  }
  // Only the FIN repeated restarts the timer: its sender missed our last ACK.
  // A guessed one must not, or it would hold the record for ever.
  if (segment.Has(kFin) && segment.seq + segment.Length() == record.rcv_nxt) {
    return TimeWaitVerdict::kAck;
  }
  // Old data may be a late duplicate and wants an ACK; a bare ACK does not,
  // or two ends could answer each other for ever.
  return segment.Length() > 0 ? TimeWaitVerdict::kAckOnly
                              : TimeWaitVerdict::kIgnore;
}

}  // namespace corelane::tcp
