#include "proto/tcp/rack.h"

#include <algorithm>
#include <cstdint>

#include "proto/tcp/timers.h"

namespace corelane::tcp {
namespace {

using Fate = SentRange::Fate;
using internal::SentAfter;
using internal::Since;

constexpr uint32_t kDupThresh = 3;
constexpr uint8_t kPersistRounds = 16;  // section 6.2, step 4
// How much later than possible the reordering timer goes off: the ACK that
// settles it may be about to arrive. Where the last segment of the flight has
// overtaken the others, nothing waits behind them.
uint32_t ReorderSlackUs(const ControlBlock& cb, const SendState& tx) {
  const uint32_t srtt_us = cb.srtt_us / 8;
  return tx.rack_end == cb.snd_nxt ? std::min(srtt_us / 8, 12'500u)
                                   : std::min(srtt_us / 16, 2'000u);
}

uint32_t SackedSegments(const SendState& tx) {
  uint32_t segments = 0;
  for (uint32_t i = 0; i < tx.range_count; ++i) {
    if (tx.ranges[i].fate == Fate::kSacked) segments += tx.ranges[i].segments;
  }
  return segments;
}

uint32_t AgeOf(uint32_t sent_us, const Context& ctx) {
  return std::max<uint32_t>(ctx.now.us - sent_us, 1);
}

// An acknowledgment of a retransmission may be of the original: it is not if
// its timestamp or the time that has passed says so.
bool IsOfRetransmission(const ControlBlock& cb, const SendState& tx,
                        uint32_t sent_us, const Options& options,
                        const Context& ctx) {
  if (cb.Has(kTimestamps) && options.has_timestamps) {
    const uint32_t sent_ms =
        ctx.now.ms - (ctx.now.us - sent_us) / 1000 + cb.ts_offset;
    // Up to the grain of the timestamps.
    if (static_cast<int32_t>(options.ts_echo + 1 - sent_ms) < 0) return false;
  }
  return AgeOf(sent_us, ctx) >= tx.min_rtt_us;
}

// Step 2: the round trip of the last segment of those delivered, and the
// transmission among them that was the latest.
void LearnDelivered(const ControlBlock& cb, SendState& tx, const Delivery& d,
                    const Options& options, const Context& ctx) {
  if (!d.has_latest) return;
  if (!d.last_resent || IsOfRetransmission(cb, tx, d.last_us, options, ctx)) {
    tx.rack_rtt_us = AgeOf(d.last_us, ctx);
  } else if (d.has_once) {
    tx.rack_rtt_us = AgeOf(d.once_us, ctx);
  }
  if (d.latest_resent &&
      !IsOfRetransmission(cb, tx, d.latest_us, options, ctx)) {
    return;
  }
  if (SentAfter(d.latest_us, d.latest_end, tx.rack_sent_us, tx.rack_end) ||
      !tx.Has(kRackValid)) {
    tx.Set(kRackValid);
    tx.rack_sent_us = d.latest_us;
    tx.rack_end = d.latest_end;
  }
}

// Step 4: D-SACKs widen the window, quiet recoveries narrow it again.
void AdaptWindow(const ControlBlock& cb, SendState& tx,
                 const SackReport& report) {
  if (tx.Has(kDsackSeen) && cb.snd_una >= tx.dsack_round) tx.Clear(kDsackSeen);
  if (!report.dsack || tx.Has(kDsackSeen)) return;
  tx.Set(kDsackSeen);
  tx.dsack_round = cb.snd_nxt;
  if (tx.reorder_window_mult < 255) ++tx.reorder_window_mult;
  tx.reorder_window_persist = kPersistRounds;
}

// Step 3. The degree is for whoever looks (TCP_INFO): RACK goes by time.
void LearnReordering(const ControlBlock& cb, SendState& tx, const Delivery& d) {
  constexpr uint32_t kMaxDegree = 300;
  if (!d.out_of_order) return;
  tx.Set(kReorderingSeen);
  if (tx.reorderings < UINT16_MAX) ++tx.reorderings;
  const uint32_t span = SeqMax(tx.fack, d.highest_end) - d.lowest_late;
  const uint32_t degree = (span + cb.mss - 1) / std::max<uint32_t>(cb.mss, 1);
  const uint32_t most = std::min(degree, kMaxDegree);
  tx.reorder_degree =
      static_cast<uint16_t>(std::max<uint32_t>(most, tx.reorder_degree));
}

}  // namespace

uint32_t ReorderWindow(const ControlBlock& cb, const SendState& tx) {
  if (!tx.Has(kReorderingSeen)) {
    if (tx.phase >= SendPhase::kRecovery) return 0;
    if (SackedSegments(tx) >= kDupThresh) return 0;
  }
  const uint64_t quarter = uint64_t{tx.reorder_window_mult} * tx.min_rtt_us / 4;
  return static_cast<uint32_t>(std::min<uint64_t>(quarter, cb.srtt_us / 8));
}

void RackUpdate(const ControlBlock& cb, SendState& tx, const Delivery& delivery,
                const SackReport& report, const Options& options,
                const Context& ctx) {
  LearnDelivered(cb, tx, delivery, options, ctx);
  LearnReordering(cb, tx, delivery);
  AdaptWindow(cb, tx, report);
}

bool RackDetectLoss(ControlBlock& cb, SendState& tx, const Context& ctx) {
  if (cb.Has(kReorderTimer)) StopRetransmit(cb);
  if (!tx.Has(kRackValid)) return false;
  const uint32_t limit = tx.rack_rtt_us + ReorderWindow(cb, tx);
  bool lost = false;
  int32_t wait = 0;
  SentList list(tx, cb.snd_una);
  for (uint32_t i = 0; i < list.size(); ++i) {
    const SentRange& run = list[i];
    if (run.fate != Fate::kInFlight) continue;
    if (!SentAfter(tx.rack_sent_us, tx.rack_end, run.sent_us, run.end)) {
      continue;
    }
    const int32_t remaining = Since(ctx.now.us, run.sent_us + limit);
    if (remaining <= 0) {
      list.MarkLost(i);
      lost = true;
    } else {
      wait = std::max(wait, remaining);
    }
  }
  if (wait > 0) {
    ArmReorder(cb, ctx.now,
               static_cast<uint32_t>(wait) + ReorderSlackUs(cb, tx));
  }
  return lost;
}

bool OnTailProbeAck(SendState& tx, SeqNum ack, bool duplicate,
                    const SackReport& report, bool has_sack) {
  if (!tx.Has(kProbeOut) || ack < tx.probe_end) return false;
  if (!tx.Has(kProbeResent)) {
    tx.Clear(kProbeOut);
    return false;
  }
  if (report.dsack && report.dsack_end == tx.probe_end) {
    tx.Clear(kProbeOut);  // both the original and the probe arrived
    return false;
  }
  if (ack > tx.probe_end) {
    tx.Clear(kProbeOut);
    return true;
  }
  if (duplicate && !has_sack) tx.Clear(kProbeOut);
  return false;
}

}  // namespace corelane::tcp
