// One core's IPv4: what arrives is validated, reassembled and handed up; what
// leaves is routed, given a header and handed down to the link.
#ifndef CORELANE_DATAPLANE_PIPELINE_IPV4_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_IPV4_LAYER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/flow/moved_connection.h"
#include "dataplane/packet/packet.h"
#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/pipeline/way.h"
#include "proto/ipv4/header.h"
#include "proto/ipv4/identification.h"
#include "proto/ipv4/reassembly.h"
#include "proto/ipv4/route_table.h"

namespace corelane::dataplane {

class ArpLayer;
class IcmpLayer;
class TcpLayer;
class UdpLayer;

// What stands in an IPv4 header to be sent.
struct OutputSpec {
  Ipv4Address source;
  Ipv4Address destination;
  uint8_t protocol = 0;
  uint8_t tos = 0;
  uint8_t ttl = ipv4::kDefaultTtl;
  bool dont_fragment = false;
  uint16_t l4_header_length = 0;  // for devices that fill in checksums
  uint16_t piece = 0;  // not 0: the device cuts it into pieces of this size
};

// A received IPv4 packet on its way up. The packet's data starts at the IP
// header and ends with the datagram.
struct Ipv4Packet {
  Packet* packet = nullptr;
  ipv4::Header header;
  Interface* interface = nullptr;
  bool link_group = false;       // came by link broadcast or multicast
  bool local_broadcast = false;  // for 255.255.255.255 or a network's broadcast
};

class Ipv4Layer {
 public:
  Ipv4Layer(Core* core, std::vector<Interface>* interfaces);
  ~Ipv4Layer();
  Ipv4Layer(const Ipv4Layer&) = delete;
  Ipv4Layer& operator=(const Ipv4Layer&) = delete;
  // The layers above and below; they outlive this one.
  void Wire(ArpLayer* arp, IcmpLayer* icmp, UdpLayer* udp, TcpLayer* tcp);

  // ---- Up
  // Takes a packet whose data starts at its IP header.
  void Receive(Interface& interface, Packet* packet, bool link_group);
  // Frees fragments whose rest never came.
  void RunTimers();
  Time NextDeadline() const;

  // Whether a unicast packet between these addresses is for us, and its source
  // one that another host may have.
  bool AcceptsPair(const Interface& interface, Ipv4Address source,
                   Ipv4Address destination) const {
    if (!source.IsUnicastHost() || !destination.IsUnicastHost()) return false;
    bool ours = false;
    for (const Interface& i : interfaces_) {
      const bool takes = &i == &interface || core_.weak_host;
      for (const Ipv4Prefix& p : i.config.addresses) {
        if (p.address == source) return false;
        ours |= p.address == destination && takes;
      }
      if (i.config.ranges.empty()) continue;
      if (i.InRange(source)) return false;
      ours |= i.InRange(destination) && takes;
    }
    for (const Ipv4Prefix& p : interface.config.addresses) {
      if (p.length >= 31) continue;
      const uint32_t broadcast = p.address.value() | ~p.Mask();
      if (source.value() == broadcast || destination.value() == broadcast) {
        return false;
      }
    }
    return ours;
  }

  // The same, for those who ask again and again about one pair.
  bool AcceptsPairAgain(const Interface& interface, Ipv4Address source,
                        Ipv4Address destination) {
    const uint64_t pair = uint64_t{source.value()} << 32 | destination.value();
    if (pair == accepted_pair_ && accepted_on_ == &interface) [[likely]] {
      return true;
    }
    if (!AcceptsPair(interface, source, destination)) return false;
    accepted_pair_ = pair;
    accepted_on_ = &interface;
    return true;
  }

  // ---- Down
  // The known way to a destination; nullptr if there is none (no route, several
  // equal ones, an unknown MAC address, broadcast, a VLAN): then it goes
  // through the layers.
  const Way* FindWay(Ipv4Address destination) {
    Way& way = ways_[destination];
    if (way.Holds(destination, version_, core_.now)) [[likely]] {
      return &way;
    }
    return LearnWay(destination, way);
  }
  // fast_send.h
  // `kCut`: the device cuts the segment into pieces.
  template <uint8_t kProtocol, bool kCut = false>
  void OutputOn(const Way& way, Packet* packet, const OutputSpec& spec);
  void OutputLike(Interface& interface, const Packet& first, Packet* packet,
                  SeqNum seq, uint8_t flags);
  void TurnRound(const Way& way, Packet* packet, uint8_t tos, uint8_t ttl);

  bool FindPath(const ipv4::Flow& flow, Path& path) const;
  // What ARP has found of the next hop, as a packet that says so.
  std::optional<MovedConnection::Neighbor> NeighborTowards(
      const ipv4::Flow& flow) const;
  // The MTU of the first hop, or of the first interface if there is no route.
  uint16_t MtuTowards(const ipv4::Flow& flow) const;
  bool IsOurs(Ipv4Address address) const;
  // Takes a packet whose data starts at the TCP or UDP header; fills in that
  // header's checksum field at `checksum_offset`, or has the device do it.
  void OutputWithChecksum(const Path& path, Packet* packet,
                          const OutputSpec& spec, uint16_t checksum_offset);
  // Takes a packet whose data is a complete IP payload of one frame.
  void Output(const Path& path, Packet* packet, const OutputSpec& spec);
  // Sends `header` followed by `payload` as one datagram, in fragments if it is
  // larger than the MTU. Copies.
  absl::Status OutputDatagram(const Path& path, const OutputSpec& spec,
                              ByteView header, ByteView payload);

  // To be changed, together with the interfaces' addresses.
  ipv4::RouteTable& ChangeRoutes() {
    ++version_;
    accepted_on_ = nullptr;
    return routes_;
  }
  ipv4::RouteTable& routes() { return routes_; }
  const ipv4::RouteTable& routes() const { return routes_; }

 private:
  static constexpr uint16_t kNobody = 0xffff;

  void Deliver(Ipv4Packet& in);
  void ReceiveFragment(Ipv4Packet& in);
  void CompleteDatagram(const Ipv4Packet& last, uint32_t datagram);
  void CopyTogether(uint32_t datagram);
  void DeliverReassembledTcp(const Ipv4Packet& last, ByteView segment);
  void TakeBackFragments();
  void ReportTimeout(Packet* first);
  void DeliverTcp(Ipv4Packet& in);
  bool IsFor(const Interface& interface, Ipv4Address destination) const;
  void Queue(Interface& interface, Packet* packet);
  const Way* LearnWay(Ipv4Address destination, Way& way);

  Core& core_;
  std::vector<Interface>& interfaces_;
  ArpLayer* arp_ = nullptr;
  IcmpLayer* icmp_ = nullptr;
  UdpLayer* udp_ = nullptr;
  TcpLayer* tcp_ = nullptr;
  ipv4::RouteTable routes_;
  uint32_t version_ = 1;  // of routes and addresses
  WayTable ways_;
  uint64_t accepted_pair_ = 0;
  const Interface* accepted_on_ = nullptr;  // nullptr: none
  ipv4::Reassembly reassembly_;
  ipv4::IdentificationSource identification_;
  // Whom the fragments of the datagram that is complete just now go to.
  uint16_t pass_on_to_ = kNobody;
  uint16_t pass_on_interface_ = 0;
  // Where datagrams that came in fragments are put together, one at a time.
  std::vector<uint8_t> scratch_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_IPV4_LAYER_H_
