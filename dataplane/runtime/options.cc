#include "dataplane/runtime/options.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace corelane::runtime {
namespace {

absl::Status Bad(absl::string_view message) {
  return absl::InvalidArgumentError(message);
}

// A host address that this prefix could be written with instead.
std::string Suggestion(const Ipv4Prefix& prefix) {
  Ipv4Prefix host = prefix;
  host.address = Ipv4Address(prefix.Network().value() + 1);
  return ToString(host);
}

absl::Status CheckAddress(const Ipv4Prefix& prefix) {
  const std::string flag = absl::StrCat("--addr ", ToString(prefix), ": ");
  if (prefix.length == 0) {
    return Bad(absl::StrCat(flag,
                            "a prefix length of 0 would put the whole Internet "
                            "on this link; give 1 to 32, such as ",
                            ToString(prefix.address), "/24"));
  }
  if (!prefix.address.IsUnicastHost()) {
    return Bad(absl::StrCat(flag,
                            "no host can have this address (loopback, "
                            "multicast or reserved); give one such as "
                            "10.77.0.2/24"));
  }
  if (prefix.length >= 31) return absl::OkStatus();
  if (prefix.address == prefix.Network()) {
    return Bad(absl::StrCat(flag, "the host part is zero, which names the ",
                            "network itself; give a host such as ",
                            Suggestion(prefix)));
  }
  if (prefix.address == prefix.DirectedBroadcast()) {
    return Bad(absl::StrCat(flag, "this is the broadcast address of the ",
                            "network; give a host such as ",
                            Suggestion(prefix)));
  }
  return absl::OkStatus();
}

// Two devices on one network: which of them leads to a neighbour?
bool Overlap(const Ipv4Prefix& a, const Ipv4Prefix& b) {
  return a.Contains(b.address) || b.Contains(a.address);
}

absl::Status CheckAddresses(const RuntimeOptions& options) {
  if (options.addresses.empty() && options.address_needed) {
    return Bad(
        "no address: give this stack one of its own, such as --addr "
        "10.77.0.2/24");
  }
  for (size_t i = 0; i < options.addresses.size(); ++i) {
    const DeviceAddress& a = options.addresses[i];
    if (absl::Status s = CheckAddress(a.prefix); !s.ok()) return s;
    if (a.device >= options.devices.size()) {
      return Bad(absl::StrCat(
          "--addr ", ToString(a.prefix), "@", PlaceOf(a),
          ": there is no such device; they are numbered from 0 to ",
          options.devices.size() - 1, " in the order of --dev"));
    }
    for (size_t j = 0; j < i; ++j) {
      const DeviceAddress& b = options.addresses[j];
      if (a.prefix.address == b.prefix.address) {
        return Bad(absl::StrCat("--addr ", ToString(a.prefix),
                                ": this address is given twice; leave one "
                                "out"));
      }
      if (!a.SameLink(b) && Overlap(a.prefix, b.prefix)) {
        return Bad(absl::StrCat("--addr ", ToString(a.prefix), "@", PlaceOf(a),
                                ": its network overlaps that of ",
                                ToString(b.prefix), "@", PlaceOf(b),
                                "; give each device and VLAN a network of its "
                                "own"));
      }
    }
  }
  return absl::OkStatus();
}

std::string FlagOf(const dataplane::StaticRoute& route) {
  if (route.destination.length == 0) {
    return absl::StrCat("--gateway ", ToString(route.gateway), ": ");
  }
  return absl::StrCat("--route ", ToString(route.destination), ",",
                      ToString(route.gateway), ": ");
}

absl::Status CheckGateway(const RuntimeOptions& options,
                          const dataplane::StaticRoute& route) {
  for (const DeviceAddress& a : options.addresses) {
    if (a.prefix.address == route.gateway) {
      return Bad(absl::StrCat(FlagOf(route),
                              "the gateway is our own address; give the "
                              "router's"));
    }
  }
  for (const DeviceAddress& a : options.addresses) {
    if (!a.prefix.Contains(route.gateway)) continue;
    if (a.prefix.length < 31 &&
        (route.gateway == a.prefix.Network() ||
         route.gateway == a.prefix.DirectedBroadcast())) {
      return Bad(absl::StrCat(FlagOf(route), "the gateway is no host of ",
                              ToString(a.prefix), "; give the router's ",
                              "address, such as ", Suggestion(a.prefix)));
    }
    return absl::OkStatus();
  }
  if (options.addresses.empty()) {
    return Bad(absl::StrCat(FlagOf(route),
                            "without an --addr nothing goes there; leave it "
                            "out"));
  }
  return Bad(absl::StrCat(
      FlagOf(route), "the gateway is on none of our networks; it must be in ",
      ToString(Ipv4Prefix{options.addresses[0].prefix.Network(),
                          options.addresses[0].prefix.length}),
      options.addresses.size() > 1 ? " or another --addr's network" : ""));
}

absl::Status CheckRoutes(const RuntimeOptions& options) {
  for (size_t i = 0; i < options.routes.size(); ++i) {
    const dataplane::StaticRoute& route = options.routes[i];
    const Ipv4Prefix& to = route.destination;
    if (to.address != to.Network()) {
      return Bad(absl::StrCat(FlagOf(route),
                              "the destination has host bits set; write ",
                              ToString(Ipv4Prefix{to.Network(), to.length}),
                              ",", ToString(route.gateway)));
    }
    if (absl::Status s = CheckGateway(options, route); !s.ok()) return s;
    for (const DeviceAddress& a : options.addresses) {
      if (to.length == a.prefix.length && to.Contains(a.prefix.address)) {
        return Bad(absl::StrCat(FlagOf(route), "this network is on the link ",
                                "already, by --addr ", ToString(a.prefix),
                                "; leave the route out"));
      }
    }
    for (size_t j = 0; j < i; ++j) {
      // Through other gateways they are equal ways.
      if (options.routes[j].destination == to &&
          options.routes[j].gateway == route.gateway) {
        return Bad(absl::StrCat(FlagOf(route), "there is this route to ",
                                ToString(to), " already; leave one out"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

namespace {

// A number as people write it: no sign, no blanks, no leading zeros.
bool ParseSmall(absl::string_view text, uint32_t most, uint16_t& value) {
  uint32_t number = 0;
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0') ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &number) || number > most) {
    return false;
  }
  value = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

bool ParsePlace(const std::string& text, DeviceAddress& address) {
  constexpr absl::string_view kVlan = "vlan";
  constexpr uint32_t kMostVlan = 4094;  // IEEE 802.1Q table 9-2
  absl::string_view device = text;
  const size_t at = device.find(kVlan);
  if (at != absl::string_view::npos) {
    if (!ParseSmall(device.substr(at + kVlan.size()), kMostVlan,
                    address.vlan) ||
        address.vlan == 0 || (at > 0 && device[at - 1] != '.')) {
      return false;
    }
    if (at == 0) return true;
    device = device.substr(0, at - 1);
  }
  return ParseSmall(device, 65534, address.device);
}

std::string PlaceOf(const DeviceAddress& address) {
  return address.vlan == dataplane::kNoVlan
             ? absl::StrCat(address.device)
             : absl::StrCat(address.device, ".vlan", address.vlan);
}

std::vector<DeviceAddress> VlansOf(
    const std::vector<DeviceAddress>& addresses) {
  std::vector<DeviceAddress> vlans;
  for (const DeviceAddress& a : addresses) {
    if (a.vlan == dataplane::kNoVlan ||
        std::any_of(vlans.begin(), vlans.end(),
                    [&](const DeviceAddress& v) { return v.SameLink(a); })) {
      continue;
    }
    vlans.push_back(a);
  }
  return vlans;
}

pmd::IdleMode IdleModeOf(const RuntimeOptions& options) {
  if (options.idle.has_value()) return *options.idle;
  const bool adaptive =
      std::all_of(options.devices.begin(), options.devices.end(),
                  [](const pmd::DeviceSpec& d) {
                    return pmd::DefaultIdleMode(d) == pmd::IdleMode::kAdaptive;
                  });
  return adaptive ? pmd::IdleMode::kAdaptive : pmd::IdleMode::kSpin;
}

absl::Status CheckOptions(const RuntimeOptions& options) {
  if (options.devices.empty()) return Bad("no device: give one with --dev");
  if (absl::Status s = CheckAddresses(options); !s.ok()) return s;
  return CheckRoutes(options);
}

}  // namespace corelane::runtime
