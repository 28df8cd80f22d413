#include "proto/tcp/undo.h"

#include <algorithm>

#include "proto/tcp/bbr.h"
#include "proto/tcp/congestion_control.h"
#include "proto/tcp/sent_list.h"

namespace corelane::tcp {

void RememberForUndo(const ControlBlock& cb, SendState& tx, bool reducing) {
  if (!reducing) {
    tx.prior_cwnd = cb.cwnd;
    tx.prior_ssthresh = cb.ssthresh;
    tx.prior_limited = tx.Has(kCwndLimited);
  }
  tx.undo_from = cb.snd_una;
  tx.undo_retransmits = 0;
  tx.Clear(kResent | kDuplicatesReported);
  if (!reducing) tx.Set(kCanUndo);
}

void NoteRetransmission(const ControlBlock& cb, SendState& tx, Now now,
                        uint32_t segments) {
  if (!tx.Has(kResent)) {
    tx.Set(kResent);
    tx.retransmit_ts = now.ms + cb.ts_offset;
  }
  tx.undo_retransmits += segments;
}

bool WasSpurious(const ControlBlock& cb, const SendState& tx,
                 const Options& options, bool advanced) {
  if (!tx.Has(kCanUndo) || !tx.Has(kResent)) return false;
  if (advanced && cb.Has(kTimestamps) && options.has_timestamps &&
      static_cast<int32_t>(options.ts_echo - tx.retransmit_ts) < 0) {
    return true;
  }
  return tx.undo_retransmits == 0 && tx.Has(kDuplicatesReported);
}

void Undo(ControlBlock& cb, SendState& tx, const Context& ctx) {
  ++ctx.counters.undos;
  cb.cwnd = std::max(cb.cwnd, tx.prior_cwnd);
  cb.ssthresh = std::max(cb.ssthresh, tx.prior_ssthresh);
  SentList(tx, cb.snd_una).UnmarkLost();
  tx.Clear(kCanUndo | kFrto | kTimedOut);
  // Was it the reduced window only that was used up?
  if (!tx.prior_limited) tx.Clear(kCwndLimited);
  tx.dup_acks = 0;
  tx.phase = tx.sacked_bytes > 0 ? SendPhase::kDisorder : SendPhase::kOpen;
  if (tx.bbr != nullptr) {
    BbrUndo(cb, tx);
  } else {
    UndoReduction(cb, tx, ctx);
  }
}

}  // namespace corelane::tcp
