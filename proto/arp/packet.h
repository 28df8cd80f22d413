// ARP for IPv4 over Ethernet (RFC 826), and nothing else.
#ifndef CORELANE_PROTO_ARP_PACKET_H_
#define CORELANE_PROTO_ARP_PACKET_H_

#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/bytes.h"

namespace corelane::arp {

inline constexpr uint16_t kPacketLength = 28;

enum Operation : uint16_t {
  kRequest = 1,
  kReply = 2,
};

struct Packet {
  uint16_t operation = kRequest;
  MacAddress sender_mac;
  Ipv4Address sender;
  MacAddress target_mac;
  Ipv4Address target;

  // Somebody asks whether an address is free (RFC 5227 section 1.1).
  bool IsProbe() const { return operation == kRequest && sender.IsAny(); }
  // Somebody tells everybody about himself.
  bool IsGratuitous() const { return sender == target; }
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,          // shorter than 28 bytes
  kNotEthernet,        // hardware type other than 1
  kNotIpv4,            // protocol type other than 0x0800
  kBadAddressLengths,  // other than 6 and 4
  kUnknownOperation,   // neither request nor reply
  kBadSenderMac,       // zero or a group address
  kBadSenderAddress,   // no host's address, and no probe either
};

// Reads a packet; `bytes` starts behind the Ethernet header and may be padded.
inline ParseStatus Parse(ByteView bytes, Packet& out) {
  if (bytes.size() < kPacketLength) return ParseStatus::kTruncated;
  const uint8_t* p = bytes.data();
  if (LoadBe16(p) != 1) return ParseStatus::kNotEthernet;
  if (LoadBe16(p + 2) != 0x0800) return ParseStatus::kNotIpv4;
  if (p[4] != 6 || p[5] != 4) return ParseStatus::kBadAddressLengths;
  out.operation = LoadBe16(p + 6);
  out.sender_mac = MacAddress::Load(p + 8);
  out.sender = Ipv4Address(LoadBe32(p + 14));
  out.target_mac = MacAddress::Load(p + 18);
  out.target = Ipv4Address(LoadBe32(p + 24));
  if (out.operation != kRequest && out.operation != kReply) {
    return ParseStatus::kUnknownOperation;
  }
  if (out.sender_mac.IsMulticast() || out.sender_mac.IsZero()) {
    return ParseStatus::kBadSenderMac;
  }
  if (!out.sender.IsUnicastHost() && !out.IsProbe()) {
    return ParseStatus::kBadSenderAddress;
  }
  return ParseStatus::kOk;
}

// Writes the 28 bytes.
inline void Write(uint8_t* out, const Packet& packet) {
  StoreBe16(out, 1);
  StoreBe16(out + 2, 0x0800);
  out[4] = 6;
  out[5] = 4;
  StoreBe16(out + 6, packet.operation);
  packet.sender_mac.Store(out + 8);
  StoreBe32(out + 14, packet.sender.value());
  packet.target_mac.Store(out + 18);
  StoreBe32(out + 24, packet.target.value());
}

// The answer of the owner of `own_mac` to a request for `request.target`.
inline Packet ReplyTo(const Packet& request, const MacAddress& own_mac) {
  return {.operation = kReply,
          .sender_mac = own_mac,
          .sender = request.target,
          .target_mac = request.sender_mac,
          .target = request.sender};
}

}  // namespace corelane::arp

#endif  // CORELANE_PROTO_ARP_PACKET_H_
