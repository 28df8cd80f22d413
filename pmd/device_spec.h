// Short device names, as a user types them after --dev, and what they mean to
// the EAL: "tap", "tap,iface=cl7", "memif,socket=/run/a,role=server",
// "pci,0000:01:00.0".
#ifndef CORELANE_PMD_DEVICE_SPEC_H_
#define CORELANE_PMD_DEVICE_SPEC_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pmd/idle_mode.h"
#include "proto/base/address.h"

namespace corelane::pmd {

enum class DeviceKind : uint8_t {
  kTap,
  kNull,
  kRing,
  kMemif,
  kAfPacket,
  kAfXdp,
  kVhost,
  kVirtioUser,
  kPcap,
  kPci,
};

// One --dev, parsed. Plain data; nothing of it has touched the system yet.
struct DeviceSpec {
  DeviceKind kind = DeviceKind::kNull;
  std::string text;       // as it was typed, for messages
  std::string name;       // the EAL's name: "net_tap0", or a PCI address
  std::string arguments;  // what follows the name, "iface=cl0"; may be empty
  // The kernel's interface: made by tap, borrowed by af_packet, af_xdp and
  // pcap. Empty for the others.
  std::string interface;
  // memif, vhost, virtio_user: the path of the unix socket ("@name" for
  // memif's abstract ones), and whether this side creates it.
  std::string socket;
  bool socket_server = false;
  bool zero_copy = false;  // memif: the peer maps our packet memory
  // The files that pcap reads; empty for the others.
  std::string input_file;
  std::optional<MacAddress> mac;  // nullopt: the device's own
  bool tso = true;           // the device is to cut large segments, if it can
  uint16_t most_queues = 0;  // that we use; 0: as many as there are cores
};

// Everything but pci: needs neither huge pages nor a NIC.
bool IsVirtual(const DeviceSpec& spec);
// Whether its memory is shared by file descriptor, which a peer can map only
// when huge pages are few large files (--single-file-segments).
bool NeedsSingleFileSegments(const DeviceSpec& spec);
// Whether the driver may be able to wake a sleeping core on a packet. The port
// finds out for certain (PortCaps::rx_interrupt).
bool MayHaveRxInterrupt(const DeviceSpec& spec);
// kAdaptive for virtual devices, kSpin for a NIC that is ours alone.
IdleMode DefaultIdleMode(const DeviceSpec& spec);
// "NAME,ARGUMENTS": the value of the EAL's --vdev or -a.
std::string EalDeviceArgument(const DeviceSpec& spec);

// Parses all --dev values of one instance, in order, and gives each an EAL
// name of its own. InvalidArgument names the nearest valid spelling. Touches
// nothing outside its arguments.
absl::StatusOr<std::vector<DeviceSpec>> ParseDevices(
    std::span<const std::string> texts);

// One line per kind of device, with its options: for --help.
std::string DeviceHelp();

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_DEVICE_SPEC_H_
