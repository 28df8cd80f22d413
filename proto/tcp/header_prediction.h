// The common case, both ways: in-order data, and an ACK of new data, on an
// established connection without gaps (Van Jacobson's header
// prediction). One comparison of the (data offset, flags) word decides whether
// a segment is a candidate; everything else goes to Ingest in ingest.h.
#ifndef CORELANE_PROTO_TCP_HEADER_PREDICTION_H_
#define CORELANE_PROTO_TCP_HEADER_PREDICTION_H_

#include "proto/tcp/ack_policy.h"
#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/ingest.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/timers.h"
#include "proto/tcp/timestamps.h"

namespace corelane::tcp {

// A bare header with ACK, and one with the timestamps option behind two NOPs,
// as everybody sends it (RFC 7323 appendix A). PSH is masked away before
// comparing.
inline constexpr uint16_t kPredictedWord = 5u << 12 | kAck;
inline constexpr uint16_t kPredictedWordTimestamps = 8u << 12 | kAck;

// To be called when the state, the receive holes or the options change.
// `gap` says whether the receive stream has one.
inline void UpdatePrediction(ControlBlock& cb, bool gap = false) {
  // Loss recovery needs no exception: acknowledgments are processed in full
  // either way, and duplicate ones are never predicted.
  const bool eligible =
      cb.state == State::kEstablished && !gap && !cb.Has(kEceEcho);
  if (!eligible) {
    cb.predicted = 0;
  } else {
    cb.predicted =
        cb.Has(kTimestamps) ? kPredictedWordTimestamps : kPredictedWord;
  }
}

// Handles the segment if it is as predicted; returns false, with nothing
// changed, if it is not.
inline bool IngestPredicted(ControlBlock& cb, const Segment& segment,
                            SendState* tx, const Context& ctx,
                            IngestResult& result) {
  const uint16_t word = segment.offset_and_flags & static_cast<uint16_t>(~kPsh);
  if (word != cb.predicted || segment.seq != cb.rcv_nxt) return false;
  const uint32_t length = segment.payload_length;
  const uint32_t acked = segment.ack - cb.snd_una;
  if (acked > cb.snd_nxt - cb.snd_una) return false;
  if (length > cb.rcv_edge - cb.rcv_nxt || segment.ce) return false;
  // No payload and nothing acknowledged: a duplicate ACK or a window update.
  if ((length | acked) == 0) return false;
  // Data that acknowledges nothing leaves the send side alone; a changed
  // window then goes the general way.
  const SeqNum edge =
      segment.ack + (static_cast<uint32_t>(segment.window) << cb.snd_wscale());
  if (acked == 0 ? edge != cb.snd_edge
                 : edge < cb.snd_edge || cb.Has(kPersist | kFinQueued)) {
    return false;
  }
  Options options;
  if (cb.Has(kTimestamps)) {
    if (LoadBe32(segment.options) != kTimestampsPrefix) return false;
    options.has_timestamps = true;
    options.ts_value = LoadBe32(segment.options + 4);
    options.ts_echo = LoadBe32(segment.options + 8);
    if (static_cast<int32_t>(options.ts_value - cb.ts_recent) < 0) return false;
    TakeTimestamp(cb, segment.seq, options, ctx.now);
  }
  if (acked > 0) {
    OnAcknowledgment(
        cb, *tx,
        {.ack = segment.ack, .carried = segment.ack, .options = &options}, ctx);
    cb.snd_edge = edge;
    cb.snd_wl1 = segment.seq;
    cb.snd_wl2 = segment.ack;
    const uint32_t window = edge - segment.ack;
    if (window > cb.max_window) cb.max_window = window;
    result.acked = acked;
  }
  if (length == 0) {
    ++ctx.counters.predicted_acks;
    return true;
  }
  cb.rcv_nxt += length;
  result.placement = Placement::kDeliver;
  result.length = static_cast<uint16_t>(length);
  NoteInOrderData(cb, length, ctx);
  ctx.counters.bytes_in += length;
  ++ctx.counters.predicted_data;
  return true;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_HEADER_PREDICTION_H_
