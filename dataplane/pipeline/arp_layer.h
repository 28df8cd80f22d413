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

namespace corelane::dataplane {

class IcmpLayer;
class LinkLayer;

struct ArpOptions {
  uint32_t capacity = 4096;  // neighbours per interface
  bool announce = true;      // gratuitous ARP at start (RFC 5227)
};

class ArpLayer {
 public:
  ArpLayer(Core* core, LinkLayer* link, std::vector<Interface>* interfaces,
           const ArpOptions& options, const NoticeSink& notices);
  ~ArpLayer();
  ArpLayer(const ArpLayer&) = delete;
  ArpLayer& operator=(const ArpLayer&) = delete;

  // Takes a packet whose data starts at the ARP packet.
  void Receive(Interface& interface, Packet* packet);

  // Takes an IPv4 packet for `next_hop` and sends it, now or when the MAC
  // address is known; or drops it when that is never.
  void Send(Interface& interface, Ipv4Address next_hop, Packet* packet);

  void RunTimers();
  Time NextDeadline() const;

  // For display, and for `arp flush`.
  const arp::NeighborCache& cache(uint16_t interface) const;
  void Flush();

 private:
  struct PerInterface;

  void SendRequest(Interface& interface, Ipv4Address sender, Ipv4Address target,
                   const MacAddress& to);
  void Park(PerInterface& state, uint32_t index, Packet* packet);
  void Release(PerInterface& state, Interface& interface, uint32_t index,
               const MacAddress& mac);
  void Discard(PerInterface& state, uint32_t index);
  void RunCache(PerInterface& state, Interface& interface);
  void RunAnnouncer(PerInterface& state, Interface& interface);

  Core& core_;
  LinkLayer& link_;
  std::vector<Interface>& interfaces_;
  NoticeSink notices_;
  std::vector<std::unique_ptr<PerInterface>> state_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_ARP_LAYER_H_
