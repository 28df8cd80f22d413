// The receive window that we offer (RFC 9293 section 3.8.6.2.2).
#ifndef CORELANE_PROTO_TCP_WINDOW_H_
#define CORELANE_PROTO_TCP_WINDOW_H_

#include <algorithm>
#include <cstdint>

#include "proto/tcp/config.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

// Whether offering `space` bytes would move the right edge far enough to be
// worth telling (silly window avoidance): by a segment or half the buffer.
inline bool WindowWorthTelling(const ControlBlock& cb, uint32_t space,
                               const Config& config) {
  const SeqNum edge = cb.rcv_nxt + space;
  if (edge <= cb.rcv_edge) return false;
  const uint32_t step = std::min<uint32_t>(config.receive_buffer / 2,
                                           std::max<uint32_t>(cb.rcv_mss, 536));
  return edge - cb.rcv_edge >= step;
}

// Moves rcv_edge to what is now offered and returns the header's field. The
// edge never moves back: what was offered once stays accepted.
inline uint16_t OfferWindow(ControlBlock& cb, uint32_t space,
                            const Config& config) {
  if (WindowWorthTelling(cb, space, config)) {
    cb.rcv_edge = cb.rcv_nxt + space;
  }
  const uint32_t window = cb.ReceiveWindow();
  const uint8_t scale = cb.rcv_wscale();
  // Rounding down would take back up to 2^scale - 1 bytes of an earlier offer.
  uint32_t field = (window + (1u << scale) - 1) >> scale;
  field = std::min<uint32_t>(field, 0xffff);
  cb.rcv_edge = SeqMax(cb.rcv_edge, cb.rcv_nxt + (field << scale));
  return static_cast<uint16_t>(field);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_WINDOW_H_
