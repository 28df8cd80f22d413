#include "dataplane/runtime/host_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "absl/strings/str_cat.h"

namespace corelane::runtime {
namespace {

bool BehindHostInterface(const pmd::DeviceSpec& device) {
  switch (device.kind) {
    case pmd::DeviceKind::kTap:
    case pmd::DeviceKind::kAfPacket:
    case pmd::DeviceKind::kAfXdp:
      return true;
    case pmd::DeviceKind::kPcap:
      return !device.interface.empty();
    default:
      return false;
  }
}

}  // namespace

std::vector<HostAddress> ListHostAddresses() {
  std::vector<HostAddress> result;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return result;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET) continue;
    const auto* in = reinterpret_cast<const sockaddr_in*>(i->ifa_addr);
    result.push_back({i->ifa_name, Ipv4Address(ntohl(in->sin_addr.s_addr))});
  }
  freeifaddrs(list);
  return result;
}

absl::Status CheckAgainstHost(const RuntimeOptions& options,
                              const std::vector<HostAddress>& host) {
  for (const DeviceAddress& ours : options.addresses) {
    if (!BehindHostInterface(options.devices[ours.device])) continue;
    for (const HostAddress& theirs : host) {
      if (theirs.address != ours.prefix.address) continue;
      return absl::AlreadyExistsError(
          absl::StrCat("--addr ", ToString(ours.prefix),
                       ": this host's interface ", theirs.interface,
                       " has that address; give another of the same "
                       "network, or remove it there: ip addr del ",
                       ToString(ours.prefix), " dev ", theirs.interface));
    }
  }
  return absl::OkStatus();
}

}  // namespace corelane::runtime
