// Congestion control: how much may be in flight. NewReno (RFC 5681, RFC 6582)
// with limited transmit (RFC 3042).
#ifndef CORELANE_PROTO_TCP_CONGESTION_H_
#define CORELANE_PROTO_TCP_CONGESTION_H_

#include <cstdint>

#include "proto/tcp/config.h"
#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/counters.h"

namespace corelane::tcp {

inline constexpr uint8_t kDupAckThreshold = 3;

// RFC 6928: when the handshake is complete and cb.mss is known.
void StartCongestion(ControlBlock& cb, const Config& config);

// snd_una is about to advance by `acked` to `ack`.
void OnNewAck(ControlBlock& cb, SeqNum ack, uint32_t acked);

// A duplicate acknowledgment by RFC 5681 section 2 arrived.
void OnDuplicateAck(ControlBlock& cb, Counters& counters);

// The retransmission timer went off; called before snd_nxt falls back.
void OnTimeout(ControlBlock& cb);

// RFC 5681 section 4.1: after an idle time of more than an RTO no ACKs clock
// what is sent next. To be called before new data.
void RestartAfterIdle(ControlBlock& cb, const Context& ctx);

// Bytes that congestion control would let leave now.
uint32_t CongestionRoom(const ControlBlock& cb);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_CONGESTION_H_
