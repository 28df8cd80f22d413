// The way down for what most frames are, in one go: a TCP segment or a UDP
// datagram that needs no fragments, on a way that is known. The result is that
// of the layers (Ipv4Layer::OutputWithChecksum, ArpLayer::Send,
// LinkLayer::Send).
#ifndef CORELANE_DATAPLANE_PIPELINE_FAST_SEND_H_
#define CORELANE_DATAPLANE_PIPELINE_FAST_SEND_H_

#include <cstdint>
#include <cstring>

#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/link_layer.h"
#include "proto/base/checksum.h"
#include "proto/udp/header.h"

namespace corelane::dataplane {

// The one's-complement sum over a chain of segments.
inline PartialSum ChainSum(const Packet* packet) {
  PartialSum sum = 0;
  bool odd = false;
  for (const Packet* p = packet; p != nullptr; p = p->next) {
    const PartialSum part = ChecksumAdd(BytesOf(p));
    sum += odd ? ChecksumSwap(part) : ChecksumFold(part);
    odd ^= (p->data_len & 1) != 0;
  }
  return sum;
}

// The device cuts the segment, and puts in the length of each piece.
inline void LeaveToCut(Packet* packet, const OutputSpec& spec) {
  constexpr uint16_t kAt = 16;
  const uint16_t folded = ChecksumFold(
      PseudoHeaderSum(spec.source, spec.destination, ipv4::kTcp, 0));
  std::memcpy(DataOf(packet) + kAt, &folded, sizeof(folded));
  packet->ol_flags |=
      RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
  packet->l4_len = spec.l4_header_length;
  packet->tso_segsz = spec.piece;
}

// The transport header's checksum, or what the device is to complete it from.
template <uint8_t kProtocol>
inline void FillTransportChecksum(const DeviceCaps& caps, Packet* packet,
                                  const OutputSpec& spec) {
  constexpr bool kIsTcp = kProtocol == ipv4::kTcp;
  constexpr uint16_t kAt = kIsTcp ? 16 : 6;
  uint8_t* p = DataOf(packet);
  const PartialSum pseudo =
      PseudoHeaderSum(spec.source, spec.destination, kProtocol,
                      static_cast<uint16_t>(packet->pkt_len));
  if (kIsTcp ? caps.tx_tcp_checksum : caps.tx_udp_checksum) {
    const uint16_t folded = ChecksumFold(pseudo);
    std::memcpy(p + kAt, &folded, sizeof(folded));
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | (kIsTcp ? RTE_MBUF_F_TX_TCP_CKSUM
                                                     : RTE_MBUF_F_TX_UDP_CKSUM);
    packet->l4_len = spec.l4_header_length;
    return;
  }
  StoreBe16(p + kAt, 0);
  const PartialSum sum = pseudo + ChainSum(packet);
  StoreBe16(p + kAt, kIsTcp ? ChecksumFinish(sum) : udp::FinishChecksum(sum));
}

// From the fields: what was just stored byte by byte is slow to load.
inline uint16_t Ipv4HeaderChecksum(uint32_t first, uint32_t second,
                                   uint32_t third, const OutputSpec& spec) {
  const uint64_t words = uint64_t{first} + second + third +
                         spec.source.value() + spec.destination.value();
  // All in host order: the sum does not depend on it (RFC 1071 section 2).
  return static_cast<uint16_t>(~ChecksumFold(words));
}

// Takes a packet whose data starts at the transport header, its checksum field
// not filled in; `spec.protocol` is not looked at.
template <uint8_t kProtocol, bool kCut>
inline void Ipv4Layer::OutputOn(const Way& way, Packet* packet,
                                const OutputSpec& spec) {
  Interface& interface = *way.path.interface;
  const DeviceCaps& caps = interface.config.caps;
  if constexpr (kCut) {
    LeaveToCut(packet, spec);
  } else {
    FillTransportChecksum<kProtocol>(caps, packet, spec);
  }
  const auto total =
      static_cast<uint16_t>(packet->pkt_len + ipv4::kHeaderLength);
  const uint32_t first = 0x45000000u | uint32_t{spec.tos} << 16 | total;
  const uint32_t second =
      spec.dont_fragment
          ? 0x4000u
          : uint32_t{identification_.Next(spec.source, spec.destination,
                                          kProtocol, core_.rng)}
                << 16;
  const uint32_t third = uint32_t{spec.ttl} << 24 | uint32_t{kProtocol} << 16;
  uint8_t* frame =
      Prepend(packet, ethernet::kHeaderLength + ipv4::kHeaderLength);
  std::memcpy(frame, way.header.data(), ethernet::kHeaderLength);
  uint8_t* ip = frame + ethernet::kHeaderLength;
  StoreBe32(ip, first);
  StoreBe32(ip + 4, second);
  if (caps.tx_ipv4_checksum) {
    StoreBe32(ip + 8, third);
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
  } else {
    StoreBe32(ip + 8, third | Ipv4HeaderChecksum(first, second, third, spec));
  }
  StoreBe32(ip + 12, spec.source.value());
  StoreBe32(ip + 16, spec.destination.value());
  Queue(interface, packet);
}

// Sends a TCP segment as OutputOn would: takes a packet whose data is the
// payload. It differs from `first`, which OutputOn has queued in this turn, in
// nothing else than its payload (not in how long that is), sequence number and
// flags.
inline void Ipv4Layer::OutputLike(Interface& interface, const Packet& first,
                                  Packet* packet, SeqNum seq, uint8_t flags) {
  constexpr uint16_t kToTcp = ethernet::kHeaderLength + ipv4::kHeaderLength;
  const uint16_t tcp_header =
      static_cast<uint16_t>(DataOf(&first)[kToTcp + 12] >> 4 << 2);
  const auto headers = static_cast<uint16_t>(kToTcp + tcp_header);
  uint8_t* frame = Prepend(packet, headers);
  std::memcpy(frame, DataOf(&first), headers);
  uint8_t* tcp = frame + kToTcp;
  StoreBe32(tcp + 4, seq.value());
  tcp[13] = flags;
  constexpr uint64_t kSums =
      RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
  packet->ol_flags |= first.ol_flags & kSums;
  packet->l4_len = first.l4_len;
  if (!interface.config.caps.tx_tcp_checksum) {
    TrimFront(packet, kToTcp);
    const PartialSum pseudo = PseudoHeaderSum(
        Ipv4Address(LoadBe32(tcp - 8)), Ipv4Address(LoadBe32(tcp - 4)),
        ipv4::kTcp, static_cast<uint16_t>(packet->pkt_len));
    StoreBe16(tcp + 16, 0);
    StoreBe16(tcp + 16, ChecksumFinish(pseudo + ChainSum(packet)));
    Prepend(packet, kToTcp);
  }
  Queue(interface, packet);
}

// The frame is complete.
inline void Ipv4Layer::Queue(Interface& interface, Packet* packet) {
  packet->l2_len = ethernet::kHeaderLength;
  packet->l3_len = ipv4::kHeaderLength;
  ++core_.counters.ipv4_out;
  QueueFrame(core_, interface, packet);
}

// Sends a received UDP datagram back as it is: takes a packet whose data is the
// payload, with plain headers before it, summed by their sender and verified.
inline void Ipv4Layer::TurnRound(const Way& way, Packet* packet, uint8_t tos,
                                 uint8_t ttl) {
  constexpr uint16_t kHeaders =
      ethernet::kHeaderLength + ipv4::kHeaderLength + udp::kHeaderLength;
  Interface& interface = *way.path.interface;
  const DeviceCaps& caps = interface.config.caps;
  packet->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  uint8_t* frame = Prepend(packet, kHeaders);
  uint8_t* ip = frame + ethernet::kHeaderLength;
  uint8_t* datagram = ip + ipv4::kHeaderLength;
  OutputSpec spec;
  spec.source = Ipv4Address(LoadBe32(ip + 16));
  spec.destination = Ipv4Address(LoadBe32(ip + 12));
  const auto total =
      static_cast<uint16_t>(packet->pkt_len - ethernet::kHeaderLength);
  const uint32_t first = 0x45000000u | uint32_t{tos} << 16 | total;
  const uint32_t second =
      uint32_t{identification_.Next(spec.source, spec.destination, ipv4::kUdp,
                                    core_.rng)}
      << 16;
  const uint32_t third = uint32_t{ttl} << 24 | uint32_t{ipv4::kUdp} << 16;
  uint32_t ports;
  std::memcpy(&ports, datagram, sizeof(ports));
  ports = ports << 16 | ports >> 16;
  std::memcpy(datagram, &ports, sizeof(ports));
  std::memcpy(frame, way.header.data(), ethernet::kHeaderLength);
  StoreBe32(ip, first);
  StoreBe32(ip + 4, second);
  StoreBe32(ip + 12, spec.source.value());
  StoreBe32(ip + 16, spec.destination.value());
  // The datagram's checksum stays what it was: it sums the same words. A device
  // that fills it in wants to find the pseudo-header's.
  if (caps.tx_udp_checksum) {
    const uint16_t folded = ChecksumFold(
        PseudoHeaderSum(spec.source, spec.destination, ipv4::kUdp,
                        static_cast<uint16_t>(total - ipv4::kHeaderLength)));
    std::memcpy(datagram + 6, &folded, sizeof(folded));
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
    packet->l4_len = udp::kHeaderLength;
  }
  if (caps.tx_ipv4_checksum) {
    StoreBe32(ip + 8, third);
    packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
  } else {
    StoreBe32(ip + 8, third | Ipv4HeaderChecksum(first, second, third, spec));
  }
  Queue(interface, packet);
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_FAST_SEND_H_
