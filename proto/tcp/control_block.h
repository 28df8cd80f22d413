// The control block: the socket *is* its control information.
//
// Three cache lines, in the order in which the path needs them:
//   line 0  look-up, in-order data, pure ACK
//   line 1  sending, round-trip time, loss recovery
//   line 2  what a quiet connection hardly touches: identity, its timer's place
//
// Sequence variables carry RFC 9293 names (section 3.3.1). Windows are kept as
// their right edges, which saves an addition per comparison:
//   SND.WND = snd_edge - snd_una,  RCV.WND = rcv_edge - rcv_nxt.
//
//   sent and acknowledged | sent (some perhaps lost) |  may be sent  | queued
//   ----------------------+--------------------------+---------------+-------
//                      snd_una                    snd_nxt         snd_edge
//
// snd_nxt never falls back: what has to be sent again is noted in the send
// state.
#ifndef CORELANE_PROTO_TCP_CONTROL_BLOCK_H_
#define CORELANE_PROTO_TCP_CONTROL_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "proto/base/address.h"
#include "proto/base/sequence.h"
#include "proto/tcp/clock.h"
#include "proto/tcp/state.h"

namespace corelane::tcp {

// Who talks to whom. Host byte order.
struct FlowKey {
  uint32_t local_address = 0;
  uint32_t remote_address = 0;
  uint16_t local_port = 0;
  uint16_t remote_port = 0;

  Ipv4Address local() const { return Ipv4Address(local_address); }
  Ipv4Address remote() const { return Ipv4Address(remote_address); }
  uint64_t Addresses() const {
    return uint64_t{local_address} << 32 | remote_address;
  }
  uint32_t Ports() const { return uint32_t{local_port} << 16 | remote_port; }
  friend bool operator==(const FlowKey& a, const FlowKey& b) {
    return a.Addresses() == b.Addresses() && a.Ports() == b.Ports();
  }
};

// "No index": the end of a list, or "this connection has none".
inline constexpr uint32_t kNoIndex = 0xffffffff;

enum ControlFlag : uint32_t {
  kAckNow = 1u << 0,           // an ACK is due at the next emit
  kFinQueued = 1u << 1,        // our stream ends at snd_queued
  kNoDelay = 1u << 2,          // Nagle's algorithm is off
  kOrphan = 1u << 3,           // the application has let go
  kRetransmitTimer = 1u << 4,  // retransmit_deadline counts
  kPersist = 1u << 5,          // ... and stands for a window probe
  kAckTimer = 1u << 6,         // ack_deadline counts
  kIdleTimer = 1u << 7,        // idle_deadline counts (FIN-WAIT-2)
  kAppTimer = 1u << 8,         // app_deadline counts
  kTailTimer = 1u << 9,        // ... and stands for a tail loss probe
  kReorderTimer = 1u << 10,    // ... and stands for RACK's reordering window
  kProbe = 1u << 11,           // send one byte past a closed window
  kSynDue = 1u << 12,          // SYN or SYN-ACK is to be (re)sent
  kTailProbe = 1u << 13,       // a tail loss probe is to be sent
  kActiveOpen = 1u << 14,      // we sent the first SYN
  kDirty = 1u << 15,           // on the pipeline's list for emit
  kEceEcho = 1u << 16,         // congestion was experienced: ACKs carry ECE
  kWindowScaling = 1u << 17,   // both sides offered it
  kReady = 1u << 18,           // on the pipeline's list for the application
  kWriteBlocked = 1u << 19,    // the application waits for send space
  kDetached = 1u << 20,        // no longer in the socket table
  kTimestamps = 1u << 21,      // both sides sent them: every segment does
  kSack = 1u << 22,            // both sides permitted it
  kEcn = 1u << 23,             // both sides can (RFC 3168)
  // Bits 24 to 31: events that the application has not been told yet.
};

// What a retransmission timer or the like found the peer to be (`error`).
enum class Error : uint8_t {
  kNone,
  kRefused,   // RST in answer to our SYN
  kReset,     // RST in a synchronized state
  kTimedOut,  // R2 passed
  kUnreachable,
  kAborted,  // by our own application
};

struct alignas(64) ControlBlock {
  // ---- line 0
  FlowKey key;
  State state = State::kClosed;
  uint8_t window_scales = 0;  // low nibble: peer's (SND), high: ours (RCV)
  // Header prediction: the (data offset, flags) word of the next segment in
  // the ordinary case, or 0, which no segment carries, when not eligible.
  uint16_t predicted = 0;
  uint32_t flags = 0;  // ControlFlag
  SeqNum rcv_nxt;
  SeqNum rcv_edge;   // RCV.NXT + RCV.WND, as last advertised
  SeqNum rcv_acked;  // RCV.NXT as last sent (Last.ACK.sent)
  SeqNum snd_una;
  SeqNum snd_nxt;
  SeqNum snd_edge;         // SND.UNA + SND.WND
  SeqNum snd_queued;       // one past the last byte that the application queued
  uint32_t ts_recent = 0;  // RFC 7323: the peer's TSval to be echoed
  uint32_t ts_offset = 0;  // our TSval = milliseconds + ts_offset
  uint32_t send_state = kNoIndex;  // a SendState, while there is need of one
  uint32_t buffers = kNoIndex;     // queues, while there are any

