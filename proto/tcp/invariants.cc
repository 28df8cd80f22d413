#include "proto/tcp/invariants.h"

namespace corelane::tcp {
namespace {

const char* CheckSender(const ControlBlock& cb, const Config& config) {
  if (cb.snd_una > cb.snd_nxt) return "snd_una > snd_nxt";
  if (cb.snd_nxt > cb.snd_max) return "snd_nxt > snd_max";
  if (cb.snd_max > cb.SendEnd()) return "snd_max beyond the end of the stream";
  if (cb.snd_queued - cb.snd_una > config.send_buffer + 1 &&
      cb.snd_queued > cb.snd_una) {
    return "more queued than the send buffer holds";
  }
  if (cb.mss == 0) return "mss is 0";
  if (cb.cwnd < cb.mss) return "cwnd below one segment";
  if (cb.Has(kTimingRtt) && cb.rtt_seq > cb.snd_max) return "rtt_seq not sent";
  if (cb.snd_una != cb.snd_max && !cb.Has(kRetransmitTimer)) {
    return "data in flight without a timer";
  }
  return nullptr;
}

const char* CheckReceiver(const ControlBlock& cb, const Config& config) {
  if (cb.rcv_acked > cb.rcv_nxt) return "rcv_acked > rcv_nxt";
  // The FIN takes a sequence number that no buffer space is needed for.
  if (cb.rcv_nxt > cb.rcv_edge + 1) return "rcv_nxt beyond what was offered";
  if (cb.ReceiveWindow() > config.receive_buffer + (1u << cb.rcv_wscale())) {
    return "offered more than the receive buffer";
  }
  return nullptr;
}

}  // namespace

const char* CheckInvariants(const ControlBlock& cb, const Config& config) {
  if (cb.state == State::kListen || cb.state == State::kTimeWait) {
    return "a control block in LISTEN or TIME-WAIT";
  }
  if (cb.Has(kPersist) && !cb.Has(kRetransmitTimer)) {
    return "persist without its timer";
  }
  if (cb.predicted != 0 && cb.state != State::kEstablished) {
    return "header prediction outside ESTABLISHED";
  }
  if (cb.state < State::kEstablished) return nullptr;
  if (cb.Has(kFinQueued) !=
      (cb.state != State::kEstablished && cb.state != State::kCloseWait)) {
    return "the FIN and the state disagree";
  }
  const char* wrong = CheckSender(cb, config);
  return wrong != nullptr ? wrong : CheckReceiver(cb, config);
}

const char* CheckSettled(const ControlBlock& cb) {
  if (cb.state == State::kClosed) return nullptr;
  if (cb.Has(kSynDue | kAckNow | kRetransmitHead | kProbe) ||
      cb.acks_owed > 0) {
    return "something was due and has not been sent";
  }
  if (cb.snd_una != cb.SendEnd() && !cb.Has(kRetransmitTimer)) {
    return "something to send and no timer";
  }
  if (cb.state >= State::kEstablished && cb.rcv_acked != cb.rcv_nxt &&
      !cb.Has(kAckTimer)) {
    return "something to acknowledge and no timer";
  }
  return nullptr;
}

}  // namespace corelane::tcp
