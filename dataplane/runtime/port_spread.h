// How the packets of each port get to the cores that own them.
#ifndef CORELANE_DATAPLANE_RUNTIME_PORT_SPREAD_H_
#define CORELANE_DATAPLANE_RUNTIME_PORT_SPREAD_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/flow/flow_map.h"
#include "dataplane/steering/steering.h"
#include "pmd/port_config.h"

namespace corelane::runtime {

struct PortSpread {
  bool by_device = false;
  uint16_t queues = 1;  // the first so many cores have one each
  // "by the device's RSS", or "in software: ..." and why.
  std::string text;
};

struct SpreadPlan {
  std::vector<PortSpread> ports;
  // Of the flow map that all cores share: the key and table of the devices
  // that have RSS, which must be the same, else our own.
  std::vector<uint8_t> key;
  std::vector<uint16_t> core_of;

  dataplane::FlowMap Map() const {
    return dataplane::FlowMap({key.data(), key.size()}, core_of);
  }
  // What core `core` has of each port.
  std::vector<dataplane::PortShare> SharesOf(uint16_t core) const;
};

// `own_key` is the one that devices were given, and what software uses when
// none took it.
SpreadPlan PlanSpread(std::span<const pmd::PortCaps> ports, uint16_t cores,
                      const std::vector<uint8_t>& own_key);

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_PORT_SPREAD_H_
