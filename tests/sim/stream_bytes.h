// The bytes that applications of the simulation exchange: a function of the
// seed, the connection, the direction and the offset, so that a gap, a repeat
// or a swap shows at once.
#ifndef CORELANE_TESTS_SIM_STREAM_BYTES_H_
#define CORELANE_TESTS_SIM_STREAM_BYTES_H_

#include <cstdint>

#include "proto/base/bytes.h"

namespace corelane::sim {

class StreamBytes {
 public:
  StreamBytes() = default;
  StreamBytes(uint64_t seed, uint32_t connection, uint32_t direction);

  // A run of the stream's bytes from `offset` on: at least one, at most
  // `length`, in memory that lives for ever.
  ByteView At(uint64_t offset, uint64_t length) const;

  // Whether `bytes` are the stream's bytes from `offset` on.
  bool Matches(uint64_t offset, ByteView bytes) const;

 private:
  uint32_t start_ = 0;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_STREAM_BYTES_H_
