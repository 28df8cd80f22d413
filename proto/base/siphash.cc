#include "proto/base/siphash.h"

#include <bit>
#include <cstring>

namespace corelane {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13);
    v1 ^= v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16);
    v3 ^= v2;
    v0 += v3;
    v3 = std::rotl(v3, 21);
    v3 ^= v0;
    v2 += v1;
    v1 = std::rotl(v1, 17);
    v1 ^= v2;
    v2 = std::rotl(v2, 32);
  }
};

template <int kCompressionRounds, int kFinalRounds>
uint64_t SipHash(const SipKey& key, ByteView message) {
  SipState s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
             key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
  const uint8_t* p = message.data();
  size_t n = message.size();
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t m;
    std::memcpy(&m, p, 8);
    s.v3 ^= m;
    for (int i = 0; i < kCompressionRounds; ++i) s.Round();
    s.v0 ^= m;
  }
  uint64_t last = static_cast<uint64_t>(message.size()) << 56;
  for (size_t i = 0; i < n; ++i) last |= static_cast<uint64_t>(p[i]) << (8 * i);
  s.v3 ^= last;
  for (int i = 0; i < kCompressionRounds; ++i) s.Round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < kFinalRounds; ++i) s.Round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace

uint64_t SipHash24(const SipKey& key, ByteView message) {
  return SipHash<2, 4>(key, message);
}

uint64_t SipHash13(const SipKey& key, ByteView message) {
  return SipHash<1, 3>(key, message);
}

}  // namespace corelane
