#include "dataplane/load/udp_load.h"

#include <algorithm>
#include <cstring>

namespace corelane::dataplane {

UdpLoad::UdpLoad(const UdpLoadConfig& config)
    : DatagramLoad(config.load, config.sockets, ~uint64_t{0}, Outcome::kLost),
      payload_(std::max(config.size, kMinSize)) {
  for (size_t i = 0; i < payload_.size(); ++i) {
    payload_[i] = static_cast<uint8_t>(' ' + 1 + i % 94);
  }
}

ByteView UdpLoad::Compose(uint64_t serial) {
  std::memcpy(payload_.data(), &serial, sizeof(serial));
  return payload_;
}

std::optional<uint64_t> UdpLoad::SerialOf(const Datagram& answer) const {
  if (answer.payload.size() < kMinSize) return std::nullopt;
  uint64_t serial = 0;
  std::memcpy(&serial, answer.payload.data(), sizeof(serial));
  return serial;
}

bool UdpLoad::IsRight(uint64_t /*serial*/, const Datagram& answer) const {
  return answer.payload.size() == payload_.size() &&
         std::memcmp(answer.payload.data() + kMinSize,
                     payload_.data() + kMinSize,
                     payload_.size() - kMinSize) == 0;
}

}  // namespace corelane::dataplane
