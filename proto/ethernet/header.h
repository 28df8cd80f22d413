// Ethernet II framing, with at most one 802.1Q tag.
#ifndef CORELANE_PROTO_ETHERNET_HEADER_H_
#define CORELANE_PROTO_ETHERNET_HEADER_H_

#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/bytes.h"

namespace corelane::ethernet {

enum EtherType : uint16_t {
  kIpv4 = 0x0800,
  kArp = 0x0806,
  kVlan = 0x8100,  // 802.1Q customer tag
  kIpv6 = 0x86dd,
  kServiceVlan = 0x88a8,  // 802.1ad, never accepted
};

inline constexpr uint16_t kHeaderLength = 14;  // without a tag
inline constexpr uint16_t kTagLength = 4;
// The smallest frame without its FCS; shorter packets are padded to it.
inline constexpr uint16_t kMinFrameLength = 60;
inline constexpr uint16_t kNoVlan = 0xffff;

struct Header {
  MacAddress destination;
  MacAddress source;
  uint16_t ether_type = 0;  // of what follows the tag, if there is one
  uint16_t vlan = kNoVlan;  // 12-bit VLAN id; 0 for a priority tag
  uint16_t header_length = kHeaderLength;  // 14, or 18 with a tag
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,     // shorter than its header
  kIeee8023Llc,   // a length field (<= 1500): spanning tree and its like
  kBadLength,     // 1501..1535: neither a length nor a type
  kNestedVlan,    // a second tag, or an 802.1ad one
  kReservedVlan,  // VLAN id 0xfff
  kGroupSource,   // the source has the group bit set
};

// Reads the header of a frame given without its FCS. `out` is complete when
// the result is kOk or kIeee8023Llc (ether_type is then the length), else
// unspecified.
inline ParseStatus Parse(ByteView frame, Header& out) {
  if (frame.size() < kHeaderLength) return ParseStatus::kTruncated;
  const uint8_t* p = frame.data();
  out.destination = MacAddress::Load(p);
  out.source = MacAddress::Load(p + 6);
  out.ether_type = LoadBe16(p + 12);
  out.vlan = kNoVlan;
  out.header_length = kHeaderLength;
  if (out.source.IsMulticast()) return ParseStatus::kGroupSource;
  if (out.ether_type == kVlan) {
    if (frame.size() < kHeaderLength + kTagLength) {
      return ParseStatus::kTruncated;
    }
    out.vlan = LoadBe16(p + 14) & 0x0fff;
    out.ether_type = LoadBe16(p + 16);
    out.header_length = kHeaderLength + kTagLength;
    if (out.vlan == 0x0fff) return ParseStatus::kReservedVlan;
    if (out.ether_type == kVlan) return ParseStatus::kNestedVlan;
  }
  if (out.ether_type >= 1536) [[likely]] {
    return out.ether_type == kServiceVlan ? ParseStatus::kNestedVlan
                                          : ParseStatus::kOk;
  }
  return out.ether_type <= 1500 ? ParseStatus::kIeee8023Llc
                                : ParseStatus::kBadLength;
}

// Writes 14 bytes, or 18 when `header.vlan` is set (header_length is not
// looked at); `out` must have room. Returns how many.
inline uint16_t Write(uint8_t* out, const Header& header) {
  header.destination.Store(out);
  header.source.Store(out + 6);
  if (header.vlan == kNoVlan) {
    StoreBe16(out + 12, header.ether_type);
    return kHeaderLength;
  }
  StoreBe16(out + 12, kVlan);
  StoreBe16(out + 14, header.vlan);
  StoreBe16(out + 16, header.ether_type);
  return kHeaderLength + kTagLength;
}

}  // namespace corelane::ethernet

#endif  // CORELANE_PROTO_ETHERNET_HEADER_H_
