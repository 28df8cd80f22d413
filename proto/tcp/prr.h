// Proportional rate reduction (RFC 9937): during a reduction what is sent is a
// share of what arrives, so that the window gets to ssthresh smoothly.
#ifndef CORELANE_PROTO_TCP_PRR_H_
#define CORELANE_PROTO_TCP_PRR_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/control_block.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// Section 6: cb.ssthresh is set. `delivered` is what the acknowledgment that
// began the reduction brought.
inline void StartReduction(const ControlBlock& cb, SendState& tx,
                           uint32_t delivered) {
  tx.prr_delivered = 0;
  tx.prr_out = 0;
  const uint32_t flight = cb.snd_nxt - cb.snd_una;
  const uint32_t unsacked = flight - std::min(flight, tx.sacked_bytes);
  tx.prr_flight = std::max<uint32_t>(unsacked + delivered, 1);
}

// For each acknowledgment of the reduction. `safe`: SND.UNA advanced and
// nothing more was found lost (SafeACK).
inline void ReduceProportionally(ControlBlock& cb, SendState& tx,
                                 uint32_t delivered, bool safe) {
  const uint32_t pipe = Pipe(cb, tx);
  tx.prr_delivered += delivered;
  uint64_t allowed = 0;
  if (pipe > cb.ssthresh) {
    const uint64_t share =
        (uint64_t{tx.prr_delivered} * cb.ssthresh + tx.prr_flight - 1) /
        tx.prr_flight;
    allowed = share > tx.prr_out ? share - tx.prr_out : 0;
  } else {
    uint64_t conserved =
        tx.prr_delivered > tx.prr_out ? tx.prr_delivered - tx.prr_out : 0;
    conserved = std::max<uint64_t>(conserved, delivered);
    // For repairing; after a mark, conserving will do.
    if (safe && tx.phase == SendPhase::kRecovery) conserved += cb.mss;
    allowed = std::min<uint64_t>(conserved, cb.ssthresh - pipe);
  }
  // The fast retransmission itself always goes.
  if (tx.prr_out == 0) allowed = std::max<uint64_t>(allowed, cb.mss);
  const uint64_t window = std::max<uint64_t>(pipe + allowed, cb.mss);
  cb.cwnd = static_cast<uint32_t>(std::min<uint64_t>(window, 1u << 30));
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_PRR_H_
