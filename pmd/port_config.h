// What we want of a port, and what we got.
#ifndef CORELANE_PMD_PORT_CONFIG_H_
#define CORELANE_PMD_PORT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pmd/offloads.h"
#include "pmd/rss.h"
#include "proto/base/address.h"

namespace corelane::pmd {

struct PortOptions {
  // Receive and transmit queues, one pair per core. A device that has fewer
  // gives what it has: see PortCaps::queues.
  uint16_t queues = 1;
  // Adjusted to what the device takes. Count on a driver holding rx_descriptors
  // packets of its pool per queue.
  uint16_t rx_descriptors = 1024;
  uint16_t tx_descriptors = 1024;
  uint16_t mtu = 0;           // bytes of IP packet; 0: the device's own
  bool rx_interrupt = false;  // wanted, for the adaptive idle mode
  bool promiscuous = false;
  std::vector<uint8_t> rss_key;  // empty: the driver's; see RandomRssKey
};

struct PortCaps {
  uint16_t port_id = 0;
  std::string name;    // the EAL's, "net_tap0"
  std::string label;   // what a user knows it by: its interface, socket, ...
  std::string driver;  // "net_tap"
  int numa_node = -1;
  uint16_t queues = 1;  // of each direction, at most PortOptions::queues
  uint16_t rx_descriptors = 0;
  uint16_t tx_descriptors = 0;
  uint16_t mtu = 1500;
  uint16_t max_mtu = 1500;
  MacAddress mac;  // the stack's own on this link
  bool promiscuous = false;
  bool rx_interrupt = false;  // a sleeping core wakes on a packet
  Offloads offloads;
  // If it cuts large segments: the payload of a piece, at most, and the buffers
  // that one may consist of.
  uint16_t tso_piece = 0;
  uint16_t tso_buffers = 0;
  RssMap rss;
  // Why `rss` is empty although there are several cores: "the device has no
  // RSS". Empty if it is not.
  std::string no_rss;
};

// One line: "port 0 net_tap0 cl0 02:..: rx cksum ip,tcp,udp; ...".
std::string ToString(const PortCaps& caps);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_PORT_CONFIG_H_
