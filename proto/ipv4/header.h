// The IPv4 header on the wire (RFC 791, RFC 1122 section 3.2.1).
#ifndef CORELANE_PROTO_IPV4_HEADER_H_
#define CORELANE_PROTO_IPV4_HEADER_H_

#include <cstdint>
#include <cstring>

#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/checksum.h"

namespace corelane::ipv4 {

inline constexpr uint16_t kHeaderLength = 20;  // without options
inline constexpr uint16_t kMaxHeaderLength = 60;
inline constexpr uint8_t kDefaultTtl = 64;
inline constexpr uint32_t kMaxTotalLength = 65535;
// What every link carries and every host takes (RFC 791 section 3.1).
inline constexpr uint16_t kMinMtu = 68;

enum Protocol : uint8_t {
  kIcmp = 1,
  kIgmp = 2,
  kTcp = 6,
  kUdp = 17,
};

// Explicit congestion notification (RFC 3168 section 5).
inline constexpr uint8_t kEcnMask = 0x03;
inline constexpr uint8_t kEcnCapable = 0x02;  // ECT(0)
inline constexpr uint8_t kEcnCe = 0x03;       // congestion experienced

// The fields in host order. Lengths and the fragment offset are in bytes.
struct Header {
  Ipv4Address source;
  Ipv4Address destination;
  uint8_t protocol = 0;
  uint8_t ttl = kDefaultTtl;
  uint8_t tos = 0;  // DSCP, and in the two lowest bits ECN
  bool dont_fragment = false;
  bool more_fragments = false;
  uint16_t id = 0;
  uint16_t fragment_offset = 0;  // a multiple of 8
  uint16_t header_length = kHeaderLength;
  uint16_t total_length = kHeaderLength;  // header and payload

  bool IsFragment() const { return more_fragments || fragment_offset != 0; }
  uint16_t PayloadLength() const {
    return static_cast<uint16_t>(total_length - header_length);
  }
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,            // fewer bytes than the header says it has
  kBadVersion,           // not 4
  kBadHeaderLength,      // IHL below 5
  kBadTotalLength,       // total length below the header's
  kLengthBeyondFrame,    // total length above what arrived
  kBadChecksum,          //
  kFragmentPastEnd,      // the datagram would pass 65535 ("ping of death")
  kSourceThisNetwork,    // 0.0.0.0/8
  kSourceLoopback,       // 127.0.0.0/8
  kSourceMulticast,      // 224.0.0.0/4
  kSourceBroadcast,      // 255.255.255.255
  kSourceReserved,       // the rest of 240.0.0.0/4
  kSourceIsDestination,  // "LAND"
  kDestinationThisNetwork,
  kDestinationLoopback,
  kDestinationReserved,  // 240.0.0.0/4 without 255.255.255.255
  kSourceRoute,          // LSRR or SSRR: never honoured, never reflected
  kBadOption,            // an option's length is impossible
};

namespace internal {

// What is the same with and without options: lengths, fragment bounds,
// addresses. `header_length` bytes are known to be there.
ParseStatus NameBadAddress(Ipv4Address source, Ipv4Address destination);
ParseStatus ParseUncommon(ByteView packet, Header& out, bool verify_checksum);

inline bool ChecksumGood(const uint8_t* p, uint16_t header_length) {
  PartialSum sum = 0;
  for (uint16_t i = 0; i < header_length; i += 4) {
    uint32_t word;
    std::memcpy(&word, p + i, sizeof(word));
    sum += word;
  }
  return ChecksumFold(sum) == 0xffff;
}

inline ParseStatus ParseFields(ByteView packet, uint16_t header_length,
                               Header& out, bool verify_checksum) {
  const uint8_t* p = packet.data();
  out.header_length = header_length;
  out.total_length = LoadBe16(p + 2);
  if (out.total_length < header_length) return ParseStatus::kBadTotalLength;
  if (out.total_length > packet.size()) return ParseStatus::kLengthBeyondFrame;
  if (verify_checksum && !ChecksumGood(p, header_length)) {
    return ParseStatus::kBadChecksum;
  }
  const uint16_t fragment = LoadBe16(p + 6);
  out.tos = p[1];
  out.id = LoadBe16(p + 4);
  out.dont_fragment = (fragment & 0x4000) != 0;
  out.more_fragments = (fragment & 0x2000) != 0;
  out.fragment_offset = static_cast<uint16_t>((fragment & 0x1fff) * 8);
  out.ttl = p[8];
  out.protocol = p[9];
  out.source = Ipv4Address(LoadBe32(p + 12));
  out.destination = Ipv4Address(LoadBe32(p + 16));
  // The reassembled datagram has the first fragment's header, which is at
  // least as long as this one's fixed part.
  if (uint32_t{out.fragment_offset} + out.PayloadLength() >
      kMaxTotalLength - kHeaderLength) {
    return ParseStatus::kFragmentPastEnd;
  }
  if (out.source.IsUnicastHost() && out.destination.IsUnicastHost() &&
      out.source != out.destination) [[likely]] {
    return ParseStatus::kOk;
  }
  return NameBadAddress(out.source, out.destination);
}

}  // namespace internal

// Reads and validates a header; `packet` starts at it and may have padding
// behind the datagram. With `verify_checksum` false the caller vouches for the
// header's checksum (a device that said "good"). Options are checked and
// skipped; a datagram that wants source routing is refused. `out` is complete
// when the result is kOk, else unspecified. Directed broadcasts are for the
// caller to find: they depend on its networks.
inline ParseStatus Parse(ByteView packet, Header& out, bool verify_checksum) {
  if (packet.size() < kHeaderLength) return ParseStatus::kTruncated;
  if (packet[0] == 0x45) [[likely]] {
    return internal::ParseFields(packet, kHeaderLength, out, verify_checksum);
  }
  return internal::ParseUncommon(packet, out, verify_checksum);
}

// Writes 20 bytes without options (`header.header_length` is not looked at;
// total_length must be set). The checksum is written too, or left 0 for a
// device that fills it in.
void Write(uint8_t* out, const Header& header, bool with_checksum = true);

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_HEADER_H_
