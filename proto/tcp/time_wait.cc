#include "proto/tcp/time_wait.h"

#include <algorithm>

#include "proto/tcp/handshake.h"

namespace corelane::tcp {
namespace {

// At most two answers per second to what is not the peer's FIN.
constexpr int kAnswerShift = 9;
constexpr uint16_t kAnswerGap = ToTicks(500ms) >> kAnswerShift;

TimeWaitVerdict Answer(TimeWait& record, Now now) {
  const auto at = static_cast<uint16_t>(now.tick >> kAnswerShift | 1);
  if (record.answered_at != 0 &&
      static_cast<uint16_t>(at - record.answered_at) < kAnswerGap) {
    return TimeWaitVerdict::kIgnore;
  }
  record.answered_at = at;
  return TimeWaitVerdict::kAckOnly;
}

// RFC 6191 section 2. Without timestamps on both sides a larger sequence number
// is what makes a new incarnation (RFC 1122 section 4.2.2.13).
bool IsSuccessor(const TimeWait& record, const Segment& syn,
                 const Options& options, const Config& config) {
  if (record.timestamps && config.timestamps && options.has_timestamps) {
    if (TimestampBefore(record.ts_recent, options.ts_value)) return true;
    if (options.ts_value != record.ts_recent) return false;
  }
  return syn.seq > record.rcv_nxt;
}

}  // namespace

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
  record.timestamps = cb.Has(kTimestamps);
  record.ts_recent = cb.ts_recent;
  record.ts_offset = cb.ts_offset;
  record.answered_at = 0;
}

SegmentSpec TimeWaitAck(const TimeWait& record, Now now) {
  SegmentSpec spec;
  spec.seq = record.snd_nxt;
  spec.ack = record.rcv_nxt;
  spec.flags = kAck;
  spec.window = record.window;
  if (record.timestamps) {
    spec.has_timestamps = true;
    spec.ts_value = now.ms + record.ts_offset;
    spec.ts_echo = record.ts_recent;
  }
  return spec;
}

TimeWaitVerdict OnTimeWaitSegment(TimeWait& record, const Segment& segment,
                                  const Context& ctx) {
  if (segment.Has(kRst)) return TimeWaitVerdict::kIgnore;  // RFC 1337, fix F1
  Options options;
  if (record.timestamps) options = ParseOptions(segment.OptionBytes());
  if (segment.Has(kSyn)) {
    return !segment.Has(kAck) &&
                   IsSuccessor(record, segment, options, ctx.config)
               ? TimeWaitVerdict::kReopen
               : Answer(record, ctx.now);
  }
  if (options.has_timestamps) {
    // RFC 7323 section 5.3, R1: an old duplicate is answered and no more.
    if (TimestampBefore(options.ts_value, record.ts_recent)) {
      return segment.Length() > 0 ? Answer(record, ctx.now)
                                  : TimeWaitVerdict::kIgnore;
    }
    // R3. What ends later than RCV.NXT is none of the peer's.
    if (segment.seq + segment.Length() <= record.rcv_nxt) {
      record.ts_recent = options.ts_value;
    }
  }
  // Only the FIN repeated restarts the timer: its sender missed our last ACK.
  // A guessed one must not, or it would hold the record for ever.
  if (segment.Has(kFin) && segment.seq + segment.Length() == record.rcv_nxt) {
    return TimeWaitVerdict::kAck;
  }
  // Old data may be a late duplicate and wants an ACK; a bare ACK does not,
  // or two ends could answer each other for ever.
  return segment.Length() > 0 ? Answer(record, ctx.now)
                              : TimeWaitVerdict::kIgnore;
}

SeqNum SuccessorSequence(const TimeWait& record, SeqNum isn) {
  return isn > record.snd_nxt ? isn : record.snd_nxt + 1;
}

bool MayTakeOver(const TimeWait& record, const Context& ctx) {
  if (!record.timestamps || !ctx.config.timestamps) return false;
  const Tick left = record.expires - ctx.now.tick;
  return left + ToTicks(1s) <= ToTicks(ctx.config.time_wait);
}

}  // namespace corelane::tcp