  // ---- line 1
  uint32_t cwnd = 0;       // bytes
  uint32_t ssthresh = 0;   // bytes
  uint32_t srtt_us = 0;    // times 8; 0: no sample yet
  uint32_t rttvar_us = 0;  // times 4
  uint32_t rto_us = 0;     // with back-off
  uint16_t mss = 0;        // SND.MSS: payload bytes per segment we send
  uint16_t rcv_mss = 0;    // the largest segment seen from the peer
  SeqNum snd_wl1;
  SeqNum snd_wl2;
  uint32_t ts_recent_ms = 0;  // when ts_recent was taken
  // Receive buffer autotuning: what may be offered at most, and from where and
  // since when a round trip's worth of data is being measured.
  uint32_t receive_space = 0;
  SeqNum measure_from;
  uint32_t measure_us = 0;  // before that: when the SYN left
  Tick retransmit_deadline = 0;
  Tick ack_deadline = 0;
  uint8_t retransmits = 0;  // consecutive, of the same data
  uint8_t keepalives = 0;   // probes sent since the peer was heard
  uint8_t quick_acks = 0;   // ACKs still to be sent without delay
  uint8_t acks_owed = 0;    // one for each out-of-order segment
  uint32_t max_window = 0;  // the largest SND.WND ever offered

  // ---- line 2
  SeqNum iss;
  SeqNum irs;
  uint32_t generation = 0;   // of the slot, see the slab
  uint32_t app_data = 0;     // the application's own
  uint32_t timer_place = 0;  // where the wheel has its entry, if timer_slot
  Tick timer_filed = 0;
  Tick idle_deadline = 0;
  Tick app_deadline = 0;
  Tick opened_at = 0;
  Tick una_since = 0;     // when snd_una's byte was first sent
  Tick challenge_at = 0;  // when the last challenge ACK left
  uint32_t total_retransmits = 0;
  uint16_t application = 0;
  uint16_t peer_mss = 0;    // as offered, or the default
  uint16_t port = 0;        // the device it arrived on
  uint16_t timer_slot = 0;  // of the wheel it is filed in, plus 1; 0: none
  Error error = Error::kNone;
  // An ICMP error that may pass (RFC 9293 section 3.9.2.2), while opening: why
  // nobody answered, should it come to that.
  Error soft_error = Error::kNone;
  uint16_t profile = 0;  // which set of options, see Config

  uint8_t snd_wscale() const { return window_scales & 0xf; }
  uint8_t rcv_wscale() const { return window_scales >> 4; }
  bool Has(uint32_t flag) const { return (flags & flag) != 0; }
  void Set(uint32_t flag) { flags |= flag; }
  void Clear(uint32_t flag) { flags &= ~flag; }

  // One past the last sequence number of our stream, a queued FIN included.
  SeqNum SendEnd() const { return snd_queued + (Has(kFinQueued) ? 1 : 0); }
  // Where a segment without text stands in our stream: SND.NXT, but not past
  // the window, where a probe's byte lies that the peer has refused.
  SeqNum AckSeq() const { return SeqMin(snd_nxt, SeqMax(snd_una, snd_edge)); }
  // FlightSize (RFC 5681): sent and not acknowledged, whatever became of it.
  uint32_t InFlight() const { return snd_nxt - snd_una; }
  uint32_t SendWindow() const {
    return snd_edge > snd_una ? snd_edge - snd_una : 0;
  }
  uint32_t ReceiveWindow() const {
    return rcv_edge > rcv_nxt ? rcv_edge - rcv_nxt : 0;
  }
};

static_assert(sizeof(ControlBlock) == 192);
static_assert(offsetof(ControlBlock, buffers) == 60);
static_assert(offsetof(ControlBlock, cwnd) == 64);
static_assert(offsetof(ControlBlock, max_window) == 124);
static_assert(offsetof(ControlBlock, iss) == 128);
static_assert(std::is_trivially_copyable_v<ControlBlock>);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONTROL_BLOCK_H_
