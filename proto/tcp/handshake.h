// Opening. A SYN costs a small request record; a control block is made when
// the handshake is complete.
#ifndef CORELANE_PROTO_TCP_HANDSHAKE_H_
#define CORELANE_PROTO_TCP_HANDSHAKE_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/header.h"
#include "proto/tcp/segment_spec.h"

namespace corelane::tcp {

// What the peer's SYN offered and we go along with: only that is in the
// SYN-ACK.
enum RequestFlag : uint8_t {
  kRequestTimestamps = 1 << 0,
  kRequestSack = 1 << 1,
  kRequestWindowScale = 1 << 2,
  kRequestEcn = 1 << 3,
  // When the SYN-ACK left that will be acknowledged is not known.
  kRequestUntimed = 1 << 4,
};

// A connection in SYN-RECEIVED that came from LISTEN.
struct alignas(64) Request {
  FlowKey key;
  SeqNum iss;
  SeqNum irs;
  uint32_t listener = kNoIndex;
  Tick deadline = 0;         // of the SYN-ACK's retransmission
  uint32_t synack_us = 0;    // when it was first sent, for the RTT
  uint32_t next = kNoIndex;  // in the pipeline's list
  uint32_t prev = kNoIndex;
  Tick opened_at = 0;
  uint32_t ts_recent = 0;
  uint32_t ts_offset = 0;
  uint16_t window = 0;  // the peer's, unscaled
  uint16_t peer_mss = 0;
  uint16_t port = 0;
  uint16_t challenge_at = 0;  // when the last challenge ACK left; 0: never
  uint8_t flags = 0;          // RequestFlag
  uint8_t peer_window_scale = 0;
  uint8_t retransmits = 0;
  uint8_t in_use = 0;

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};
static_assert(sizeof(Request) == 64);

// The MSS that we offer on a path of that MTU.
uint16_t OwnMss(uint16_t mtu, const Config& config);

// What stays of the peer's MSS: the RFC's default of 536 when it named none
// (section 3.7.1), and never below the configured floor. Options are included.
uint16_t EffectiveMss(uint16_t peer_mss, uint16_t own_mss,
                      const Config& config);

// The payload of a full segment, given the MSS that counts.
uint16_t PayloadMss(uint16_t mss, bool timestamps);

// RFC 7323 section 5.2: modulo 2^32, as sequence numbers.
inline bool TimestampBefore(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) < 0;
}

// RFC 3168 section 6.1.1.
inline bool IsEcnSetupSyn(const Segment& syn) {
  return syn.Has(kEce) && syn.Has(kCwr);
}

// ---- Passive open

// Fills the record from a SYN that reached a listener (RFC 9293 section
// 3.10.7.2). The caller has set key, listener, port and ts_offset.
void OpenPassive(Request& request, const Segment& syn, SeqNum iss,
                 const Config& config, Now now);

// The SYN-ACK for it. `mss` is what we offer.
SegmentSpec SynAck(const Request& request, uint16_t mss, const Config& config,
                   Now now);

// The same again because nobody answered. RFC 3168 section 6.1.1.1: the path
// may not let a segment with ECN's flags through.
SegmentSpec SynAckAgain(Request& request, uint16_t mss, const Config& config,
                        Now now);

// The ACK of what we have, for RequestVerdict::kChallengeAck.
SegmentSpec RequestChallenge(const Request& request, const Config& config,
                             Now now);

enum class RequestVerdict : uint8_t {
  kIgnore,
  kResendSynAck,  // the peer repeated its SYN
  kChallengeAck,  // unacceptable: answer with an ACK of what we have
  kReset,         // answer with ResetFor(segment), keep the record
  kDelete,        // the peer reset it
  kAccept,        // complete: make a control block, then Ingest the segment
};

// What a segment does to a connection in SYN-RECEIVED (section 3.10.7.4).
RequestVerdict OnRequestSegment(Request& request, const Segment& segment,
                                uint32_t receive_window, Now now);

// Turns a completed request into an established connection. `own_mss` is the
// MSS that we offered. The segment that completed it must be ingested
// afterwards.
void Establish(ControlBlock& cb, const Request& request, uint16_t own_mss,
               const Context& ctx);

// ---- Active open

// Starts one (section 3.10.1): cb.key and cb.ts_offset are set, the SYN is due.
void OpenActive(ControlBlock& cb, SeqNum iss, uint16_t own_mss,
                const Context& ctx);

// The SYN, or in a simultaneous open the SYN-ACK, of a control block: all of
// it, options included. cb.snd_nxt says whether it is the first.
SegmentSpec SynFor(const ControlBlock& cb, uint16_t own_mss,
                   const Context& ctx);

// Our SYN of an active open has been acknowledged, and the peer's SYN has been
// learnt from.
void CompleteActive(ControlBlock& cb, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_HANDSHAKE_H_
