#include "dataplane/runtime/capture_tap.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace corelane::runtime {
namespace {

using dataplane::Packet;

uint64_t UnixNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

bool CaptureTap::ClientLives(uint64_t unix_ns) {
  const uint64_t pulse = ring_.pulse();
  if (pulse != pulse_ || pulse_at_ == 0) {
    pulse_ = pulse;
    pulse_at_ = unix_ns;
  }
  return unix_ns < pulse_at_ + static_cast<uint64_t>(kLongestSilence.count());
}

bool CaptureTap::Take(uint16_t port, bool sent,
                      std::span<Packet* const> burst) {
  return TakeAt(UnixNow(), port, sent, burst);
}

bool CaptureTap::TakeAt(uint64_t unix_ns, uint16_t port, bool sent,
                        std::span<Packet* const> burst) {
  if (!ClientLives(unix_ns)) return false;
  CaptureRecord record;
  record.unix_ns = unix_ns;
  record.port = port;
  record.sent = sent ? 1 : 0;
  for (const Packet* packet : burst) {
    const uint8_t* bytes = dataplane::DataOf(packet);
    record.length = packet->pkt_len;
    record.captured = std::min<uint32_t>(packet->data_len, kSnapLength);
    if (packet->nb_segs > 1) {
      record.captured = 0;
      for (const Packet* p = packet; p != nullptr; p = p->next) {
        const uint32_t n =
            std::min<uint32_t>(p->data_len, kSnapLength - record.captured);
        std::memcpy(scratch_.data() + record.captured, dataplane::DataOf(p), n);
        record.captured += n;
      }
      bytes = scratch_.data();
    }
    if (filter_.Matches(bytes, record.captured, record.length)) {
      ring_.Write(record, bytes);
    }
  }
  return true;
}

uint16_t TappedQueue::TxTapped(Packet** packets, uint16_t n) {
  // Once the device has them they may be gone.
  if (n > seen_ &&
      !tap_->Take(port_id_, true, {packets + seen_, size_t{n} - seen_})) {
    tap_ = nullptr;
  }
  const uint16_t taken = queue_.TxBurst(packets, n);
  seen_ = static_cast<uint16_t>(n - taken);
  return taken;
}

}  // namespace corelane::runtime
