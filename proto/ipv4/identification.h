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
  static constexpr uint32_t kMaxStep = 8;

  // A key of its own: parts of its hashes are seen by peers.
  FlowHashKey secret_;
  std::array<uint16_t, kCounters> counters_;
};

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_IDENTIFICATION_H_
