// How much an application may queue.
#ifndef CORELANE_PROTO_TCP_SEND_ROOM_H_
#define CORELANE_PROTO_TCP_SEND_ROOM_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

inline constexpr uint32_t kMaxSendPiece = 64 * 1024;
inline constexpr uint32_t kMinSendPiece = 2 * 1024;

inline uint32_t Queued(const ControlBlock& cb) {
  return cb.snd_queued - cb.snd_una;
}

// Data is queued in pieces, whole segments of up to half the largest window
// that the peer has offered. One may be begun below the mark, and then be
// filled up; what can leave at once is no part of any. So writes of a few
// segments over a small mark keep the window in use, as programs that set
// SO_SNDBUF on Linux are used to. At most two pieces are queued beyond the
// mark.
inline uint32_t RoomInPieces(const ControlBlock& cb, uint32_t mark) {
  const uint32_t most =
      std::clamp(cb.max_window / 2, kMinSendPiece, kMaxSendPiece);
  const uint32_t piece =
      most < cb.mss ? most : most - most % std::max<uint32_t>(cb.mss, 1);
  const uint32_t flight = cb.InFlight();
  const uint32_t window = std::min(cb.cwnd, cb.SendWindow());
  const uint32_t leaving = window > flight ? window - flight : 0;
  const uint32_t queued = Queued(cb);
  const uint32_t unsent = queued > flight ? queued - flight : 0;
  const uint32_t need = queued < mark ? mark - queued : 0;
  auto whole = [piece](uint32_t n) { return (n + piece - 1) / piece * piece; };
  if (unsent > leaving) {
    const uint32_t waiting = unsent - leaving;
    return whole(waiting + need) - waiting;
  }
  const uint32_t at_once = leaving - unsent;
  if (whole(need) <= at_once) return whole(need);
  // Beyond what leaves at once a piece is begun, if only to reach the mark.
  return at_once + std::max(whole(need > at_once ? need - at_once : 0), piece);
}

// What the buffer takes now.
inline uint32_t SendRoom(const ControlBlock& cb, const Config& config) {
  const uint32_t all = config.send_buffer;
  if (config.send_in_pieces) return RoomInPieces(cb, all);
  const uint32_t queued = Queued(cb);
  return queued < all ? all - queued : 0;
}

// Whether it is worth waking a writer who found no room: not for every
// acknowledgment.
inline bool WorthWriting(const ControlBlock& cb, const Config& config) {
  const uint32_t all = config.send_buffer;
  if (config.send_in_pieces) return Queued(cb) <= all / 3 * 2;
  return SendRoom(cb, config) >= all / 4;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEND_ROOM_H_
