// The bottom: Ethernet II frames into a device's transmit queue.
#ifndef CORELANE_DATAPLANE_PIPELINE_LINK_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_LINK_LAYER_H_

#include <cstdint>

#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/interface.h"
#include "proto/ethernet/header.h"

namespace corelane::dataplane {

// Queues a complete frame, or drops it when the queue is full. Takes ownership.
inline void QueueFrame(Core& core, Interface& interface, Packet* packet) {
  if (!interface.tx().Push(packet)) [[unlikely]] {
    ++core.counters.tx_dropped_full;
    core.pool.Free(packet);
    return;
  }
  ++core.counters.tx_packets;
  core.counters.tx_bytes += packet->pkt_len;
}

class LinkLayer {
 public:
  explicit LinkLayer(Core* core) : core_(*core) {}

  // Puts an Ethernet header in front of the packet's data and queues the frame;
  // drops it when the queue is full. Takes ownership.
  void Send(Interface& interface, const MacAddress& destination,
            uint16_t ether_type, Packet* packet) {
    const ethernet::Header header{.destination = destination,
                                  .source = interface.config.mac,
                                  .ether_type = ether_type,
                                  .vlan = interface.config.vlan};
    const uint16_t length =
        header.vlan == kNoVlan ? ethernet::kHeaderLength
                               : ethernet::kHeaderLength + ethernet::kTagLength;
    ethernet::Write(Prepend(packet, length), header);
    packet->l2_len = length;
    QueueFrame(core_, interface, packet);
  }

 private:
  Core& core_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_LINK_LAYER_H_
