#include "pmd/rss.h"

#include <algorithm>
#include <array>

namespace corelane::pmd {
namespace {

// Reduction tables have up to 512 entries.
constexpr int kIndexBits = 9;
// Of the hashed IPv4 4-tuple: 2 x 32 bits of address, then the ports.
constexpr size_t kTupleBits = 96;
constexpr size_t kSourcePortBit = 64;
constexpr size_t kDestinationPortBit = 80;
constexpr size_t kPortBits = 16;

// The 32 bits of the key that input bit `bit` adds to the hash.
uint32_t Window(std::span<const uint8_t> key, size_t bit) {
  uint64_t word = 0;
  for (size_t i = 0; i < 5; ++i) word = word << 8 | key[bit / 8 + i];
  return static_cast<uint32_t>(word >> (8 - bit % 8));
}

// The dimension of what input bits [first, first + count) can do to the bits
// of the hash in `mask`.
int Rank(std::span<const uint8_t> key, size_t first, size_t count,
         uint32_t mask) {
  std::array<uint32_t, 32> basis{};
  int rank = 0;
  for (size_t bit = first; bit < first + count; ++bit) {
    uint32_t row = Window(key, bit) & mask;
    while (row != 0) {
      const auto top = static_cast<size_t>(31 - __builtin_clz(row));
      if (basis[top] == 0) {
        basis[top] = row;
        ++rank;
        break;
      }
      row ^= basis[top];
    }
  }
  return rank;
}

// A key with a period hashes flows to the same value that differ by a shift;
// period 16 is the well-known symmetric one.
bool HasShortPeriod(std::span<const uint8_t> key) {
  for (const size_t period : {1, 2, 4, 8}) {
    if (std::equal(key.begin() + static_cast<std::ptrdiff_t>(period), key.end(),
                   key.begin())) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsFullRankRssKey(std::span<const uint8_t> key) {
  if (key.size() < kRssKeyBytes || HasShortPeriod(key)) return false;
  constexpr uint32_t kIndexMask = (1u << kIndexBits) - 1;
  return Rank(key, 0, kTupleBits, ~uint32_t{0}) == 32 &&
         Rank(key, kSourcePortBit, kPortBits, kIndexMask) == kIndexBits &&
         Rank(key, kDestinationPortBit, kPortBits, kIndexMask) == kIndexBits;
}

std::vector<uint8_t> RandomRssKey(Rng& rng, size_t bytes) {
  std::vector<uint8_t> key(std::max(bytes, kRssKeyBytes));
  // All but about one key in 64 have full rank.
  do {
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(rng.Next64());
  } while (!IsFullRankRssKey(key));
  return key;
}

}  // namespace corelane::pmd
