// The receive window that we offer (RFC 9293 section 3.8.6.2.2).
#ifndef CORELANE_PROTO_TCP_WINDOW_H_
#define CORELANE_PROTO_TCP_WINDOW_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"
#include "proto/tcp/receive_tuning.h"

namespace corelane::tcp {

// What a header's window field can say of `space`.
inline uint32_t OfferableSpace(const ControlBlock& cb, uint32_t space) {
  const uint8_t scale = cb.rcv_wscale();
  return std::min<uint32_t>(space >> scale, 0xffff) << scale;
}

// Whether offering `space` bytes would move the right edge far enough to be
// worth telling (silly window avoidance): by a segment or half the buffer.
inline bool WindowWorthTelling(const ControlBlock& cb, uint32_t space,
                               const Config& config) {
  const SeqNum edge = cb.rcv_nxt + OfferableSpace(cb, space);
  if (edge <= cb.rcv_edge) return false;
  const uint32_t step = std::min<uint32_t>(ReceiveLimit(cb, config) / 2,
                                           std::max<uint32_t>(cb.rcv_mss, 536));
  return edge - cb.rcv_edge >= step;
}

// Moves rcv_edge to what is now offered and returns the header's field. The
// edge never moves back: what was offered once stays accepted.
inline uint16_t OfferWindow(ControlBlock& cb, uint32_t space,
                            const Config& config) {
  if (WindowWorthTelling(cb, space, config)) {
    cb.rcv_edge = cb.rcv_nxt + OfferableSpace(cb, space);
  }
  const uint32_t window = cb.ReceiveWindow();
  const uint8_t scale = cb.rcv_wscale();
  // Rounding down takes back up to 2^scale - 1 bytes of an earlier offer, so
  // rather round up; but not into space that is not there, or a peer that sends
  // single bytes moves the edge on with each of them and fills any memory.
  uint32_t field = (window + (1u << scale) - 1) >> scale;
  if (field << scale > std::max(window, space)) field = window >> scale;
  field = std::min<uint32_t>(field, 0xffff);
  cb.rcv_edge = SeqMax(cb.rcv_edge, cb.rcv_nxt + (field << scale));
  return static_cast<uint16_t>(field);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_WINDOW_H_
