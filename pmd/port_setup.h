// The steps that turn a device the EAL found into a started port. For Port.
#ifndef CORELANE_PMD_PORT_SETUP_H_
#define CORELANE_PMD_PORT_SETUP_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pmd/device_spec.h"
#include "pmd/packet_mempool.h"
#include "pmd/port_config.h"

namespace corelane::pmd {

// DPDK's number of the device; NotFound if the EAL did not make it.
absl::StatusOr<uint16_t> FindPort(const DeviceSpec& spec);

// Configures and starts port caps.port_id, and fills in the rest of `caps`.
// InvalidArgument leaves the device as it was; any other failure closes it.
absl::Status SetUpPort(const DeviceSpec& spec, const PortOptions& options,
                       std::span<PacketMempool* const> pools, PortCaps& caps);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_PORT_SETUP_H_
