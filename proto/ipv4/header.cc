#include "proto/ipv4/header.h"

namespace corelane::ipv4 {
namespace {

enum OptionType : uint8_t {
  kEndOfList = 0,
  kNoOperation = 1,
  kRecordRoute = 7,
  kTimestamp = 68,
  kLooseSourceRoute = 131,
  kStrictSourceRoute = 137,
};

// Every turn consumes at least one byte, so at most 40 turns.
ParseStatus CheckOptions(ByteView options) {
  while (!options.empty()) {
    const uint8_t type = options[0];
    if (type == kEndOfList) return ParseStatus::kOk;
    if (type == kNoOperation) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return ParseStatus::kBadOption;
    const uint8_t length = options[1];
    // Type, length and, where there is one, the pointer (RFC 791 section 3.1).
    uint8_t least = 2;
    if (type == kRecordRoute) least = 3;
    if (type == kTimestamp) least = 4;
    if (length < least || length > options.size()) {
      return ParseStatus::kBadOption;
    }
    if (type == kLooseSourceRoute || type == kStrictSourceRoute) {
      return ParseStatus::kSourceRoute;
    }
    options = options.subspan(length);
  }
  return ParseStatus::kOk;
}

}  // namespace

namespace internal {

ParseStatus NameBadAddress(Ipv4Address source, Ipv4Address destination) {
  if (source.IsThisNetwork()) return ParseStatus::kSourceThisNetwork;
  if (source.IsLoopback()) return ParseStatus::kSourceLoopback;
  if (source.IsMulticast()) return ParseStatus::kSourceMulticast;
  if (source.IsBroadcast()) return ParseStatus::kSourceBroadcast;
  if (source.IsReserved()) return ParseStatus::kSourceReserved;
  if (source == destination) return ParseStatus::kSourceIsDestination;
  if (destination.IsThisNetwork()) return ParseStatus::kDestinationThisNetwork;
  if (destination.IsLoopback()) return ParseStatus::kDestinationLoopback;
  if (destination.IsReserved() && !destination.IsBroadcast()) {
    return ParseStatus::kDestinationReserved;
  }
  return ParseStatus::kOk;
}

ParseStatus ParseUncommon(ByteView packet, Header& out, bool verify_checksum) {
  if (packet[0] >> 4 != 4) return ParseStatus::kBadVersion;
  const auto header_length = static_cast<uint16_t>((packet[0] & 0x0f) * 4);
  if (header_length < kHeaderLength) return ParseStatus::kBadHeaderLength;
  if (header_length > packet.size()) return ParseStatus::kTruncated;
  const ParseStatus status =
      ParseFields(packet, header_length, out, verify_checksum);
  if (status != ParseStatus::kOk) return status;
  return CheckOptions(
      packet.subspan(kHeaderLength, header_length - kHeaderLength));
}

}  // namespace internal

void Write(uint8_t* out, const Header& header, bool with_checksum) {
  out[0] = 0x45;
  out[1] = header.tos;
  StoreBe16(out + 2, header.total_length);
  StoreBe16(out + 4, header.id);
  const int fragment = (header.dont_fragment ? 0x4000 : 0) |
                       (header.more_fragments ? 0x2000 : 0) |
                       header.fragment_offset / 8;
  StoreBe16(out + 6, static_cast<uint16_t>(fragment));
  out[8] = header.ttl;
  out[9] = header.protocol;
  StoreBe16(out + 10, 0);
  StoreBe32(out + 12, header.source.value());
  StoreBe32(out + 16, header.destination.value());
  if (with_checksum) {
    StoreBe16(out + 10, ChecksumFinish(ChecksumAdd({out, kHeaderLength})));
  }
}

}  // namespace corelane::ipv4
