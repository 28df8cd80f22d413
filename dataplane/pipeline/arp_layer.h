// One core's ARP: finds the MAC address for a next hop, answers for ours, keeps
// packets waiting meanwhile.
#ifndef CORELANE_DATAPLANE_PIPELINE_ARP_LAYER_H_
#define CORELANE_DATAPLANE_PIPELINE_ARP_LAYER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/pipeline/notice.h"
#include "proto/arp/announcer.h"
#include "proto/arp/neighbor_cache.h"
#include "proto/arp/packet.h"
#include "proto/ipv4/route_table.h"

namespace corelane::dataplane {

class LinkLayer;

struct ArpOptions {
  arp::NeighborLimits limits;
  arp::AnnouncerTiming announcer;
  // Packets that wait for one MAC address; and for all of an interface.
  uint16_t queue_per_neighbor = 16;
  uint32_t queue_per_interface = 1024;
};

class ArpLayer {
 public:
  // `routes` hears which gateways are dead.
  ArpLayer(Core* core, LinkLayer* link, ipv4::RouteTable* routes,
           std::vector<Interface>* interfaces, const ArpOptions& options,
           const NoticeSink& notices);
  ~ArpLayer();
  ArpLayer(const ArpLayer&) = delete;
  ArpLayer& operator=(const ArpLayer&) = delete;

  // Takes a packet whose data starts at the ARP packet.
  void Receive(Interface& interface, Packet* packet);
  // An ARP packet that another core received, and answered if need be.
  void ReceiveShared(uint16_t interface, const arp::Packet& arp);

  // Takes an IPv4 packet for `next_hop` and sends it, now or when the MAC
  // address is known; or drops it when that is never.
  void Send(Interface& interface, Ipv4Address next_hop, Packet* packet);

  void RunTimers();
  Time NextDeadline() const;

  // Whether every own address may be used; and one that may not because
  // another host has it (0.0.0.0 if there is none).
  bool AllUsable() const;
  Ipv4Address Contested() const;

  // Takes over interface.config.addresses: claims new ones, whatever
  // ArpOptions says about probing, and lets go of those that are gone.
  void AddressesChanged(const Interface& interface);
  // How the claim to an own address stands; nullptr if it is none of ours.
  const arp::Announcer* claim(Ipv4Address address) const;

  // For display, and for `arp flush`.
  const arp::NeighborCache& cache(uint16_t interface) const;
  arp::NeighborCache& cache(uint16_t interface);
  void Flush();

 private:
  struct PerInterface;

  void SendArp(Interface& interface, const arp::Packet& arp,
               const MacAddress& to);
  // Of several cores one makes claims and reports conflicts.
  bool Speaks() const;
  bool AnswersFor(const PerInterface& state, const Interface& interface,
                  Ipv4Address target) const;
  bool NoteConflict(PerInterface& state, Interface& interface,
                    const arp::Packet& arp);
  void Park(PerInterface& state, uint32_t index, Packet* packet);
  void Release(PerInterface& state, Interface& interface, uint32_t index,
               const MacAddress& mac);
  void Discard(PerInterface& state, uint32_t index);
  void RunCache(PerInterface& state, Interface& interface);
  void NoteHeard(uint16_t interface, Ipv4Address sender);
  void AskDeadGateways();

  Core& core_;
  LinkLayer& link_;
  ipv4::RouteTable& routes_;
  std::vector<Interface>& interfaces_;
  ArpOptions options_;
  NoticeSink notices_;
  std::vector<std::unique_ptr<PerInterface>> state_;
  Time ask_dead_at_ = kTimeNever;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_ARP_LAYER_H_
