#include "proto/tcp/invariants.h"

#include "proto/tcp/bbr_model.h"
#include "proto/tcp/path_mtu.h"
#include "proto/tcp/send_room.h"

namespace corelane::tcp {
namespace {

const char* CheckSender(const ControlBlock& cb, const Config& config) {
  if (cb.snd_una > cb.snd_nxt) return "snd_una > snd_nxt";
  if (cb.snd_nxt > cb.SendEnd()) return "snd_nxt beyond the end of the stream";
  const uint32_t beyond = config.send_in_pieces ? 2 * kMaxSendPiece : 0;
  if (cb.snd_queued - cb.snd_una > config.send_buffer + beyond + 1 &&
      cb.snd_queued > cb.snd_una) {
    return "more queued than the send buffer holds";
  }
  if (cb.mss == 0) return "mss is 0";
  if (cb.cwnd < cb.mss) return "cwnd below one segment";
  if (cb.snd_una != cb.snd_nxt && !cb.Has(kRetransmitTimer)) {
    return "data in flight without a timer";
  }
  return nullptr;
}

// Is what BBR does next the consequence of what it knows?
const char* CheckBbr(const BbrState& s) {
  if (s.phase == BbrPhase::kStartup && s.filled_pipe) {
    return "BBR in Startup over a pipe that is full";
  }
  if ((s.phase == BbrPhase::kDrain || bbr::InProbeBw(s.phase)) &&
      !s.filled_pipe) {
    return "BBR beyond Startup, and the pipe was never full";
  }
  if (s.bw > bbr::MaxBw(s)) return "BBR's bandwidth is above its maximum";
  if (s.pacing_rate > 4 * kMaxRate) return "BBR's pacing rate is out of bounds";
  if (s.phase == BbrPhase::kProbeUp && s.probe_up_acked_per_inc == 0) {
    return "BBR probes without a step";
  }
  if (s.random == 0) return "BBR's dice are stuck";
  return nullptr;
}

// The runs cover what is in flight, and the sums are theirs.
const char* CheckSendState(const ControlBlock& cb, const SendState* tx) {
  if (tx == nullptr) {
    return cb.snd_una == cb.snd_nxt ? nullptr
                                    : "in flight without a send state";
  }
  SeqNum start = cb.snd_una;
  uint32_t sacked = 0;
  uint32_t lost = 0;
  for (uint32_t i = 0; i < tx->range_count; ++i) {
    const SentRange& run = tx->ranges[i];
    if (run.end <= start) return "a run of nothing";
    if (run.segments == 0) return "a run without a segment";
    if (run.fate == SentRange::Fate::kSacked) sacked += run.end - start;
    if (run.fate == SentRange::Fate::kLost) lost += run.end - start;
    start = run.end;
  }
  if (start != cb.snd_nxt) return "the runs do not cover what is in flight";
  if (lost != tx->lost_bytes) return "lost_bytes is not what is lost";
  if (cb.Has(kSack) && sacked != tx->sacked_bytes) {
    return "sacked_bytes is not what is sacked";
  }
  if (tx->sacked_bytes + tx->lost_bytes > cb.snd_nxt - cb.snd_una) {
    return "more arrived or lost than was in flight";
  }
  if (tx->phase == SendPhase::kOpen && tx->lost_bytes > 0 &&
      !OnlyMtuProbeLost(cb, *tx)) {
    return "something lost and no recovery";
  }
  return tx->bbr != nullptr ? CheckBbr(*tx->bbr) : nullptr;
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

const char* CheckInvariants(const ControlBlock& cb, const SendState* tx,
                            const Config& config) {
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
  if (wrong == nullptr) wrong = CheckSendState(cb, tx);
  return wrong != nullptr ? wrong : CheckReceiver(cb, config);
}

const char* CheckSettled(const ControlBlock& cb, const SendState* tx) {
  if (cb.state == State::kClosed) return nullptr;
  if (cb.Has(kSynDue | kAckNow | kTailProbe | kProbe) || cb.acks_owed > 0) {
    return "something was due and has not been sent";
  }
  const bool paced = tx != nullptr && tx->Has(kPaced);
  if (cb.snd_una != cb.SendEnd() && !cb.Has(kRetransmitTimer) && !paced) {
    return "something to send and no timer";
  }
  if (cb.state >= State::kEstablished && cb.rcv_acked != cb.rcv_nxt &&
      !cb.Has(kAckTimer)) {
    return "something to acknowledge and no timer";
  }
  return nullptr;
}

}  // namespace corelane::tcp
