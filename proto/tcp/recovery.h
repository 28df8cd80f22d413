// Loss recovery: what acknowledgments and timeouts make of the sender.
//
//            duplicates, SACKs          losses (RACK, RFC 8985; or the third
//   Open -----------------> Disorder --- duplicate, RFC 6582) ----> Recovery
//    |  ECN mark (RFC 3168)                                            |
//    +-------------------------> Cwr                                   |
//    |                            |   SND.UNA passes `recover`         |
//    +<---------------------------+------------------------------------+
//    |  retransmission timeout                                         |
//    +-------------------------> Loss  (RFC 5681, F-RTO of RFC 5682) <-+
//
// The window falls to ssthresh by proportional rate reduction (RFC 9937) and is
// put back when the reduction proves uncalled for (Eifel, RFC 4015; D-SACK).
// With BBR the phases are the same, but the window is BBR's throughout (bbr.h).
#ifndef CORELANE_PROTO_TCP_RECOVERY_H_
#define CORELANE_PROTO_TCP_RECOVERY_H_

#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/options.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// What a segment's ACK field and options say to the sender.
struct Acknowledgment {
  SeqNum ack;              // SND.UNA <= ack <= SND.NXT
  SeqNum carried;          // SEG.ACK, which may lie before SND.UNA
  bool duplicate = false;  // by RFC 5681's definition
  bool ece = false;
  const Options* options = nullptr;  // never null
};

// Bytes believed to be in the network: RFC 6675's pipe.
inline uint32_t Pipe(const ControlBlock& cb, const SendState& tx) {
  const uint32_t flight = cb.snd_nxt - cb.snd_una;
  const uint32_t out = tx.sacked_bytes + tx.lost_bytes;
  return flight > out ? flight - out : 0;
}

// A new, zeroed send state for the connection, which has nothing in flight.
void InitSendState(const ControlBlock& cb, SendState& tx);

// RFC 6928's, or what the configuration says.
uint32_t InitialWindow(const ControlBlock& cb, const Config& config);

// When the handshake is complete and cb.mss is known (RFC 6928, 5681 3.1).
void StartCongestion(ControlBlock& cb, const Config& config);

// Takes in an acknowledgment: advances SND.UNA, updates scoreboard, round-trip
// time, timers, phase and window.
void OnAcknowledgment(ControlBlock& cb, SendState& tx, const Acknowledgment& a,
                      const Context& ctx);

// The retransmission timer went off (RFC 6298 (5.4), RFC 5681 (3.1)): all but
// what was sent just now is lost.
void OnTimeout(ControlBlock& cb, SendState& tx, const Context& ctx);

// RACK's reordering timer went off.
void OnReorderTimeout(ControlBlock& cb, SendState& tx, const Context& ctx);

// What is in flight did not get there for reasons that are not congestion (too
// large for the path, or refused by a closed window): all of it is sent again.
void ResendAll(ControlBlock& cb, SendState& tx);

// RFC 5681 section 4.1, to be called before new data.
void RestartAfterIdle(ControlBlock& cb, SendState& tx, const Context& ctx);

// Starts the right one of the retransmission and the probe timer, or stops
// both.
void RearmRetransmit(ControlBlock& cb, SendState& tx, const Context& ctx);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RECOVERY_H_
