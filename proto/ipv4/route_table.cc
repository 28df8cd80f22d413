#include "proto/ipv4/route_table.h"

#include <algorithm>

#include "proto/ipv4/header.h"

namespace corelane::ipv4 {

RouteTable::RouteTable(size_t capacity) : capacity_(capacity) {
  routes_.reserve(capacity);
}

RouteStatus RouteTable::AddConnected(const Ipv4Prefix& address, uint16_t port,
                                     uint16_t mtu) {
  if (address.length > 32) return RouteStatus::kBadPrefix;
  const Ipv4Address own = address.address;
  if (!own.IsUnicastHost() || own == address.DirectedBroadcast() ||
      (address.length < 31 && own == address.Network())) {
    return RouteStatus::kBadAddress;
  }
  if (mtu < kMinMtu) return RouteStatus::kBadMtu;
  return Insert({.prefix = {address.Network(), address.length},
                 .gateway = Ipv4Address(),
                 .port = port,
                 .mtu = mtu,
                 .source = own});
}

RouteStatus RouteTable::AddStatic(const Ipv4Prefix& prefix,
                                  Ipv4Address gateway) {
  if (prefix.length > 32) return RouteStatus::kBadPrefix;
  if (!gateway.IsUnicastHost()) return RouteStatus::kBadAddress;
  const RouteEntry* link = FindConnected(gateway);
  if (link == nullptr) return RouteStatus::kGatewayUnreachable;
  if (link->source == gateway) return RouteStatus::kGatewayIsOurs;
  if (link->prefix.DirectedBroadcast() == gateway) {
    return RouteStatus::kBadAddress;
  }
  return Insert({.prefix = {prefix.Network(), prefix.length},
                 .gateway = gateway,
                 .port = link->port,
                 .mtu = link->mtu,
                 .source = link->source});
}

RouteStatus RouteTable::Insert(const RouteEntry& entry) {
  for (const RouteEntry& r : routes_) {
    if (r.prefix == entry.prefix) return RouteStatus::kDuplicate;
  }
  if (routes_.size() >= capacity_) return RouteStatus::kTableFull;
  const auto place =
      std::find_if(routes_.begin(), routes_.end(), [&](const RouteEntry& r) {
        return r.prefix.length < entry.prefix.length;
      });
  routes_.insert(place, entry);
  return RouteStatus::kOk;
}

RouteStatus RouteTable::Remove(const Ipv4Prefix& prefix) {
  if (prefix.length > 32) return RouteStatus::kBadPrefix;
  const Ipv4Prefix network{prefix.Network(), prefix.length};
  const auto found =
      std::find_if(routes_.begin(), routes_.end(),
                   [&](const RouteEntry& r) { return r.prefix == network; });
  if (found == routes_.end()) return RouteStatus::kNotFound;
  if (found->connected()) {
    for (const RouteEntry& r : routes_) {
      if (!r.connected() && FindConnected(r.gateway) == &*found) {
        return RouteStatus::kInUse;
      }
    }
  }
  routes_.erase(found);
  return RouteStatus::kOk;
}

const RouteEntry* RouteTable::FindConnected(Ipv4Address address) const {
  for (const RouteEntry& r : routes_) {
    if (r.connected() && r.prefix.Contains(address)) return &r;
  }
  return nullptr;
}

std::optional<NextHop> RouteTable::Lookup(Ipv4Address destination) const {
  for (const RouteEntry& r : routes_) {
    if (r.prefix.Contains(destination)) {
      return NextHop{.address = r.connected() ? destination : r.gateway,
                     .port = r.port,
                     .mtu = r.mtu,
                     .source = r.source};
    }
  }
  return std::nullopt;
}

}  // namespace corelane::ipv4
