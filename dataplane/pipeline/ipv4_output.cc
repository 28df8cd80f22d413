// The way down: route, header, checksums, fragments.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/arp_layer.h"
#include "dataplane/pipeline/fast_send.h"
#include "proto/base/checksum.h"
#include "proto/ipv4/fragmentation.h"
#include "proto/udp/header.h"

namespace corelane::dataplane {

bool Ipv4Layer::FindPath(const ipv4::Flow& flow, Path& path) const {
  if (flow.destination.IsBroadcast() && !interfaces_.empty()) {
    path = {&interfaces_[0], flow.destination, Ipv4Address(),
            interfaces_[0].config.mtu};
    if (!interfaces_[0].config.addresses.empty()) {
      path.source = interfaces_[0].config.addresses[0].address;
    }
    return true;
  }
  const auto hop = routes_.Lookup(flow);
  if (!hop) return false;
  path = {&interfaces_[hop->port], hop->address, hop->source, hop->mtu};
  return true;
}

const Way* Ipv4Layer::LearnWay(Ipv4Address destination, Way& way) {
  way.version = 0;
  // Of several equal ways each flow has its own.
  if (!routes_.HasOneWay(destination) ||
      !FindPath({destination, Ipv4Address(), 0, 0, 0}, way.path)) {
    return nullptr;
  }
  const Interface& interface = *way.path.interface;
  const Ipv4Address next_hop = way.path.next_hop;
  if (interface.config.vlan != kNoVlan || next_hop.IsBroadcast() ||
      interface.IsDirectedBroadcast(next_hop)) {
    return nullptr;
  }
  way.neighbors = &arp_->cache(interface.index);
  const arp::LookupResult found = way.neighbors->Lookup(next_hop, core_.now);
  if (found.status != arp::LookupStatus::kReady) return nullptr;
  way.destination = destination;
  way.version = version_;
  way.neighbor = found.index;
  way.generation = found.generation;
  ethernet::Write(way.header.data(), {.destination = found.mac,
                                      .source = interface.config.mac,
                                      .ether_type = ethernet::kIpv4});
  return &way;
}

std::optional<MovedConnection::Neighbor> Ipv4Layer::NeighborTowards(
    const ipv4::Flow& flow) const {
  Path path;
  if (!FindPath(flow, path)) return std::nullopt;
  const uint16_t interface = path.interface->index;
  const arp::LookupResult found =
      arp_->cache(interface).Lookup(path.next_hop, core_.now);
  if (found.status != arp::LookupStatus::kReady) return std::nullopt;
  return MovedConnection::Neighbor{interface,
                                   {.operation = arp::kRequest,
                                    .sender_mac = found.mac,
                                    .sender = path.next_hop,
                                    .target_mac = MacAddress{},
                                    .target = path.source}};
}

uint16_t Ipv4Layer::MtuTowards(const ipv4::Flow& flow) const {
  const auto hop = routes_.Lookup(flow);
  return hop ? hop->mtu : interfaces_[0].config.mtu;
}

bool Ipv4Layer::IsOurs(Ipv4Address address) const {
  for (const Interface& interface : interfaces_) {
    if (interface.HasAddress(address)) return true;
  }
  return false;
}

void Ipv4Layer::OutputWithChecksum(const Path& path, Packet* packet,
                                   const OutputSpec& spec,
                                   uint16_t checksum_offset) {
  const DeviceCaps& caps = path.interface->config.caps;
  const bool is_tcp = spec.protocol == ipv4::kTcp;
  const PartialSum pseudo =
      PseudoHeaderSum(spec.source, spec.destination, spec.protocol,
                      static_cast<uint16_t>(packet->pkt_len));
  uint8_t* field = DataOf(packet) + checksum_offset;
  if (is_tcp ? caps.tx_tcp_checksum : caps.tx_udp_checksum) {
    // The device adds the rest to the pseudo-header's sum.
    const uint16_t folded = ChecksumFold(pseudo);
    std::memcpy(field, &folded, sizeof(folded));
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | (is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM
                                                     : RTE_MBUF_F_TX_UDP_CKSUM);
    packet->l4_len = spec.l4_header_length;
  } else {
    StoreBe16(field, 0);
    const PartialSum sum = pseudo + ChainSum(packet);
    StoreBe16(field, is_tcp ? ChecksumFinish(sum) : udp::FinishChecksum(sum));
  }
  Output(path, packet, spec);
}

void Ipv4Layer::Output(const Path& path, Packet* packet,
                       const OutputSpec& spec) {
  const DeviceCaps& caps = path.interface->config.caps;
  ipv4::Header header;
  header.source = spec.source;
  header.destination = spec.destination;
  header.protocol = spec.protocol;
  header.tos = spec.tos;
  header.ttl = spec.ttl;
  header.dont_fragment = spec.dont_fragment;
  header.total_length =
      static_cast<uint16_t>(packet->pkt_len + ipv4::kHeaderLength);
  // An atomic datagram's identification means nothing (RFC 6864 section 4.1),
  // and 0 tells nobody anything.
  if (!spec.dont_fragment) {
    header.id = identification_.Next(spec.source, spec.destination,
                                     spec.protocol, core_.rng);
  }
  uint8_t* p = Prepend(packet, ipv4::kHeaderLength);
  ipv4::Write(p, header, !caps.tx_ipv4_checksum);
  packet->l3_len = ipv4::kHeaderLength;
  if (caps.tx_ipv4_checksum) {
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
  }
  ++core_.counters.ipv4_out;
  arp_->Send(*path.interface, path.next_hop, packet);
}

absl::Status Ipv4Layer::OutputDatagram(const Path& path, const OutputSpec& spec,
                                       ByteView header, ByteView payload) {
  const size_t total = header.size() + payload.size();
  if (total > ipv4::kMaxTotalLength - ipv4::kHeaderLength) {
    return absl::InvalidArgumentError(absl::StrCat(
        payload.size(), " bytes do not fit a datagram; at most 65507 do"));
  }
  const uint16_t mtu = path.interface->config.mtu;
  ipv4::Header ip;
  ip.source = spec.source;
  ip.destination = spec.destination;
  ip.protocol = spec.protocol;
  ip.tos = spec.tos;
  ip.ttl = spec.ttl;
  ip.id = identification_.Next(spec.source, spec.destination, spec.protocol,
                               core_.rng);
  ipv4::Fragmenter cut(static_cast<uint16_t>(total), mtu);
  for (ipv4::FragmentRange range; cut.Next(range);) {
    Packet* packet = core_.pool.Alloc();
    if (packet == nullptr) {
      ++core_.counters.tx_dropped_no_packet;
      return absl::ResourceExhaustedError("no packet left to send in");
    }
    uint8_t* out = Append(packet, range.length);
    size_t from = range.offset;
    size_t left = range.length;
    if (from < header.size()) {
      const size_t n = std::min(left, header.size() - from);
      std::memcpy(out, header.data() + from, n);
      out += n;
      from += n;
      left -= n;
    }
    if (left > 0) std::memcpy(out, payload.data() + from - header.size(), left);
    ip.fragment_offset = range.offset;
    ip.more_fragments = range.more;
    ip.total_length = static_cast<uint16_t>(range.length + ipv4::kHeaderLength);
    ipv4::Write(Prepend(packet, ipv4::kHeaderLength), ip);
    if (ip.IsFragment()) ++core_.counters.fragments_out;
    ++core_.counters.ipv4_out;
    arp_->Send(*path.interface, path.next_hop, packet);
  }
  return absl::OkStatus();
}

}  // namespace corelane::dataplane
