// Where a datagram goes next: connected networks and static routes.
#ifndef CORELANE_PROTO_IPV4_ROUTE_TABLE_H_
#define CORELANE_PROTO_IPV4_ROUTE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/base/address.h"

namespace corelane::ipv4 {

// What a destination's datagrams need to know.
struct NextHop {
  Ipv4Address address;  // the destination itself when it is on the link
  uint16_t port = 0;    // index of the port to send from
  uint16_t mtu = 0;     // of that port's link
  Ipv4Address source;   // what we call ourselves there
};

// A route as it was added; for display.
struct RouteEntry {
  Ipv4Prefix prefix;    // without host bits
  Ipv4Address gateway;  // 0.0.0.0: the network is on the link
  uint16_t port = 0;
  uint16_t mtu = 0;
  Ipv4Address source;

  bool connected() const { return gateway.IsAny(); }
};

enum class RouteStatus : uint8_t {
  kOk,
  kTableFull,
  kDuplicate,           // there is a route with just this prefix
  kBadPrefix,           // longer than 32 bits
  kBadAddress,          // our address or the gateway is no host's address
  kBadMtu,              // below 68 (RFC 791)
  kGatewayUnreachable,  // on no connected network
  kGatewayIsOurs,       // the gateway is our own address
  kNotFound,
  kInUse,  // a gateway is reached through it
};

// A table of a bounded number of routes, longest prefix first. Looking up
// neither allocates nor changes anything.
class RouteTable {
 public:
  explicit RouteTable(size_t capacity);

  // Adds the network that our address `address` (with its prefix length) is
  // on, behind `port`.
  RouteStatus AddConnected(const Ipv4Prefix& address, uint16_t port,
                           uint16_t mtu);
  // Adds a route through a gateway that is on a connected network, whose port,
  // MTU and own address it takes over. `prefix` may have host bits set.
  RouteStatus AddStatic(const Ipv4Prefix& prefix, Ipv4Address gateway);
  // Removes the route with this prefix. Refused while other routes' gateways
  // are on it: they would dangle.
  RouteStatus Remove(const Ipv4Prefix& prefix);

  // The route with the longest matching prefix; none: the destination is
  // unreachable.
  std::optional<NextHop> Lookup(Ipv4Address destination) const;

  size_t capacity() const { return capacity_; }

  // All routes, longest prefix first; valid until the table is changed.
  std::span<const RouteEntry> routes() const { return routes_; }

 private:
  const RouteEntry* FindConnected(Ipv4Address address) const;
  RouteStatus Insert(const RouteEntry& entry);

  size_t capacity_;
  std::vector<RouteEntry> routes_;  // by falling prefix length
};

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_ROUTE_TABLE_H_
