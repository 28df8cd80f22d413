#include "proto/ipv4/route_table.h"

#include <algorithm>

#include "proto/ipv4/header.h"

namespace corelane::ipv4 {

RouteTable::RouteTable(size_t capacity, const FlowHashKey& key)
    : capacity_(capacity), key_(key) {
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
  if (!PortHas(port, own)) own_.push_back({own, port});
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
    if (r.prefix != entry.prefix) continue;
    if (r.connected() || entry.connected() || r.gateway == entry.gateway) {
      return RouteStatus::kDuplicate;
    }
  }
  if (routes_.size() >= capacity_) return RouteStatus::kTableFull;
  const auto place =
      std::find_if(routes_.begin(), routes_.end(), [&](const RouteEntry& r) {
        return r.prefix.length < entry.prefix.length;
      });
  // Equal ones stay together.
  const auto equal = std::find_if(
      routes_.begin(), place,
      [&](const RouteEntry& r) { return r.prefix == entry.prefix; });
  routes_.insert(equal == place ? place : equal + equal->ways, entry);
  CountWays();
  return RouteStatus::kOk;
}

// Backwards: each is one more than what follows it.
void RouteTable::CountWays() {
  dead_ = 0;
  for (size_t i = routes_.size(); i-- > 0;) {
    RouteEntry& r = routes_[i];
    const bool more =
        i + 1 < routes_.size() && routes_[i + 1].prefix == r.prefix;
    r.ways = static_cast<uint16_t>(more ? routes_[i + 1].ways + 1 : 1);
    dead_ += r.dead ? 1 : 0;
  }
}

RouteStatus RouteTable::Remove(const Ipv4Prefix& prefix, Ipv4Address gateway) {
  if (prefix.length > 32) return RouteStatus::kBadPrefix;
  const Ipv4Prefix network{prefix.Network(), prefix.length};
  auto meant = [&](const RouteEntry& r) {
    return r.prefix == network && (gateway.IsAny() || r.gateway == gateway);
  };
  const auto found = std::find_if(routes_.begin(), routes_.end(), meant);
  if (found == routes_.end()) return RouteStatus::kNotFound;
  if (found->connected()) {
    for (const RouteEntry& r : routes_) {
      if (!r.connected() && FindConnected(r.gateway) == &*found) {
        return RouteStatus::kInUse;
      }
    }
  }
  std::erase_if(routes_, meant);
  CountWays();
  return RouteStatus::kOk;
}

const RouteEntry* RouteTable::FindConnected(Ipv4Address address) const {
  for (const RouteEntry& r : routes_) {
    if (r.connected() && r.prefix.Contains(address)) return &r;
  }
  return nullptr;
}

std::optional<NextHop> RouteTable::Lookup(const Flow& flow) const {
  for (const RouteEntry& r : routes_) {
    if (!r.prefix.Contains(flow.destination)) continue;
    const RouteEntry& way = r.ways == 1 ? r : Choose(r, flow);
    return NextHop{.address = way.connected() ? flow.destination : way.gateway,
                   .port = way.port,
                   .mtu = way.mtu,
                   .source = way.source};
  }
  return std::nullopt;
}

bool RouteTable::HasOneWay(Ipv4Address destination) const {
  for (const RouteEntry& r : routes_) {
    if (r.prefix.Contains(destination)) return r.ways == 1;
  }
  return false;
}

bool RouteTable::PortHas(uint16_t port, Ipv4Address address) const {
  return std::any_of(own_.begin(), own_.end(), [&](const OwnAddress& own) {
    return own.port == port && own.address == address;
  });
}

const RouteEntry& RouteTable::Choose(const RouteEntry& first,
                                     const Flow& flow) const {
  const std::span<const RouteEntry> ways(&first, first.ways);
  const uint64_t hash = FlowHash(
      key_, uint64_t{flow.source.value()} << 32 | flow.destination.value(),
      (uint32_t{flow.source_port} << 16 | flow.destination_port) ^
          uint32_t{flow.protocol} << 8);
  const RouteEntry* best = nullptr;
  // To be alive counts more than the right port, and that more than the hash.
  int best_rank = -1;
  uint64_t best_score = 0;
  for (const RouteEntry& way : ways) {
    const bool right_port =
        !flow.source.IsAny() && PortHas(way.port, flow.source);
    const int rank = (way.dead ? 0 : 2) + (right_port ? 1 : 0);
    const uint64_t score = FlowHash(key_, hash, way.gateway.value());
    if (rank < best_rank || (rank == best_rank && score <= best_score)) {
      continue;
    }
    best = &way;
    best_rank = rank;
    best_score = score;
  }
  return best == nullptr ? first : *best;
}

void RouteTable::NoteGateway(uint16_t port, Ipv4Address gateway, bool dead) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    RouteEntry& r = routes_[i];
    if (r.gateway != gateway || r.port != port || r.connected()) continue;
    const bool alone =
        r.ways == 1 && (i == 0 || routes_[i - 1].prefix != r.prefix);
    r.dead = dead && !alone;
  }
  CountWays();
}

const RouteEntry* RouteTable::NextDead(size_t& from) const {
  while (from < routes_.size()) {
    const RouteEntry& r = routes_[from++];
    if (r.dead) return &r;
  }
  return nullptr;
}

void RouteTable::TakeOverDead(const RouteTable& old) {
  for (const RouteEntry& r : old.routes_) {
    if (r.dead) NoteGateway(r.port, r.gateway, true);
  }
}

}  // namespace corelane::ipv4
