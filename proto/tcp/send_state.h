// What a connection needs only while it has something in flight, or had a short
// while ago: which ranges are out, lost or selectively acknowledged, and what
// loss recovery and congestion control remember of them. An idle connection
// gives it back; whoever owns the control block says where it lies.
#ifndef CORELANE_PROTO_TCP_SEND_STATE_H_
#define CORELANE_PROTO_TCP_SEND_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/base/sequence.h"
#include "proto/tcp/clock.h"
#include "proto/tcp/congestion_state.h"

namespace corelane::tcp {

struct BbrState;

// A run of the stream that was sent at one time and has one fate. The runs of
// a connection are adjacent: each begins where the one before ends.
struct SentRange {
  enum class Fate : uint8_t {
    kInFlight,
    kSacked,  // arrived, out of order
    kLost,    // and not sent again yet
  };

  SeqNum end;            // one past the last
  uint32_t sent_us = 0;  // when it was last sent
  uint16_t segments = 0;
  Fate fate = Fate::kInFlight;
  bool retransmitted = false;  // ever
};
static_assert(sizeof(SentRange) == 12);

// The states of a sender, as TCP_INFO names them.
enum class SendPhase : uint8_t {
  kOpen,
  kDisorder,  // duplicate acknowledgments or SACKs, nothing deemed lost
  kCwr,       // reducing because of ECN
  kRecovery,  // fast recovery
  kLoss,      // after a retransmission timeout
};

// What keeps a sender from sending (more).
enum class SendLimit : uint8_t {
  kIdle,    // nothing queued, nothing in flight
  kNone,    // the congestion window, or nothing more is wanted
  kWindow,  // the peer's window
  kBuffer,  // our own: the application waits for room, and all has been sent
};

enum SendFlag : uint16_t {
  kRunSealed = 1 << 0,       // the next new data begins a run of its own
  kReorderingSeen = 1 << 1,  // RACK.reordering_seen
  kProbeOut = 1 << 2,        // a tail loss probe is out: probe_end counts
  kProbeResent = 1 << 3,     // ... and it was a retransmission
  kPaced = 1 << 4,           // something waits for pace_deadline
  kDsackSeen = 1 << 5,       // RACK.dsack_round counts
  kFrto = 1 << 6,            // RFC 5682: is this timeout spurious?
  kCanUndo = 1 << 7,         // undo_from and the prior values count
  kCwrDue = 1 << 8,          // the next new data carries CWR (RFC 3168)
  kCwndLimited = 1 << 9,     // the window was used: growth is called for
  kRackValid = 1 << 10,      // rack_sent_us and rack_end count
  kResent = 1 << 11,  // something was, since the reduction: retransmit_ts
  kDuplicatesReported = 1 << 12,  // by D-SACK, since the reduction
  kTimedOut = 1 << 13,            // `recover` dates from a timeout
  kFrtoNewData = 1 << 14,  // ... and new data is sent before more old data
  kCwrHold = 1 << 15,      // reduced for ECN; not again before cwr_end
};

struct alignas(64) SendState {
  // Runs before this one must merge: a peer that makes more holes than fit is
  // not believed in all of them (CVE-2019-11478).
  static constexpr uint32_t kMaxRanges = 96;

  // ---- line 0: what every acknowledgment and every segment looks at.
  SendPhase phase = SendPhase::kOpen;
  uint8_t dup_acks = 0;  // without SACK: how many came since SND.UNA moved
  uint16_t flags = 0;    // SendFlag
  uint8_t range_count = 0;
  bool prior_limited = false;  // prior_cwnd had been used up
  // Path MTU discovery: the probe that is out, if its size is not 0, and since
  // when the next one is being waited for.
  uint16_t mtu_probe_size = 0;
  uint32_t sacked_bytes = 0;  // of the ranges, or what duplicate ACKs stand for
  uint32_t lost_bytes = 0;
  SeqNum recover;           // SND.NXT when the phase began (RFC 6582)
  uint32_t min_rtt_us = 0;  // 0: none yet
  uint32_t min_rtt_at_us = 0;
  uint32_t active_ms = 0;  // when it was last used
  // RACK (RFC 8985 section 5.2).
  uint32_t rack_sent_us = 0;
  SeqNum rack_end;
  uint32_t rack_rtt_us = 0;  // 0: nothing was delivered yet
  SeqNum fack;  // the highest sequence number known to have arrived
  uint32_t prr_out = 0;
  // RFC 7661: the largest flight of the round that ends at limited_end.
  uint32_t max_flight = 0;
  SeqNum limited_end;
  uint8_t reorder_window_mult = 1;
  uint8_t reorder_window_persist = 0;
  bool mtu_waiting = false;
  SendLimit limit = SendLimit::kIdle;

  // ---- lines 1 and 2, with the first runs behind it
  CongestionState congestion;
  // Whoever owns the control block gives it to a connection that runs BBR, and
  // takes it back with this.
  BbrState* bbr = nullptr;
  std::array<SentRange, kMaxRanges> ranges{};

  // ---- what losses, probes and pacing need
  SeqNum mtu_probe_end;
  // Of a probe that was lost and is being sent again in pieces, until the next.
  uint16_t mtu_failed_size = 0;
  Tick mtu_since = 0;
  uint32_t syn_us = 0;          // when the SYN was last sent
  uint32_t owner = 0xffffffff;  // the control block's index
  SeqNum dsack_round;
  // How often data arrived out of order, and by how many segments at most (not
  // counted below the three that are always allowed for).
  uint16_t reorderings = 0;
  uint16_t reorder_degree = 3;
  // Proportional rate reduction (RFC 9937).
  uint32_t prr_delivered = 0;
  uint32_t prr_flight = 0;  // RecoverFS
  // Undoing a reduction that was not called for.
  uint32_t prior_cwnd = 0;
  uint32_t prior_ssthresh = 0;
  uint32_t undo_retransmits = 0;  // not yet reported as duplicates (D-SACK)
  uint32_t retransmit_ts = 0;     // TSval of the first retransmission (Eifel)
  SeqNum undo_from;
  SeqNum probe_end;  // TLP.end_seq (RFC 8985 section 7)
  SeqNum cwr_end;    // ECN: no second reduction before this is acknowledged
  // Pacing: before this nothing is sent, and the timer that ends the wait.
  uint32_t next_send_us = 0;
  Tick pace_deadline = 0;
  // send_times.h: how long, by SendLimit, and since when `limit` is what it is.
  std::array<uint64_t, 4> limit_ticks{};
  Tick limit_since = 0;

  bool Has(uint16_t flag) const { return (flags & flag) != 0; }
  void Set(uint16_t flag) { flags |= flag; }
  void Clear(uint16_t flag) { flags &= static_cast<uint16_t>(~flag); }
};

static_assert(offsetof(SendState, congestion) <= 64);
static_assert(offsetof(SendState, ranges) + 2 * sizeof(SentRange) <= 192);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEND_STATE_H_
