// What a server is started with, after the command line has been understood.
#ifndef CORELANE_DATAPLANE_RUNTIME_OPTIONS_H_
#define CORELANE_DATAPLANE_RUNTIME_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "pmd/device_spec.h"
#include "pmd/huge_pages.h"
#include "pmd/idle_mode.h"
#include "proto/base/address.h"
#include "proto/base/time.h"
#include "proto/tcp/config.h"

namespace corelane::runtime {

// One --addr: an address of ours and the device that has it.
struct DeviceAddress {
  Ipv4Prefix prefix;
  uint16_t device = 0;  // index into RuntimeOptions::devices
  uint16_t vlan = dataplane::kNoVlan;

  bool SameLink(const DeviceAddress& other) const {
    return device == other.device && vlan == other.vlan;
  }
};

// What may follow the @ of an address: "1", "vlan3" or "1.vlan3". False if it
// is none of these.
bool ParsePlace(const std::string& text, DeviceAddress& address);
// "1" or "1.vlan3".
std::string PlaceOf(const DeviceAddress& address);

// The VLANs of these addresses, each once, with any of its addresses.
std::vector<DeviceAddress> VlansOf(const std::vector<DeviceAddress>& addresses);

struct RuntimeOptions {
  std::string name = "corelane";  // of the instance
  std::vector<pmd::DeviceSpec> devices;
  std::vector<DeviceAddress> addresses;
  // False for who only sends what he is told to: without an address the stack
  // says nothing of its own.
  bool address_needed = true;
  // Ranges of addresses that are ours besides, see InterfaceConfig.
  std::vector<DeviceAddress> ranges;
  std::vector<dataplane::StaticRoute> routes;
  uint32_t max_connections = 65536;  // on each core
  tcp::Config tcp;
  std::optional<pmd::IdleMode> idle;  // nullopt: what suits the devices
  bool weak_host = false;             // see dataplane::Core
  bool rebalance = false;             // see dataplane::Rebalancer
  uint16_t mtu = 0;                   // 0: the devices' own
  pmd::HugePages huge_pages = pmd::HugePages::kAuto;
  uint32_t memory_mb = 0;  // MiB of packet memory; 0: by the other options
  // The CPUs to stay on, one core of the stack on each; empty: one core, see
  // Runtime::Start.
  std::vector<int> cores;
  std::vector<std::string> raw_eal_args;
  bool verbose = false;  // lets DPDK write to stderr while it starts
  // How long a stop waits for connections to end.
  Duration grace = 3s;
};

// The idle mode these options come to.
pmd::IdleMode IdleModeOf(const RuntimeOptions& options);

// Finds what contradicts itself or makes no sense in a network, before anything
// is started. The message is one line that says what to type instead.
absl::Status CheckOptions(const RuntimeOptions& options);

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_OPTIONS_H_
