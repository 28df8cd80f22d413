// RACK-TLP: losses found by time, and probes for a lost tail (RFC 8985).
//
// A segment is lost when one sent sufficiently later has arrived.
// "Sufficiently" is the reordering window, which adapts to what the path does.
#ifndef CORELANE_PROTO_TCP_RACK_H_
#define CORELANE_PROTO_TCP_RACK_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/options.h"
#include "proto/tcp/sack.h"
#include "proto/tcp/send_state.h"
#include "proto/tcp/sent_list.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {

// Steps 1 to 4 of section 6.2: learns from what an acknowledgment delivered.
void RackUpdate(const ControlBlock& cb, SendState& tx, const Delivery& delivery,
                const SackReport& report, const Options& options,
                const Context& ctx);

// Step 5: marks what is lost. Arms the reordering timer when something will be
// unless it is heard of. True if something new was marked.
bool RackDetectLoss(ControlBlock& cb, SendState& tx, const Context& ctx);

// RACK.reo_wnd, in microseconds.
uint32_t ReorderWindow(const ControlBlock& cb, const SendState& tx);

// Section 7.2: arms the probe timer instead of the retransmission timer, if the
// conditions hold. True if it did.
bool ScheduleTailProbe(ControlBlock& cb, const SendState& tx,
                       const Context& ctx);

// Section 7.4: what the acknowledgment says of a probe. True if the probe
// repaired a loss, to which congestion control has to react.
bool OnTailProbeAck(SendState& tx, SeqNum ack, bool duplicate,
                    const SackReport& report, bool has_sack);

namespace internal {

inline int32_t Since(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(b - a);
}

// RACK_sent_after(t1, seq1, t2, seq2) of section 6.2.
inline bool SentAfter(uint32_t t1, SeqNum end1, uint32_t t2, SeqNum end2) {
  const int32_t later = Since(t2, t1);
  return later > 0 || (later == 0 && end1 > end2);
}

}  // namespace internal

// RFC 8985 section 6.2 step 1, over some minutes.
inline void UpdateMinRtt(SendState& tx, uint32_t rtt_us, const Context& ctx) {
  constexpr uint32_t kWindowUs = 300'000'000;
  const bool old = ctx.now.us - tx.min_rtt_at_us > kWindowUs;
  if (tx.min_rtt_us != 0 && rtt_us > tx.min_rtt_us && !old) return;
  tx.min_rtt_us = rtt_us;
  tx.min_rtt_at_us = ctx.now.us;
}

// Whether of all that arrived nothing left after what ends at `end` in `run`.
inline bool RackKnowsNoneAfter(const SendState& tx, const SentRange& run,
                               SeqNum end) {
  return !tx.Has(kRackValid) ||
         !internal::SentAfter(tx.rack_sent_us, tx.rack_end, run.sent_us, end);
}

// What RackUpdate comes to if what left once at `sent_us`, and ends at `end`,
// has arrived in its turn, and nobody has spoken of duplicates for a round.
inline void RackUpdateClean(SendState& tx, uint32_t sent_us, SeqNum end,
                            const Context& ctx) {
  tx.rack_rtt_us = std::max<uint32_t>(ctx.now.us - sent_us, 1);
  if (tx.Has(kRackValid) &&
      !internal::SentAfter(sent_us, end, tx.rack_sent_us, tx.rack_end)) {
    return;
  }
  tx.Set(kRackValid);
  tx.rack_sent_us = sent_us;
  tx.rack_end = end;
}

[[gnu::always_inline]] inline bool ScheduleTailProbe(ControlBlock& cb,
                                                     const SendState& tx,
                                                     const Context& ctx) {
  if (!ctx.config.tail_loss_probe || !cb.Has(kSack) || cb.srtt_us == 0 ||
      tx.phase > SendPhase::kDisorder || tx.sacked_bytes > 0 ||
      tx.lost_bytes > 0 || tx.Has(kProbeOut) || cb.snd_una == cb.snd_nxt ||
      cb.SendWindow() == 0) {
    return false;
  }
  // WCDelAckT, how long a peer may sit on the ACK of one segment.
  constexpr uint32_t kWorstDelayedAckUs = 200'000;
  // Below this a probe would come before ordinary jitter is over.
  constexpr uint32_t kMinProbeUs = 2'000;
  uint32_t probe = cb.srtt_us / 4;  // 2 * SRTT
  if (cb.InFlight() <= cb.mss) probe += kWorstDelayedAckUs;
  probe = std::max(probe, kMinProbeUs);
  // Not after the retransmission timer, which counts from the oldest segment.
  const uint32_t age = ctx.now.us - tx.ranges[0].sent_us;
  const uint32_t rto_left = cb.rto_us > age ? cb.rto_us - age : 0;
  ArmTailProbe(cb, ctx.now, std::min(probe, rto_left));
  return true;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RACK_H_
