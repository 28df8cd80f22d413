// How much of the receive buffer is offered: little at first, and more as the
// peer proves to need it (dynamic right-sizing). A connection whose peer sends
// slowly, or whose application does not read, never binds much memory.
#ifndef CORELANE_PROTO_TCP_RECEIVE_TUNING_H_
#define CORELANE_PROTO_TCP_RECEIVE_TUNING_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/context.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

inline constexpr uint32_t kInitialReceiveSpace = 64 * 1024;

// The bytes that may wait for the application, or be under way to us.
inline uint32_t ReceiveLimit(const ControlBlock& cb, const Config& config) {
  if (!config.autotune_receive || cb.receive_space == 0) {
    return config.receive_buffer;
  }
  return std::min(cb.receive_space, config.receive_buffer);
}

// When the handshake is complete.
inline void StartReceiveTuning(ControlBlock& cb, Now now) {
  cb.receive_space = std::max<uint32_t>(kInitialReceiveSpace, 10u * cb.mss);
  cb.measure_from = cb.rcv_nxt;
  cb.measure_us = now.us;
}

// The application has read; `unread` bytes still wait for it. When it took more
// than half of what is offered within a round trip, the offer may be what
// limits the peer, and is doubled. `may_grow`: memory is not short.
inline void TuneReceiveSpace(ControlBlock& cb, uint32_t unread, bool may_grow,
                             const Context& ctx) {
  constexpr uint32_t kUnknownRttUs = 100'000;
  const Config& config = ctx.config;
  if (!config.autotune_receive || cb.receive_space >= config.receive_buffer) {
    return;
  }
  const uint32_t rtt_us =
      cb.srtt_us == 0 ? kUnknownRttUs : std::max<uint32_t>(cb.srtt_us / 8, 1);
  const uint32_t elapsed_us = ctx.now.us - cb.measure_us;
  if (elapsed_us < rtt_us) return;
  const SeqNum read = cb.rcv_nxt - unread;
  const uint32_t got = read > cb.measure_from ? read - cb.measure_from : 0;
  cb.measure_from = read;
  cb.measure_us = ctx.now.us;
  if (!may_grow || got <= cb.receive_space / 2) return;
  // A slow reader's many round trips count as what they are.
  if (uint64_t{got} * rtt_us / elapsed_us <= cb.receive_space / 2) return;
  cb.receive_space = static_cast<uint32_t>(std::min<uint64_t>(
      uint64_t{cb.receive_space} * 2, config.receive_buffer));
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_RECEIVE_TUNING_H_
