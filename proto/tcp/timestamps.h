// The timestamps option on an open connection (RFC 7323 sections 4 and 5).
#ifndef CORELANE_PROTO_TCP_TIMESTAMPS_H_
#define CORELANE_PROTO_TCP_TIMESTAMPS_H_

#include <cstdint>

#include "proto/tcp/clock.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/options.h"

namespace corelane::tcp {

// The option behind two NOPs, as everybody sends it (RFC 7323 appendix A).
inline constexpr uint32_t kTimestampsPrefix = 0x0101080a;
inline constexpr uint32_t kTimestampsLifetimeMs = 24u * 24 * 3600 * 1000;

// PAWS (section 5.2): the segment comes from an earlier time. A TS.Recent of
// more than 24 days may be ahead of a peer's clock that has wrapped, and says
// nothing (section 5.5).
inline bool IsOldTimestamp(const ControlBlock& cb, uint32_t value, Now now) {
  if (static_cast<int32_t>(value - cb.ts_recent) >= 0) return false;
  return now.ms - cb.ts_recent_ms < kTimestampsLifetimeMs;
}

// Section 4.3 (2): from the segment that the next ACK will cover first, so that
// a delayed ACK's time is counted in.
inline void TakeTimestamp(ControlBlock& cb, SeqNum seq, const Options& options,
                          Now now) {
  if (seq > cb.rcv_acked) return;
  if (static_cast<int32_t>(options.ts_value - cb.ts_recent) < 0 &&
      now.ms - cb.ts_recent_ms < kTimestampsLifetimeMs) {
    return;
  }
  cb.ts_recent = options.ts_value;
  cb.ts_recent_ms = now.ms;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_TIMESTAMPS_H_
