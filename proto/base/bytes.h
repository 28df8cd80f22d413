// Unaligned big-endian loads and stores: the only way the wire is read.
#ifndef CORELANE_PROTO_BASE_BYTES_H_
#define CORELANE_PROTO_BASE_BYTES_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace corelane {

// A borrowed run of bytes. Whoever hands one out says how long it lives.
using ByteView = std::span<const uint8_t>;
using MutableByteView = std::span<uint8_t>;

static_assert(std::endian::native == std::endian::little,
              "the byte swaps below assume a little-endian host");

inline uint16_t LoadBe16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, sizeof(v));
  return __builtin_bswap16(v);
}

inline uint32_t LoadBe32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof(v));
  return __builtin_bswap32(v);
}

inline void StoreBe16(uint8_t* p, uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(p, &v, sizeof(v));
}

inline void StoreBe32(uint8_t* p, uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, sizeof(v));
}

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_BYTES_H_
