// Whether the host's own kernel has an address that is meant to be ours.
#ifndef CORELANE_DATAPLANE_RUNTIME_HOST_ADDRESSES_H_
#define CORELANE_DATAPLANE_RUNTIME_HOST_ADDRESSES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/runtime/options.h"

namespace corelane::runtime {

struct HostAddress {
  std::string interface;
  Ipv4Address address;
};

// The kernel's, in this network namespace.
std::vector<HostAddress> ListHostAddresses();

// The kernel keeps packets for its own addresses to itself, so that a stack
// behind one of its interfaces would never see one. No ARP probe finds this
// out: the frames go out of the interface, not up into the kernel.
absl::Status CheckAgainstHost(const RuntimeOptions& options,
                              const std::vector<HostAddress>& host);

inline absl::Status CheckHostAddresses(const RuntimeOptions& options) {
  return CheckAgainstHost(options, ListHostAddresses());
}

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_HOST_ADDRESSES_H_
