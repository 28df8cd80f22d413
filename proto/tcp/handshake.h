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
  uint32_t window = 0;  // the peer's, unscaled
  Tick opened_at = 0;
  uint16_t peer_mss = 0;
  uint16_t port = 0;
  uint8_t peer_window_scale = 0;
  bool window_scaling = false;
  uint8_t retransmits = 0;
  uint8_t in_use = 0;
};
static_assert(sizeof(Request) == 64);

// Fills the record from a SYN that reached a listener (RFC 9293 section
// 3.10.7.2). The caller has set key, listener and port.
void OpenPassive(Request& request, const Segment& syn, SeqNum iss, Now now);

// The SYN-ACK for it. `mss` is what we offer.
SegmentSpec SynAck(const Request& request, uint16_t mss, const Config& config);

// The RFC's default of 536 when the peer named no MSS (section 3.7.1), and
// never below the configured floor.
uint16_t EffectiveMss(uint16_t peer_mss, uint16_t own_mss,
                      const Config& config);

enum class RequestVerdict : uint8_t {
  kIgnore,
  kResendSynAck,  // the peer repeated its SYN
  kChallengeAck,  // unacceptable: answer with an ACK of what we have
  kReset,         // answer with ResetFor(segment), keep the record
  kDelete,        // the peer reset it
  kAccept,        // complete: make a control block, then Ingest the segment
};

// What a segment does to a connection in SYN-RECEIVED (section 3.10.7.4).
RequestVerdict OnRequestSegment(const Request& request, const Segment& segment,
                                uint32_t receive_window);

// Turns a completed request into an established connection. `own_mss` is the
// largest payload our side sends. The segment that completed it must be
// ingested afterwards.
void Establish(ControlBlock& cb, const Request& request, uint16_t own_mss,
               const Context& ctx);

// Starts an active open (section 3.10.1): cb.key is set, the SYN is due.
void OpenActive(ControlBlock& cb, SeqNum iss, uint16_t own_mss,
                const Context& ctx);

// Our SYN of an active open has been acknowledged, and the peer's SYN has been
// learnt from.
void CompleteActive(ControlBlock& cb, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_HANDSHAKE_H_
