// Where a datagram goes next: connected networks and static routes.
#ifndef CORELANE_PROTO_IPV4_ROUTE_TABLE_H_
#define CORELANE_PROTO_IPV4_ROUTE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/base/address.h"
#include "proto/base/hash.h"

namespace corelane::ipv4 {

// What a destination's datagrams need to know.
struct NextHop {
  Ipv4Address address;  // the destination itself when it is on the link
  uint16_t port = 0;    // index of the port to send from
  uint16_t mtu = 0;     // of that port's link
  Ipv4Address source;   // what we call ourselves there
};

// Whose packets are to be routed. All of a flow's take the same of several
// equal ways, as long as all that is known of it is given each time.
struct Flow {
  Ipv4Address destination;
  Ipv4Address source;    // 0.0.0.0: not chosen yet
  uint16_t source_port;  // 0, like the next: a protocol without, or a fragment
  uint16_t destination_port;
  uint8_t protocol;
};

// A route as it was added, and how it is doing.
struct RouteEntry {
  Ipv4Prefix prefix;    // without host bits
  Ipv4Address gateway;  // 0.0.0.0: the network is on the link
  uint16_t port = 0;
  uint16_t mtu = 0;
  Ipv4Address source;
  // Routes with this prefix, from this one on: equal ways, next to each other.
  uint16_t ways = 1;
  bool dead = false;  // the gateway does not answer

  bool connected() const { return gateway.IsAny(); }
};

enum class RouteStatus : uint8_t {
  kOk,
  kTableFull,
  kDuplicate,           // there is this route, or the network is on the link
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
//
// Routes with one prefix through several gateways are equal ways (ECMP). A flow
// goes by a port that has its source address, if there is one; among those by
// that with the highest hash of flow and gateway, so that when a way comes or
// goes only the flows that gain or lose by it move (RFC 2992).
class RouteTable {
 public:
  // Nobody who does not know the key can choose flows that meet on one way.
  explicit RouteTable(size_t capacity, const FlowHashKey& key = kAnyKey);

  // Adds the network that our address `address` (with its prefix length) is
  // on, behind `port`.
  RouteStatus AddConnected(const Ipv4Prefix& address, uint16_t port,
                           uint16_t mtu);
  // Adds a route through a gateway that is on a connected network, whose port,
  // MTU and own address it takes over. `prefix` may have host bits set.
  RouteStatus AddStatic(const Ipv4Prefix& prefix, Ipv4Address gateway);
  // Removes all routes with this prefix, or the one through `gateway`. Refused
  // while other routes' gateways are on it: they would dangle.
  RouteStatus Remove(const Ipv4Prefix& prefix,
                     Ipv4Address gateway = Ipv4Address());

  // By the route with the longest matching prefix; none: the destination is
  // unreachable.
  std::optional<NextHop> Lookup(const Flow& flow) const;
  std::optional<NextHop> Lookup(Ipv4Address destination) const {
    return Lookup(Flow{destination, Ipv4Address(), 0, 0, 0});
  }

  // Whether all flows to the destination go the same way.
  bool HasOneWay(Ipv4Address destination) const;

  // A gateway stopped answering, or was heard of. Dead ones among equal ways
  // are avoided while one is alive.
  void NoteGateway(uint16_t port, Ipv4Address gateway, bool dead);
  // A dead gateway out of several equal ways, to be asked for again: the next
  // one from index `from` on, which is set behind it; nullptr if there is none.
  const RouteEntry* NextDead(size_t& from) const;
  bool any_dead() const { return dead_ > 0; }
  // What `old` knew of those gateways that are in this table as well.
  void TakeOverDead(const RouteTable& old);

  size_t capacity() const { return capacity_; }

  // All routes, longest prefix first; valid until the table is changed.
  std::span<const RouteEntry> routes() const { return routes_; }

 private:
  static constexpr FlowHashKey kAnyKey = {0x9e3779b97f4a7c15,
                                          0xd1b54a32d192ed03};
  struct OwnAddress {
    Ipv4Address address;
    uint16_t port;
  };

  const RouteEntry* FindConnected(Ipv4Address address) const;
  RouteStatus Insert(const RouteEntry& entry);
  void CountWays();
  bool PortHas(uint16_t port, Ipv4Address address) const;
  const RouteEntry& Choose(const RouteEntry& first, const Flow& flow) const;

  size_t capacity_;
  FlowHashKey key_;
  size_t dead_ = 0;
  std::vector<OwnAddress> own_;
  std::vector<RouteEntry> routes_;  // by falling prefix length
};

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_ROUTE_TABLE_H_
