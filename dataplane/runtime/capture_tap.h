// A core's tap on its queues, while somebody captures.
#ifndef CORELANE_DATAPLANE_RUNTIME_CAPTURE_TAP_H_
#define CORELANE_DATAPLANE_RUNTIME_CAPTURE_TAP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/runtime/capture_filter.h"
#include "dataplane/runtime/capture_ring.h"
#include "pmd/port.h"
#include "proto/base/time.h"

namespace corelane::runtime {

class CaptureTap {
 public:
  // Bytes of a frame that are kept.
  static constexpr uint32_t kSnapLength = 65535;
  // A client that has shown no sign of life for so long is gone.
  static constexpr Duration kLongestSilence = 5s;

  CaptureTap(const CaptureFilter& filter, void* ring, uint64_t capacity)
      : filter_(filter), ring_(ring, capacity), scratch_(kSnapLength) {}

  // What came in or is about to go out. False: nobody reads any more.
  bool Take(uint16_t port, bool sent,
            std::span<dataplane::Packet* const> burst);
  // The same at a given time of day, for tests.
  bool TakeAt(uint64_t unix_ns, uint16_t port, bool sent,
              std::span<dataplane::Packet* const> burst);

 private:
  bool ClientLives(uint64_t unix_ns);

  CaptureFilter filter_;
  CaptureWriter ring_;
  std::vector<uint8_t> scratch_;  // a chain in one piece
  uint64_t pulse_ = 0;
  uint64_t pulse_at_ = 0;  // 0: not looked yet
};

// A queue with a tap that is usually not there: one branch per burst.
class TappedQueue {
 public:
  TappedQueue(pmd::Port* port, uint16_t queue)
      : port_id_(port->id()), queue_(port, queue) {}

  uint16_t RxBurst(dataplane::Packet** packets, uint16_t n) {
    const uint16_t got = queue_.RxBurst(packets, n);
    if (tap_ != nullptr && got > 0) [[unlikely]] {
      if (!tap_->Take(port_id_, false, {packets, got})) tap_ = nullptr;
    }
    return got;
  }
  uint16_t TxBurst(dataplane::Packet** packets, uint16_t n) {
    if (tap_ == nullptr) [[likely]] {
      return queue_.TxBurst(packets, n);
    }
    return TxTapped(packets, n);
  }

  // nullptr takes it off. On the core's own thread.
  void SetTap(CaptureTap* tap) {
    tap_ = tap;
    seen_ = 0;
  }

 private:
  uint16_t TxTapped(dataplane::Packet** packets, uint16_t n);

  uint16_t port_id_;
  // Frames at the front that were seen, but which the device did not take yet.
  uint16_t seen_ = 0;
  CaptureTap* tap_ = nullptr;
  pmd::PortQueue queue_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_CAPTURE_TAP_H_
