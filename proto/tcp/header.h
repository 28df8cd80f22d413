// The TCP header on the wire (RFC 9293 section 3.1).
#ifndef CORELANE_PROTO_TCP_HEADER_H_
#define CORELANE_PROTO_TCP_HEADER_H_

#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/base/sequence.h"

namespace corelane::tcp {

inline constexpr uint16_t kHeaderLength = 20;  // without options

enum Flag : uint8_t {
  kFin = 0x01,
  kSyn = 0x02,
  kRst = 0x04,
  kPsh = 0x08,
  kAck = 0x10,
  kUrg = 0x20,
  kEce = 0x40,
  kCwr = 0x80,
};

// A received segment: the header's fields in host order, and where its options
// and payload lie. Views into the packet; valid as long as the packet is.
struct Segment {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  SeqNum seq;
  SeqNum ack;
  // Data offset and flags as they stand in the header (bytes 12 and 13), for
  // header prediction: 0x5010 is a bare 20-byte header with ACK.
  uint16_t offset_and_flags = 0;
  uint16_t window = 0;  // unscaled
  uint16_t header_length = 0;
  uint16_t payload_length = 0;
  const uint8_t* options = nullptr;
  // The IP header said "congestion experienced" (RFC 3168).
  bool ce = false;
  // Set by whoever has no memory for the payload: the acknowledgment counts,
  // text and FIN are as good as lost.
  bool text_refused = false;

  uint8_t flags() const { return static_cast<uint8_t>(offset_and_flags); }
  bool Has(uint8_t flag) const { return (flags() & flag) != 0; }
  ByteView OptionBytes() const {
    return {options, static_cast<size_t>(header_length - kHeaderLength)};
  }
  // SEG.LEN: what the segment takes up in sequence space.
  uint32_t Length() const {
    return payload_length + (Has(kSyn) ? 1u : 0u) + (Has(kFin) ? 1u : 0u);
  }
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,      // shorter than 20 bytes
  kBadDataOffset,  // below 5 words, or past the end of the segment
};

// Reads a segment, `bytes` being the IP payload. The checksum is verified
// elsewhere (the device may have done it).
inline ParseStatus Parse(ByteView bytes, Segment& out) {
  if (bytes.size() < kHeaderLength) return ParseStatus::kTruncated;
  const uint8_t* p = bytes.data();
  const uint16_t header_length = static_cast<uint16_t>((p[12] >> 4) * 4);
  if (header_length < kHeaderLength || header_length > bytes.size()) {
    return ParseStatus::kBadDataOffset;
  }
  out.source_port = LoadBe16(p);
  out.destination_port = LoadBe16(p + 2);
  out.seq = SeqNum(LoadBe32(p + 4));
  out.ack = SeqNum(LoadBe32(p + 8));
  out.offset_and_flags = LoadBe16(p + 12);
  out.window = LoadBe16(p + 14);
  out.header_length = header_length;
  out.payload_length = static_cast<uint16_t>(bytes.size() - header_length);
  out.options = p + kHeaderLength;
  return ParseStatus::kOk;
}

// What stands in a header to be sent; ports come from the connection.
struct HeaderFields {
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  SeqNum seq;
  SeqNum ack;
  uint8_t flags = 0;
  uint16_t window = 0;
  uint16_t header_length = kHeaderLength;
};

// Writes the fixed 20 bytes with a checksum field of 0.
inline void Write(uint8_t* p, const HeaderFields& h) {
  StoreBe16(p, h.source_port);
  StoreBe16(p + 2, h.destination_port);
  StoreBe32(p + 4, h.seq.value());
  StoreBe32(p + 8, h.ack.value());
  StoreBe16(p + 12,
            static_cast<uint16_t>((h.header_length / 4) << 12 | h.flags));
  StoreBe16(p + 14, h.window);
  StoreBe32(p + 16, 0);
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_HEADER_H_
