#include "tests/sim/stream_bytes.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::sim {
namespace {

// All streams are windows of one long random string, each from a place of its
// own: cheap to make and to compare. Its length is a prime, so that no round
// number of bytes, lost or repeated, leads back to the same place.
constexpr uint32_t kPeriod = 1'048'573;

const std::vector<uint8_t>& Text() {
  static const auto& text = *new std::vector<uint8_t>([] {
    std::vector<uint8_t> bytes(kPeriod + 8);
    Rng rng(0x7e87);
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      const uint64_t word = rng.Next64();
      std::memcpy(&bytes[i], &word, 8);
    }
    bytes.resize(kPeriod);
    return bytes;
  }());
  return text;
}

}  // namespace

StreamBytes::StreamBytes(uint64_t seed, uint32_t connection, uint32_t direction)
    : start_(Rng(seed, uint64_t{connection} << 8 | direction).Below(kPeriod)) {}

ByteView StreamBytes::At(uint64_t offset, uint64_t length) const {
  const auto at = static_cast<size_t>((start_ + offset) % kPeriod);
  return ByteView(Text()).subspan(
      at, std::min<size_t>(static_cast<size_t>(length), kPeriod - at));
}

bool StreamBytes::Matches(uint64_t offset, ByteView bytes) const {
  while (!bytes.empty()) {
    const ByteView want = At(offset, bytes.size());
    if (std::memcmp(want.data(), bytes.data(), want.size()) != 0) return false;
    offset += want.size();
    bytes = bytes.subspan(want.size());
  }
  return true;
}

}  // namespace corelane::sim
