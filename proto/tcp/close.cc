#include "proto/tcp/close.h"

#include "proto/tcp/timers.h"

namespace corelane::tcp {

bool CloseSend(ControlBlock& cb) {
  switch (cb.state) {
    case State::kSynSent:
      cb.state = State::kClosed;
      return false;
    case State::kSynReceived:
      // Becomes FIN-WAIT-1 when the handshake is complete.
      cb.Set(kFinQueued);
      return true;
    case State::kEstablished:
      cb.Set(kFinQueued);
      cb.state = State::kFinWait1;
      cb.predicted = 0;
      return true;
    case State::kCloseWait:
      cb.Set(kFinQueued);
      cb.state = State::kLastAck;
      return true;
    case State::kClosed:
      return false;
    default:
      return true;  // already closing
  }
}

bool Release(ControlBlock& cb, const Context& ctx) {
  cb.Set(kOrphan);
  // The idle timer counted for keep-alive; it is FIN-WAIT-2's from now on.
  cb.Clear(kAppTimer | kIdleTimer);
  if (!CloseSend(cb)) return false;
  if (cb.state == State::kFinWait2) ArmIdle(cb, ctx.now, ctx.config.fin_wait2);
  return true;
}

bool AbortSegment(const ControlBlock& cb, Now now, SegmentSpec& out) {
  switch (cb.state) {
    case State::kSynReceived:
    case State::kEstablished:
    case State::kFinWait1:
    case State::kFinWait2:
    case State::kCloseWait:
      break;
    case State::kClosing:
    case State::kLastAck:
      // Entered when the FIN is queued, not when it is sent: until then the
      // peer must not take the stream for complete.
      if (cb.snd_nxt == cb.SendEnd()) return false;
      break;
    default:
      return false;
  }
  out = SegmentSpec{};
  // RFC 5961 makes the peer insist on its RCV.NXT. If something is lost before
  // AckSeq it challenges, and the answer to that is exact.
  out.seq = cb.AckSeq();
  out.ack = cb.rcv_nxt;
  out.flags = kRst | kAck;
  if (cb.Has(kTimestamps)) {  // RFC 7323 section 3.2
    out.has_timestamps = true;
    out.ts_value = now.ms + cb.ts_offset;
    out.ts_echo = cb.ts_recent;
  }
  return true;
}

}  // namespace corelane::tcp
