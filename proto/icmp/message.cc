#include "proto/icmp/message.h"

#include <algorithm>
#include <cstring>

#include "proto/base/checksum.h"
#include "proto/ipv4/header.h"

namespace corelane::icmp {
namespace {

void StoreChecksum(MutableByteView message) {
  StoreBe16(message.data() + 2, 0);
  StoreBe16(message.data() + 2, ChecksumFinish(ChecksumAdd(message)));
}

}  // namespace

ParseStatus Parse(ByteView bytes, bool verify_checksum, Message& out) {
  if (bytes.size() < kHeaderLength) return ParseStatus::kTruncated;
  if (verify_checksum && ChecksumFold(ChecksumAdd(bytes)) != 0xffff) {
    return ParseStatus::kBadChecksum;
  }
  out.type = bytes[0];
  out.code = bytes[1];
  out.rest = LoadBe32(bytes.data() + 4);
  out.body = bytes.subspan(kHeaderLength);
  return ParseStatus::kOk;
}

bool MayBeError(uint8_t type) {
  switch (type) {
    case kEchoReply:
    case kEchoRequest:
    case kTimestampRequest:
    case kTimestampReply:
      return false;
    default:
      return true;
  }
}

void TurnEchoRequestIntoReply(uint8_t* message) {
  const uint16_t before = LoadBe16(message);
  message[0] = kEchoReply;
  const uint16_t checksum =
      ChecksumUpdate16(LoadBe16(message + 2), before, LoadBe16(message));
  // 0 and all ones are the same number, except over a message of nothing but
  // zeros: of that the checksum is all ones, and otherwise both are right.
  StoreBe16(message + 2, checksum == 0 ? uint16_t{0xffff} : checksum);
}

void WriteEchoRequest(MutableByteView message, uint16_t identifier,
                      uint16_t sequence) {
  message[0] = kEchoRequest;
  message[1] = 0;
  StoreBe16(message.data() + 4, identifier);
  StoreBe16(message.data() + 6, sequence);
  StoreChecksum(message);
}

uint16_t WriteError(MutableByteView out, const Error& error,
                    ByteView offending) {
  if (offending.size() < ipv4::kHeaderLength) return 0;
  const size_t header_length = (offending[0] & 0x0fu) * size_t{4};
  const size_t datagram =
      std::min<size_t>(offending.size(), LoadBe16(offending.data() + 2));
  const size_t room = std::min<size_t>(out.size(), kMaxErrorLength) -
                      std::min<size_t>(out.size(), kHeaderLength);
  const size_t quoted = std::min(datagram, room);
  // RFC 792: the internet header and the first 64 bits of its data.
  if (quoted < std::min<size_t>(datagram, header_length + 8)) return 0;
  if (quoted < ipv4::kHeaderLength) return 0;

  out[0] = error.type;
  out[1] = error.code;
  const bool has_mtu =
      error.type == kUnreachable && error.code == kFragmentationNeeded;
  StoreBe16(out.data() + 4, 0);
  StoreBe16(out.data() + 6, has_mtu ? error.next_hop_mtu : uint16_t{0});
  std::memcpy(out.data() + kHeaderLength, offending.data(), quoted);
  const size_t length = kHeaderLength + quoted;
  StoreChecksum(out.first(length));
  return static_cast<uint16_t>(length);
}

QuoteStatus ParseQuoted(ByteView body, QuotedPacket& out) {
  if (body.size() < ipv4::kHeaderLength) return QuoteStatus::kTruncated;
  const uint8_t* p = body.data();
  if (p[0] >> 4 != 4) return QuoteStatus::kBadVersion;
  const size_t header_length = (p[0] & 0x0fu) * size_t{4};
  if (header_length < ipv4::kHeaderLength) {
    return QuoteStatus::kBadHeaderLength;
  }
  if (header_length > body.size()) return QuoteStatus::kTruncated;
  out.total_length = LoadBe16(p + 2);
  if (out.total_length < header_length) return QuoteStatus::kBadTotalLength;

  out.source = Ipv4Address(LoadBe32(p + 12));
  out.destination = Ipv4Address(LoadBe32(p + 16));
  out.protocol = p[9];
  out.first_fragment = (LoadBe16(p + 6) & 0x1fff) == 0;
  // What lies behind the quoted datagram's own end is not part of it.
  out.transport = body.subspan(
      header_length,
      std::min<size_t>(body.size(), out.total_length) - header_length);
  const bool tcp = out.protocol == ipv4::kTcp;
  out.has_ports = out.first_fragment && out.transport.size() >= 4 &&
                  (tcp || out.protocol == ipv4::kUdp);
  out.has_seq = out.has_ports && tcp && out.transport.size() >= 8;
  if (out.has_ports) {
    out.source_port = LoadBe16(out.transport.data());
    out.destination_port = LoadBe16(out.transport.data() + 2);
  }
  if (out.has_seq) out.seq = SeqNum(LoadBe32(out.transport.data() + 4));
  return QuoteStatus::kOk;
}

}  // namespace corelane::icmp
