#include <algorithm>

#include "proto/tcp/congestion.h"

namespace corelane::tcp {
namespace {

constexpr uint32_t kMaxCwnd = 1u << 30;

// RFC 5681 equation 4.
uint32_t HalfOf(const ControlBlock& cb, uint32_t flight) {
  return std::max<uint32_t>(flight / 2, 2u * cb.mss);
}

uint32_t InitialWindow(const ControlBlock& cb, const Config& config) {
  return std::min<uint32_t>(config.initial_window_segments * cb.mss,
                            std::max<uint32_t>(2u * cb.mss, 14600));
}

void Grow(ControlBlock& cb, uint32_t acked) {
  if (cb.cwnd < cb.ssthresh) {
    // Byte counting (RFC 3465), because a receiver that acknowledges once per
    // burst would otherwise slow us down. The limit keeps one stretch ACK from
    // releasing a long burst; after a timeout it is one segment (section 2.3).
    const uint32_t limit = cb.Has(kLossRecovery) ? cb.mss : 10u * cb.mss;
    cb.cwnd += std::min(acked, limit);
  } else {
    // RFC 5681 equation 3, by bytes acknowledged.
    const uint64_t step = uint64_t{cb.mss} * std::min(acked, cb.cwnd) / cb.cwnd;
    cb.cwnd += static_cast<uint32_t>(std::max<uint64_t>(step, 1));
  }
  cb.cwnd = std::min(cb.cwnd, kMaxCwnd);
}

// RFC 6582 section 3.2 step 3.
void OnAckInRecovery(ControlBlock& cb, SeqNum ack, uint32_t acked) {
  if (ack >= cb.recover) {  // full acknowledgment
    const uint32_t flight = cb.snd_max - ack;
    cb.cwnd =
        std::min(cb.ssthresh, std::max<uint32_t>(flight, cb.mss) + cb.mss);
    cb.Clear(kFastRecovery | kRetransmitHead);
    return;
  }
  // Partial: the next hole starts at `ack`. Deflate by what left the network.
  cb.Set(kRetransmitHead);
  cb.cwnd = cb.cwnd > acked ? cb.cwnd - acked : 0;
  cb.cwnd =
      std::max<uint32_t>(cb.cwnd + (acked >= cb.mss ? cb.mss : 0), cb.mss);
}

}  // namespace

void StartCongestion(ControlBlock& cb, const Config& config) {
  cb.cwnd = InitialWindow(cb, config);
  // RFC 5681 section 3.1 (7): lost SYNs cost the initial window.
  if (cb.retransmits > 0) cb.cwnd = cb.mss;
  cb.ssthresh = kMaxCwnd;
  cb.recover = cb.iss;
}

void RestartAfterIdle(ControlBlock& cb, const Context& ctx) {
  const bool idle = cb.snd_una == cb.snd_max &&
                    ctx.now.tick - cb.una_since > MicrosToTicks(cb.rto_us);
  if (idle) cb.cwnd = std::min(cb.cwnd, InitialWindow(cb, ctx.config));
}

void OnNewAck(ControlBlock& cb, SeqNum ack, uint32_t acked) {
  if (cb.Has(kFastRecovery)) {
    OnAckInRecovery(cb, ack, acked);
  } else {
    Grow(cb, acked);
  }
  if (ack >= cb.recover) cb.Clear(kLossRecovery);
  // Behind us it has no more to say, but must not fall back by 2^31.
  if (ack > cb.recover) cb.recover = ack - 1;
  cb.dup_acks = 0;
}

void OnDuplicateAck(ControlBlock& cb, Counters& counters) {
  ++counters.duplicate_acks;
  if (cb.dup_acks < 255) ++cb.dup_acks;
  if (cb.Has(kFastRecovery)) {
    // Each one says that a segment has left the network. The bound is what is
    // really in flight: a peer cannot inflate the window by repeating itself.
    const uint32_t bound = cb.ssthresh + (cb.snd_max - cb.snd_una);
    cb.cwnd = std::min(cb.cwnd + cb.mss, std::max(bound, cb.cwnd));
    return;
  }
  if (cb.dup_acks != kDupAckThreshold) return;
  // RFC 6582 section 3.2 step 2: not for losses of a window already handled,
  // nor for the duplicates that resending it brought about.
  if (cb.snd_una <= cb.recover) return;
  // What limited transmit added does not count (RFC 5681 section 3.2 (2)).
  cb.ssthresh = HalfOf(cb, std::min(cb.snd_max - cb.snd_una, cb.cwnd));
  cb.cwnd = cb.ssthresh + kDupAckThreshold * cb.mss;
  cb.recover = cb.snd_max;
  cb.Set(kFastRecovery | kRetransmitHead);
  ++counters.fast_retransmits;
}

void OnTimeout(ControlBlock& cb) {
  // Only the first timeout of a series halves.
  if (cb.retransmits <= 1) cb.ssthresh = HalfOf(cb, cb.snd_max - cb.snd_una);
  cb.cwnd = cb.mss;
  cb.recover = cb.snd_max;
  cb.dup_acks = 0;
  cb.Clear(kFastRecovery | kRetransmitHead);
  cb.Set(kLossRecovery);
}

uint32_t CongestionRoom(const ControlBlock& cb) {
  uint32_t window = cb.cwnd;
  // RFC 3042: for new data only, not for what a timeout sends again.
  if (!cb.Has(kFastRecovery | kLossRecovery) &&
      cb.dup_acks < kDupAckThreshold) {
    window += uint32_t{cb.dup_acks} * cb.mss;
  }
  const uint32_t flight = cb.InFlight();
  return window > flight ? window - flight : 0;
}

}  // namespace corelane::tcp
