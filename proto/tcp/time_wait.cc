#include "proto/tcp/time_wait.h"

namespace corelane::tcp {

void EnterTimeWait(TimeWait& record, const ControlBlock& cb,
                   const Context& ctx) {
  record.key = cb.key;
  record.port = cb.port;
  record.snd_nxt = cb.snd_max;
  record.rcv_nxt = cb.rcv_nxt;
  record.opened_at = cb.opened_at;
  record.expires = ctx.now.tick + ToTicks(ctx.config.time_wait);
  record.window = static_cast<uint16_t>(cb.ReceiveWindow() >> cb.rcv_wscale());
}

SegmentSpec TimeWaitAck(const TimeWait& record) {
  SegmentSpec spec;
  spec.seq = record.snd_nxt;
  spec.ack = record.rcv_nxt;
  spec.flags = kAck;
  spec.window = record.window;
  return spec;
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
  // Only a repeated FIN restarts the timer: its sender missed our last ACK.
  if (segment.Has(kFin)) return TimeWaitVerdict::kAck;
  // Old data may be a late duplicate and wants an ACK; a bare ACK does not,
  // or two ends could answer each other for ever.
  return segment.payload_length > 0 ? TimeWaitVerdict::kAckOnly
                                    : TimeWaitVerdict::kIgnore;
}

}  // namespace corelane::tcp
