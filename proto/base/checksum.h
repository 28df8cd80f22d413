// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
#ifndef CORELANE_PROTO_BASE_CHECKSUM_H_
#define CORELANE_PROTO_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/bytes.h"

namespace corelane {

// A partial one's-complement sum in *memory* byte order, not yet folded.
// Partial sums of adjacent runs add up as long as each run but the last has an
// even length; after an odd one, use ChecksumSwap.
using PartialSum = uint64_t;

// The sum of `bytes`, as if it started at an even offset. Any alignment; an
// odd last byte is padded with zero.
PartialSum ChecksumAdd(ByteView bytes, PartialSum sum = 0);

// Adds one big-endian field (given in host order) to a sum.
constexpr PartialSum ChecksumAdd16(uint16_t host_order, PartialSum sum) {
  return sum + __builtin_bswap16(host_order);
}
constexpr PartialSum ChecksumAdd32(uint32_t host_order, PartialSum sum) {
  return sum + __builtin_bswap32(host_order);
}

// Folds to 16 bits, in memory byte order, not complemented.
constexpr uint16_t ChecksumFold(PartialSum sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// The sum of a run that starts at an odd offset of the whole.
constexpr PartialSum ChecksumSwap(PartialSum sum) {
  return __builtin_bswap16(ChecksumFold(sum));
}

// What goes into the checksum field: in host order, for StoreBe16.
constexpr uint16_t ChecksumFinish(PartialSum sum) {
  return __builtin_bswap16(static_cast<uint16_t>(~ChecksumFold(sum)));
}

// The TCP/UDP pseudo-header (RFC 9293 section 3.1, RFC 768).
constexpr PartialSum PseudoHeaderSum(Ipv4Address source,
                                     Ipv4Address destination, uint8_t protocol,
                                     uint16_t length) {
  PartialSum sum = ChecksumAdd32(source.value(), 0);
  sum = ChecksumAdd32(destination.value(), sum);
  sum = ChecksumAdd16(protocol, sum);
  return ChecksumAdd16(length, sum);
}

// The new checksum field after a 16-bit field changed from `from` to `to`, all
// in host order (RFC 1624 equation 3, which has no 0x0000/0xffff corner).
constexpr uint16_t ChecksumUpdate16(uint16_t checksum, uint16_t from,
                                    uint16_t to) {
  uint32_t sum = static_cast<uint16_t>(~checksum);
  sum += static_cast<uint16_t>(~from);
  sum += to;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_CHECKSUM_H_
