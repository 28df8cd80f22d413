#include "tests/sim/frames.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/base/checksum.h"

namespace corelane::sim {
namespace {

void Append(Frame& frame, ByteView bytes) {
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

ipv4::Header HeaderOf(uint8_t protocol) {
  ipv4::Header header;
  header.protocol = protocol;
  return header;
}

// The offset of the checksum field in a TCP, UDP or ICMP header; 0 for others.
size_t ChecksumOffset(uint8_t protocol) {
  switch (protocol) {
    case ipv4::kTcp:
      return 16;
    case ipv4::kUdp:
      return 6;
    case ipv4::kIcmp:
      return 2;
    default:
      return 0;
  }
}

PartialSum InitialSum(const uint8_t* ip, uint8_t protocol, size_t length) {
  if (protocol == ipv4::kIcmp) return 0;
  return PseudoHeaderSum(Ipv4Address(LoadBe32(ip + 12)),
                         Ipv4Address(LoadBe32(ip + 16)), protocol,
                         static_cast<uint16_t>(length));
}

std::string FlagText(uint8_t flags) {
  std::string text;
  if ((flags & tcp::kSyn) != 0) text += 'S';
  if ((flags & tcp::kFin) != 0) text += 'F';
  if ((flags & tcp::kRst) != 0) text += 'R';
  if ((flags & tcp::kPsh) != 0) text += 'P';
  if ((flags & tcp::kUrg) != 0) text += 'U';
  if ((flags & tcp::kEce) != 0) text += 'E';
  if ((flags & tcp::kCwr) != 0) text += 'W';
  if ((flags & tcp::kAck) != 0) text += '.';
  return text;
}

}  // namespace

Frame EthernetFrame(const Ends& ends, uint16_t ether_type, ByteView payload) {
  uint8_t header[ethernet::kHeaderLength + ethernet::kTagLength];
  const uint16_t length =
      ethernet::Write(header, {.destination = ends.destination_mac,
                               .source = ends.source_mac,
                               .ether_type = ether_type,
                               .vlan = ends.vlan});
  Frame frame(header, header + length);
  Append(frame, payload);
  return frame;
}

Frame ArpFrame(const Ends& ends, const arp::Packet& packet) {
  uint8_t bytes[arp::kPacketLength];
  arp::Write(bytes, packet);
  return EthernetFrame(ends, ethernet::kArp, bytes);
}

Frame Ipv4Frame(const Ends& ends, ipv4::Header header, ByteView payload) {
  header.source = ends.source;
  header.destination = ends.destination;
  header.total_length =
      static_cast<uint16_t>(ipv4::kHeaderLength + payload.size());
  std::vector<uint8_t> packet(ipv4::kHeaderLength);
  ipv4::Write(packet.data(), header);
  Append(packet, payload);
  return EthernetFrame(ends, ethernet::kIpv4, packet);
}

Frame TcpFrame(const Ends& ends, const TcpFields& fields) {
  const size_t padded = (fields.options.size() + 3) / 4 * 4;
  std::vector<uint8_t> bytes(tcp::kHeaderLength + padded);
  tcp::Write(bytes.data(),
             {.source_port = fields.source_port,
              .destination_port = fields.destination_port,
              .seq = SeqNum(fields.seq),
              .ack = SeqNum(fields.ack),
              .flags = fields.flags,
              .window = fields.window,
              .header_length = static_cast<uint16_t>(bytes.size())});
  StoreBe16(bytes.data() + 18, fields.urgent);
  std::copy(fields.options.begin(), fields.options.end(),
            bytes.begin() + tcp::kHeaderLength);
  Append(bytes, fields.payload);
  ipv4::Header ip = HeaderOf(ipv4::kTcp);
  ip.dont_fragment = true;
  ip.tos = fields.tos;
  ip.ttl = fields.ttl;
  Frame frame = Ipv4Frame(ends, ip, bytes);
  FixChecksums(frame);
  return frame;
}

Frame UdpFrame(const Ends& ends, uint16_t source_port,
               uint16_t destination_port, ByteView payload) {
  std::vector<uint8_t> bytes(udp::kHeaderLength);
  udp::Write(bytes.data(), {.source_port = source_port,
                            .destination_port = destination_port,
                            .length = static_cast<uint16_t>(udp::kHeaderLength +
                                                            payload.size())});
  Append(bytes, payload);
  Frame frame = Ipv4Frame(ends, HeaderOf(ipv4::kUdp), bytes);
  FixChecksums(frame);
  return frame;
}

Frame IcmpFrame(const Ends& ends, std::vector<uint8_t> message) {
  Frame frame = Ipv4Frame(ends, HeaderOf(ipv4::kIcmp), message);
  FixChecksums(frame);
  return frame;
}

size_t Ipv4Offset(ByteView frame) {
  if (frame.size() < ethernet::kHeaderLength) return 0;
  size_t offset = ethernet::kHeaderLength;
  uint16_t type = LoadBe16(frame.data() + 12);
  if (type == ethernet::kVlan && frame.size() >= offset + 4) {
    type = LoadBe16(frame.data() + 16);
    offset += ethernet::kTagLength;
  }
  return type == ethernet::kIpv4 ? offset : 0;
}

void FixChecksums(Frame& frame) {
  const size_t offset = Ipv4Offset(frame);
  if (offset == 0 || frame.size() < offset + ipv4::kHeaderLength) return;
  uint8_t* ip = frame.data() + offset;
  const size_t room = frame.size() - offset;
  const size_t header = (ip[0] & 0x0f) * size_t{4};
  if (header < ipv4::kHeaderLength || header > room) return;
  StoreBe16(ip + 10, 0);
  StoreBe16(ip + 10, ChecksumFinish(ChecksumAdd({ip, header})));
  const size_t total = LoadBe16(ip + 2);
  const bool fragment = (LoadBe16(ip + 6) & 0x3fff) != 0;
  if (total < header || total > room || fragment) return;
  const size_t field = ChecksumOffset(ip[9]);
  const size_t length = total - header;
  if (field == 0 || length < field + 2) return;
  uint8_t* l4 = ip + header;
  StoreBe16(l4 + field, 0);
  const PartialSum sum =
      ChecksumAdd({l4, length}, InitialSum(ip, ip[9], length));
  StoreBe16(l4 + field, ip[9] == ipv4::kUdp ? udp::FinishChecksum(sum)
                                            : ChecksumFinish(sum));
}

ParsedFrame ParseFrame(ByteView frame) {
  ParsedFrame out;
  if (ethernet::Parse(frame, out.ethernet) != ethernet::ParseStatus::kOk) {
    return out;
  }
  const ByteView inner = frame.subspan(out.ethernet.header_length);
  if (out.ethernet.ether_type == ethernet::kArp) {
    out.is_arp = arp::Parse(inner, out.arp) == arp::ParseStatus::kOk;
    return out;
  }
  if (out.ethernet.ether_type != ethernet::kIpv4) return out;
  out.is_ipv4 = ipv4::Parse(inner, out.ip, false) == ipv4::ParseStatus::kOk;
  if (!out.is_ipv4) return out;
  out.ip_payload = inner.subspan(out.ip.header_length, out.ip.PayloadLength());
  if (out.ip.fragment_offset != 0) return out;
  const ByteView l4 = out.ip_payload;
  switch (out.ip.protocol) {
    case ipv4::kTcp:
      out.is_tcp = tcp::Parse(l4, out.tcp) == tcp::ParseStatus::kOk;
      if (out.is_tcp) out.payload = l4.subspan(out.tcp.header_length);
      break;
    case ipv4::kUdp:
      // A first fragment's length field points past it.
      if (l4.size() < udp::kHeaderLength) break;
      out.is_udp = true;
      udp::Parse(l4, out.udp);
      out.payload = l4.subspan(udp::kHeaderLength);
      break;
    case ipv4::kIcmp:
      out.is_icmp = l4.size() >= 8;
      out.payload = l4;
      break;
    default:
      break;
  }
  return out;
}

const char* CheckFrame(ByteView frame, uint16_t mtu) {
  if (frame.size() < ethernet::kMinFrameLength) return "frame not padded";
  ethernet::Header eth;
  if (ethernet::Parse(frame, eth) != ethernet::ParseStatus::kOk) {
    return "no Ethernet II frame";
  }
  const ByteView inner = frame.subspan(eth.header_length);
  if (eth.ether_type == ethernet::kArp) {
    arp::Packet packet;
    return arp::Parse(inner, packet) == arp::ParseStatus::kOk ? nullptr
                                                              : "malformed ARP";
  }
  if (eth.ether_type != ethernet::kIpv4) return "unknown EtherType";
  ipv4::Header ip;
  if (ipv4::Parse(inner, ip, true) != ipv4::ParseStatus::kOk) {
    return "malformed IPv4 header, or its checksum";
  }
  if (ip.total_length > mtu) return "larger than the MTU";
  // RFC 3168: only routers set CE.
  const uint8_t ecn = ip.tos & ipv4::kEcnMask;
  if (ecn == ipv4::kEcnCe) return "a host marked a packet";
  if (ip.IsFragment()) return nullptr;
  const size_t field = ChecksumOffset(ip.protocol);
  if (field == 0) return "unknown protocol";
  const ByteView l4 = inner.subspan(ip.header_length, ip.PayloadLength());
  if (l4.size() < field + 2) return "transport header cut off";
  if (ip.protocol == ipv4::kUdp && LoadBe16(l4.data() + field) == 0) {
    return "UDP without a checksum";
  }
  const PartialSum sum =
      ChecksumAdd(l4, InitialSum(inner.data(), ip.protocol, l4.size()));
  if (ChecksumFold(sum) != 0xffff) return "bad transport checksum";
  tcp::Segment segment;
  if (ip.protocol == ipv4::kTcp &&
      tcp::Parse(l4, segment) != tcp::ParseStatus::kOk) {
    return "malformed TCP header";
  }
  // Section 6.1: only new data is ECN-capable.
  if (ip.protocol == ipv4::kTcp && ecn != 0 &&
      (segment.Has(tcp::kSyn | tcp::kRst) || segment.payload_length == 0)) {
    return "an ECN-capable segment that carries no data";
  }
  return nullptr;
}

std::string Describe(ByteView frame) {
  const ParsedFrame f = ParseFrame(frame);
  if (f.is_arp) {
    return absl::StrCat(
        "arp ", f.arp.operation == arp::kRequest ? "request " : "reply ",
        ToString(f.arp.target), " tell ", ToString(f.arp.sender));
  }
  if (!f.is_ipv4) return absl::StrCat("frame of ", frame.size(), " bytes");
  std::string text;
  if (f.is_tcp) {
    const uint32_t seq = f.tcp.seq.value();
    absl::StrAppendFormat(&text, "%s:%u > %s:%u %s %u:%u(%u) ack %u win %u",
                          ToString(f.ip.source), f.tcp.source_port,
                          ToString(f.ip.destination), f.tcp.destination_port,
                          FlagText(f.tcp.flags()), seq,
                          seq + f.tcp.payload_length, f.tcp.payload_length,
                          f.tcp.ack.value(), f.tcp.window);
    return text;
  }
  absl::StrAppendFormat(&text, "%s > %s proto %u, %u bytes",
                        ToString(f.ip.source), ToString(f.ip.destination),
                        f.ip.protocol, f.ip.PayloadLength());
  if (f.is_udp) {
    absl::StrAppendFormat(&text, ", udp %u > %u", f.udp.source_port,
                          f.udp.destination_port);
  }
  if (f.is_icmp) {
    absl::StrAppendFormat(&text, ", icmp type %u code %u", f.payload[0],
                          f.payload[1]);
  }
  if (f.ip.IsFragment()) {
    absl::StrAppendFormat(&text, ", fragment at %u%s", f.ip.fragment_offset,
                          f.ip.more_fragments ? "+" : "");
  }
  return text;
}

}  // namespace corelane::sim
