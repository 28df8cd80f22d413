#include "proto/tcp/sack.h"

#include <algorithm>

namespace corelane::tcp {
namespace {

// RFC 2883 section 4: the first block is a D-SACK if it lies below the
// cumulative acknowledgment or inside the second block.
bool IsDsack(const Options& options, SeqNum ack) {
  const SackBlock& first = options.sack[0];
  if (first.start < ack) return true;
  if (options.sack_count < 2) return false;
  const SackBlock& second = options.sack[1];
  return first.start >= second.start && first.end <= second.end;
}

// A duplicate of data that we did send, not too long ago.
bool IsPlausibleDsack(const ControlBlock& cb, const SackBlock& block) {
  return block.start < block.end && block.end <= cb.snd_nxt &&
         block.start >= cb.snd_una - cb.max_window;
}

}  // namespace

SackReport ProcessSack(const ControlBlock& cb, SendState& tx, SeqNum ack,
                       const Options& options, SentList& list,
                       Delivery& delivery, const Context& ctx) {
  SackReport report;
  if (options.sack_count == 0) return report;
  uint32_t first = 0;
  if (IsDsack(options, ack)) {
    first = 1;
    const SackBlock& block = options.sack[0];
    if (IsPlausibleDsack(cb, block)) {
      report.dsack = true;
      report.dsack_end = block.end;
      ++ctx.counters.dsacks_in;
      const uint32_t length = block.end - block.start;
      const uint32_t segments = (length + cb.mss - 1) / cb.mss;
      tx.undo_retransmits -= std::min(tx.undo_retransmits, segments);
      if (block.end > tx.undo_from) tx.Set(kDuplicatesReported);
    }
  }
  for (uint32_t i = first; i < options.sack_count; ++i) {
    SackBlock block = options.sack[i];
    if (block.start >= block.end || block.end > cb.snd_nxt) continue;
    block.start = SeqMax(block.start, cb.snd_una);
    if (block.start >= block.end) continue;
    list.Sack(block.start, block.end, cb.mss, delivery);
  }
  return report;
}

}  // namespace corelane::tcp
