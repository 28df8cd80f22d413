// Making and reading frames, for peers that are scripted and for faults that
// depend on what a frame says.
#ifndef CORELANE_TESTS_SIM_FRAMES_H_
#define CORELANE_TESTS_SIM_FRAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/arp/packet.h"
#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/ethernet/header.h"
#include "proto/ipv4/header.h"
#include "proto/tcp/header.h"
#include "proto/udp/header.h"

namespace corelane::sim {

using Frame = std::vector<uint8_t>;

// Who a frame is from and for, on both layers.
struct Ends {
  MacAddress source_mac;
  MacAddress destination_mac;
  Ipv4Address source;
  Ipv4Address destination;
  uint16_t vlan = ethernet::kNoVlan;

  Ends Reversed() const {
    return {destination_mac, source_mac, destination, source, vlan};
  }
};

struct TcpFields {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t seq = 0;
  uint32_t ack = 0;
  uint8_t flags = 0;
  uint16_t window = 65535;
  uint16_t urgent = 0;
  uint8_t tos = 0;
  uint8_t ttl = ipv4::kDefaultTtl;
  std::vector<uint8_t> options;  // padded with zeros to a multiple of 4
  std::vector<uint8_t> payload;
};

// Complete frames with good checksums.
Frame EthernetFrame(const Ends& ends, uint16_t ether_type, ByteView payload);
Frame ArpFrame(const Ends& ends, const arp::Packet& packet);
// `header` gives all but addresses and total length.
Frame Ipv4Frame(const Ends& ends, ipv4::Header header, ByteView payload);
Frame TcpFrame(const Ends& ends, const TcpFields& fields);
Frame UdpFrame(const Ends& ends, uint16_t source_port,
               uint16_t destination_port, ByteView payload);
// `message` is a whole ICMP message; its checksum is filled in.
Frame IcmpFrame(const Ends& ends, std::vector<uint8_t> message);

// Where the IPv4 header stands, or 0 if the frame is not IPv4.
size_t Ipv4Offset(ByteView frame);
// Puts the right checksums into an IPv4 frame, as far as its lengths make
// sense: for frames that were made or changed by hand.
void FixChecksums(Frame& frame);

// What a frame holds, as far as it can be read without judging it.
struct ParsedFrame {
  bool is_arp = false;
  bool is_ipv4 = false;
  bool is_tcp = false;
  bool is_udp = false;
  bool is_icmp = false;
  ethernet::Header ethernet;
  arp::Packet arp;
  ipv4::Header ip;
  ByteView ip_payload;
  tcp::Segment tcp;
  ByteView payload;  // of TCP, UDP; the message of ICMP
  udp::Header udp;
};
ParsedFrame ParseFrame(ByteView frame);

// What is wrong with a frame that a stack sent; nullptr if nothing is. `mtu`
// bounds the IP packet.
const char* CheckFrame(ByteView frame, uint16_t mtu);

// "10.0.0.1:80 > 10.0.0.2:3000 S. 12:12(0) ack 4 win 65535", for people.
std::string Describe(ByteView frame);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_FRAMES_H_
