#include "dataplane/pipeline/pipeline.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/ethernet/header.h"

namespace corelane::dataplane {
namespace {

std::vector<Interface> MakeInterfaces(const PipelineConfig& config) {
  std::vector<Interface> interfaces(config.interfaces.size());
  for (size_t i = 0; i < interfaces.size(); ++i) {
    interfaces[i].config = config.interfaces[i];
    interfaces[i].index = static_cast<uint16_t>(i);
    const uint16_t device = interfaces[i].config.device;
    if (device < i) interfaces[i].queue = &interfaces[device].own_queue;
  }
  return interfaces;
}

absl::Status AddRoutes(const std::vector<Interface>& interfaces,
                       const NetworkConfig& network, ipv4::RouteTable& routes) {
  for (size_t i = 0; i < interfaces.size(); ++i) {
    for (const Ipv4Prefix& prefix : network.addresses[i]) {
      const ipv4::RouteStatus status = routes.AddConnected(
          prefix, static_cast<uint16_t>(i), interfaces[i].config.mtu);
      // A second address in a network needs no second route.
      if (status == ipv4::RouteStatus::kOk ||
          status == ipv4::RouteStatus::kDuplicate) {
        continue;
      }
      return absl::InvalidArgumentError(
          absl::StrCat("address ", ToString(prefix), " cannot be used"));
    }
  }
  for (const StaticRoute& route : network.routes) {
    switch (routes.AddStatic(route.destination, route.gateway)) {
      case ipv4::RouteStatus::kOk:
        break;
      case ipv4::RouteStatus::kDuplicate:
        return absl::InvalidArgumentError(
            absl::StrCat("two routes to ", ToString(route.destination),
                         " through ", ToString(route.gateway)));
      case ipv4::RouteStatus::kGatewayUnreachable:
        return absl::InvalidArgumentError(absl::StrCat(
            "gateway ", ToString(route.gateway),
            " is in none of our networks; give an --addr in its network"));
      case ipv4::RouteStatus::kGatewayIsOurs:
        return absl::InvalidArgumentError(absl::StrCat(
            "gateway ", ToString(route.gateway), " is our own address"));
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("route to ", ToString(route.destination), " through ",
                         ToString(route.gateway), " is invalid"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(
    const PipelineConfig& config, PacketPool* pool, Time now) {
  if (config.interfaces.empty()) {
    return absl::InvalidArgumentError("a stack needs an interface");
  }
  auto pipeline = std::make_unique<Pipeline>(Passkey{}, config, pool, now);
  NetworkConfig network;
  for (const InterfaceConfig& interface : config.interfaces) {
    network.addresses.push_back(interface.addresses);
  }
  network.routes = config.routes;
  absl::Status status =
      AddRoutes(pipeline->interfaces_, network, pipeline->ip_.ChangeRoutes());
  if (!status.ok()) return status;
  return pipeline;
}

Pipeline::Pipeline(Passkey /*key*/, const PipelineConfig& config,
                   PacketPool* pool, Time now)
    : core_(pool, config.secrets, now),
      interfaces_(MakeInterfaces(config)),
      link_(&core_),
      ip_(&core_, &interfaces_),
      arp_(&core_, &link_, &ip_.routes(), &interfaces_, config.arp,
           config.notices),
      icmp_(&core_, &ip_),
      udp_(&core_, &ip_, &icmp_),
      tcp_(&core_, &ip_, config.tcp, config.limits) {
  core_.weak_host = config.weak_host;
  ip_.Wire(&arp_, &icmp_, &udp_, &tcp_);
  icmp_.Wire(&udp_, &tcp_);
}

Pipeline::~Pipeline() {
  for (Interface& interface : interfaces_) {
    for (Packet* packet : interface.own_queue.frames()) core_.pool.Free(packet);
  }
}

absl::Status Pipeline::Reconfigure(const NetworkConfig& network) {
  ipv4::RouteTable routes(ip_.routes().capacity(), core_.secrets.flow_hash);
  if (absl::Status s = AddRoutes(interfaces_, network, routes); !s.ok()) {
    return s;
  }
  routes.TakeOverDead(ip_.routes());
  ip_.ChangeRoutes() = std::move(routes);
  for (size_t i = 0; i < interfaces_.size(); ++i) {
    interfaces_[i].config.addresses = network.addresses[i];
    arp_.AddressesChanged(interfaces_[i]);
  }
  return absl::OkStatus();
}

uint16_t Pipeline::AddApplication(Application* application) {
  applications_.push_back(application);
  return static_cast<uint16_t>(applications_.size() - 1);
}

Interface* Pipeline::SubInterface(const Interface& device, uint16_t vlan) {
  for (Interface& i : interfaces_) {
    if (i.config.device == device.index && i.config.vlan == vlan) return &i;
  }
  return nullptr;
}

// A chain becomes one packet if it fits: what is above reads headers and
// payload in one piece.
Packet* Pipeline::Linearize(Packet* packet) {
  Packet* flat = core_.pool.Alloc();
  if (flat == nullptr || packet->pkt_len > TailroomOf(flat)) {
    if (flat != nullptr) core_.pool.Free(flat);
    core_.Drop(packet, DropReason::kScattered);
    return nullptr;
  }
  for (const Packet* p = packet; p != nullptr; p = p->next) {
    std::memcpy(Append(flat, p->data_len), DataOf(p), p->data_len);
  }
  ++core_.counters.linearized;
  flat->ol_flags = packet->ol_flags &
                   (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
  core_.pool.Free(packet);
  return flat;
}

void Pipeline::ReceiveFragment(uint16_t interface, Packet* packet) {
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += packet->pkt_len;
  ip_.Receive(interfaces_[interface], packet, /*link_group=*/false);
}

void Pipeline::ReceivePassedOn(uint16_t interface, Packet* packet,
                               bool congestion) {
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += packet->pkt_len;
  ++core_.counters.ipv4_in;
  tcp_.Enqueue(packet, MetaOf(packet).flow, interface, congestion,
               /*passed_on=*/true);
}

void Pipeline::ReceiveMoved(std::unique_ptr<MovedConnection> moved) {
  const uint16_t application = moved->block.application;
  const uint32_t app_data = moved->block.app_data;
  const std::vector<uint8_t> luggage = moved->luggage;
  // What is known here may be newer.
  if (const auto& neighbor = moved->neighbor;
      neighbor && arp_.cache(neighbor->interface)
                          .Lookup(neighbor->heard.sender, core_.now)
                          .status != arp::LookupStatus::kReady) {
    arp_.ReceiveShared(neighbor->interface, neighbor->heard);
  }
  const TcpLayer::Taken taken = tcp_.TakeMoved(std::move(moved));
  if (taken.fate == TcpLayer::Taken::Fate::kHere) {
    applications_[application]->OnArrive(taken.connection, luggage);
  } else if (taken.fate == TcpLayer::Taken::Fate::kLost) {
    applications_[application]->OnLost(app_data, luggage);
  }
}

void Pipeline::ReceiveOne(Interface& interface, Packet* packet) {
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += packet->pkt_len;
  if (packet->nb_segs > 1) [[unlikely]] {
    packet = Linearize(packet);
    if (packet == nullptr) return;
  }
  ethernet::Header header;
  switch (ethernet::Parse(BytesOf(packet), header)) {
    case ethernet::ParseStatus::kOk:
      break;
    case ethernet::ParseStatus::kTruncated:
      core_.Drop(packet, DropReason::kEthernetTruncated);
      return;
    case ethernet::ParseStatus::kIeee8023Llc:
      core_.Drop(packet, DropReason::kEthernetLlc);
      return;
    case ethernet::ParseStatus::kBadLength:
      core_.Drop(packet, DropReason::kEthernetBadLength);
      return;
    case ethernet::ParseStatus::kGroupSource:
      core_.Drop(packet, DropReason::kEthernetBadSource);
      return;
    case ethernet::ParseStatus::kNestedVlan:
    case ethernet::ParseStatus::kReservedVlan:
      core_.Drop(packet, DropReason::kEthernetVlan);
      return;
  }
  // VLAN 0 is a priority tag on the untagged network (802.1Q section 6.9).
  const uint16_t vlan = header.vlan == 0 ? kNoVlan : header.vlan;
  Interface* in = &interface;
  if (vlan != interface.config.vlan) {
    in = SubInterface(interface, vlan);
    if (in == nullptr) {
      core_.Drop(packet, DropReason::kEthernetVlan);
      return;
    }
  }
  const bool group = header.destination.IsMulticast();
  if (!group && header.destination != in->config.mac) {
    core_.Drop(packet, DropReason::kEthernetNotForUs);
    return;
  }
  TrimFront(packet, header.header_length);
  switch (header.ether_type) {
    case ethernet::kIpv4:
      ip_.Receive(*in, packet, group);
      break;
    case ethernet::kArp:
      arp_.Receive(*in, packet);
      break;
    default:
      core_.Drop(packet, DropReason::kEthernetUnknownType);
  }
}

void Pipeline::EndTurn() {
  // Packets also come back, which nobody counts.
  constexpr uint32_t kMemoryCheckInterval = 64;
  if (turns_++ % kMemoryCheckInterval == 0 || core_.low_memory) {
    core_.CheckMemory();
  }
  tcp_.Ingest();
  tcp_.RunTimers();
  ip_.RunTimers();
  arp_.RunTimers();
  udp_.Notify(applications_);
  tcp_.Notify(applications_);
  if (!tickers_.empty()) Tick();
  tcp_.Emit();
  if (!tcp_.moves().Idle()) tcp_.RunMoves(applications_);
  // Requests that this turn's packets made necessary leave with it.
  arp_.RunTimers();
}

void Pipeline::Tick() {
  tick_at_ = kTimeNever;
  for (Application* ticker : tickers_) {
    tick_at_ = std::min(tick_at_, ticker->OnTurn(core_.now));
  }
}

Time Pipeline::NextDeadline() const {
  for (const Interface& interface : interfaces_) {
    if (interface.own_queue.room() < TxQueue::kCapacity) return core_.now;
  }
  return std::min(
      {tcp_.NextDeadline(), ip_.NextDeadline(), arp_.NextDeadline(), tick_at_});
}

}  // namespace corelane::dataplane
