// Which core owns a flow: the same answer on every core, and the one that a
// device with RSS gives.
#ifndef CORELANE_DATAPLANE_FLOW_FLOW_MAP_H_
#define CORELANE_DATAPLANE_FLOW_FLOW_MAP_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "proto/base/toeplitz.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

class FlowMap {
 public:
  // `key` is the RSS key, `core_of` what is behind each entry of the
  // redirection table, indexed by hash % size.
  FlowMap(ByteView key, std::vector<uint16_t> core_of)
      : toeplitz_(key), core_of_(std::move(core_of)) {}

  // As seen from us: the remote side is the source of what arrives.
  uint16_t OwnerOf(const tcp::FlowKey& key) const {
    return CoreOf(toeplitz_.Hash(key.remote_address, key.local_address,
                                 key.remote_port, key.local_port));
  }
  // Fragments have no ports; all of a datagram meet on one core.
  uint16_t OwnerOfFragment(uint32_t source, uint32_t destination,
                           uint16_t id) const {
    return CoreOf(toeplitz_.Hash(source, destination, id, 0));
  }

  // ---- For choosing a local port: OwnerOf(key) is
  // OwnerAt(BaseOf(key), key.local_port), without hashing the rest again.
  uint32_t BaseOf(tcp::FlowKey key) const {
    return toeplitz_.Hash(key.remote_address, key.local_address,
                          key.remote_port, 0);
  }
  uint16_t OwnerAt(uint32_t base, uint16_t local_port) const {
    return CoreOf(base ^ toeplitz_.OfDestinationPort(local_port));
  }

 private:
  uint16_t CoreOf(uint32_t hash) const {
    return core_of_[hash % static_cast<uint32_t>(core_of_.size())];
  }

  Toeplitz toeplitz_;
  std::vector<uint16_t> core_of_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_FLOW_MAP_H_
