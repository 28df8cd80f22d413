// Asks over UDP and wants the same bytes back.
#ifndef CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_
#define CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/load/datagram_load.h"

namespace corelane::dataplane {

struct UdpLoadConfig {
  LoadConfig load;
  uint32_t size = 64;    // of a datagram's payload, at least kMinSize
  uint32_t sockets = 1;  // source ports
};

class UdpLoad final : public DatagramLoad {
 public:
  static constexpr uint32_t kMinSize = 8;  // a serial number is in it

  explicit UdpLoad(const UdpLoadConfig& config);

 private:
  ByteView Compose(uint64_t serial) override;
  std::optional<uint64_t> SerialOf(const Datagram& answer) const override;
  bool IsRight(uint64_t serial, const Datagram& answer) const override;

  std::vector<uint8_t> payload_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_UDP_LOAD_H_
