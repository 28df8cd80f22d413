// The identification field of datagrams that may be fragmented.
#ifndef CORELANE_PROTO_IPV4_IDENTIFICATION_H_
#define CORELANE_PROTO_IPV4_IDENTIFICATION_H_

#include <array>
#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/hash.h"
#include "proto/base/rng.h"
#include "proto/base/siphash.h"

namespace corelane::ipv4 {

// Hands out identifications that one (source, destination, protocol) does not
// see again soon (RFC 791), and that nobody can use to count what we send to
// others, as with a global counter (RFC 7739 section 4.4 gives the problem).
// Counters are shared by keyed hash, start at random values and move in random
// steps, and every triple adds a secret offset of its own.
class IdentificationSource {
 public:
  IdentificationSource(const SipKey& secret, Rng& rng);

  uint16_t Next(Ipv4Address source, Ipv4Address destination, uint8_t protocol,
                Rng& rng);

 private:
  static constexpr uint32_t kCounters = 2048;
  // Steps of 4.5 on average: about 14,000 datagrams before a value returns.
  static constexpr uint32_t kStepBits = 3;
  static constexpr uint32_t kMaxStep = 1u << kStepBits;

  // A key of its own: parts of its hashes are seen by peers.
  FlowHashKey secret_;
  std::array<uint16_t, kCounters> counters_;
  uint64_t steps_ = 0;  // random bits, for the next steps_left_ of them
  uint32_t steps_left_ = 0;
};

inline uint16_t IdentificationSource::Next(Ipv4Address source,
                                           Ipv4Address destination,
                                           uint8_t protocol, Rng& rng) {
  // SipHash costs as much as all the rest of a datagram's way.
  const uint64_t hash = FlowHash(
      secret_, uint64_t{source.value()} << 32 | destination.value(), protocol);
  uint16_t& counter = counters_[hash % kCounters];
  if (steps_left_ == 0) {  // a random number costs as much as the rest
    steps_ = rng.Next64();
    steps_left_ = 64 / kStepBits;
  }
  counter = static_cast<uint16_t>(counter + 1 + steps_ % kMaxStep);
  steps_ >>= kStepBits;
  --steps_left_;
  return static_cast<uint16_t>(counter + (hash >> 48));
}

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_IDENTIFICATION_H_
