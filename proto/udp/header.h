// The UDP header on the wire (RFC 768).
#ifndef CORELANE_PROTO_UDP_HEADER_H_
#define CORELANE_PROTO_UDP_HEADER_H_

#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/checksum.h"

namespace corelane::udp {

inline constexpr uint16_t kHeaderLength = 8;
inline constexpr uint8_t kIpProtocol = 17;

struct Header {
  uint16_t source_port = 0;  // 0: the sender wants no answer
  uint16_t destination_port = 0;
  uint16_t length = kHeaderLength;  // header and payload
  uint16_t checksum = 0;            // 0: the sender computed none

  uint16_t PayloadLength() const {
    return static_cast<uint16_t>(length - kHeaderLength);
  }
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,           // shorter than 8 bytes
  kBadLength,           // length field below 8
  kLengthBeyondPacket,  // length field above what the IP datagram carries
  kZeroDestination,     // destination port 0 is reserved
  kBadChecksum,         // from ParseVerified only
};

// Reads a header; `bytes` is the whole IP payload. Bytes behind the UDP length
// are tolerated and no part of the datagram. The checksum is not verified.
inline ParseStatus Parse(ByteView bytes, Header& out) {
  if (bytes.size() < kHeaderLength) return ParseStatus::kTruncated;
  const uint8_t* p = bytes.data();
  out.source_port = LoadBe16(p);
  out.destination_port = LoadBe16(p + 2);
  out.length = LoadBe16(p + 4);
  out.checksum = LoadBe16(p + 6);
  if (out.length < kHeaderLength) return ParseStatus::kBadLength;
  if (out.length > bytes.size()) return ParseStatus::kLengthBeyondPacket;
  if (out.destination_port == 0) return ParseStatus::kZeroDestination;
  return ParseStatus::kOk;
}

// The same, and verifies the checksum where the sender computed one
// (RFC 1122 section 4.1.3.4).
inline ParseStatus ParseVerified(ByteView bytes, Ipv4Address source,
                                 Ipv4Address destination, Header& out) {
  const ParseStatus status = Parse(bytes, out);
  if (status != ParseStatus::kOk || out.checksum == 0) return status;
  const PartialSum sum =
      PseudoHeaderSum(source, destination, kIpProtocol, out.length);
  return ChecksumFold(ChecksumAdd(bytes.first(out.length), sum)) == 0xffff
             ? ParseStatus::kOk
             : ParseStatus::kBadChecksum;
}

// Writes the 8 bytes, with header.checksum as it stands: 0 for none, or what a
// device that fills it in expects.
inline void Write(uint8_t* out, const Header& header) {
  StoreBe16(out, header.source_port);
  StoreBe16(out + 2, header.destination_port);
  StoreBe16(out + 4, header.length);
  StoreBe16(out + 6, header.checksum);
}

// The value for the checksum field, given the sum of the pseudo-header, of the
// header with a checksum of 0, and of the payload: a computed 0 is sent as all
// ones, since 0 means "none" (RFC 768).
constexpr uint16_t FinishChecksum(PartialSum sum) {
  const uint16_t checksum = ChecksumFinish(sum);
  return checksum == 0 ? uint16_t{0xffff} : checksum;
}

// Fills in the checksum of a contiguous datagram whose header is written.
inline void WriteChecksum(MutableByteView datagram, Ipv4Address source,
                          Ipv4Address destination) {
  StoreBe16(datagram.data() + 6, 0);
  const PartialSum sum = PseudoHeaderSum(
      source, destination, kIpProtocol, static_cast<uint16_t>(datagram.size()));
  StoreBe16(datagram.data() + 6, FinishChecksum(ChecksumAdd(datagram, sum)));
}

}  // namespace corelane::udp

#endif  // CORELANE_PROTO_UDP_HEADER_H_
