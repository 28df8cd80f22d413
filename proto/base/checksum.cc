#include "proto/base/checksum.h"

#include <cstring>

namespace corelane {

PartialSum ChecksumAdd(ByteView bytes, PartialSum sum) {
  const uint8_t* p = bytes.data();
  size_t n = bytes.size();
  // 32-bit words into 64-bit accumulators: no carry can be lost below 16 GiB,
  // and compilers turn the loop into SIMD.
  uint64_t a = 0;
  uint64_t b = 0;
  for (; n >= 8; n -= 8, p += 8) {
    uint32_t x;
    uint32_t y;
    std::memcpy(&x, p, 4);
    std::memcpy(&y, p + 4, 4);
    a += x;
    b += y;
  }
  if (n >= 4) {
    uint32_t x;
    std::memcpy(&x, p, 4);
    a += x;
    n -= 4;
    p += 4;
  }
  if (n >= 2) {
    uint16_t x;
    std::memcpy(&x, p, 2);
    b += x;
    n -= 2;
    p += 2;
  }
  if (n == 1) b += *p;  // low byte of a little-endian word: padded with zero
  sum += a;
  if (sum < a) ++sum;
  sum += b;
  if (sum < b) ++sum;
  return sum;
}

}  // namespace corelane
