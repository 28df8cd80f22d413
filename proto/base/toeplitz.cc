#include "proto/base/toeplitz.h"

namespace corelane {
namespace {

// The 32 bits of the key that begin at bit `bit`.
uint32_t Window(ByteView key, size_t bit) {
  uint64_t word = 0;
  for (size_t i = 0; i < 5; ++i) word = word << 8 | key[bit / 8 + i];
  return static_cast<uint32_t>(word >> (8 - bit % 8));
}

}  // namespace

Toeplitz::Toeplitz(ByteView key) {
  for (size_t byte = 0; byte < table_.size(); ++byte) {
    for (size_t value = 0; value < 256; ++value) {
      uint32_t hash = 0;
      for (size_t bit = 0; bit < 8; ++bit) {
        if ((value & (0x80u >> bit)) != 0) hash ^= Window(key, byte * 8 + bit);
      }
      table_[byte][value] = hash;
    }
  }
}

}  // namespace corelane
