#include "proto/ipv4/identification.h"

namespace corelane::ipv4 {

IdentificationSource::IdentificationSource(const SipKey& secret, Rng& rng)
    : secret_{secret.k0, secret.k1} {
  for (uint16_t& counter : counters_) {
    counter = static_cast<uint16_t>(rng.Next32());
  }
}

uint16_t IdentificationSource::Next(Ipv4Address source, Ipv4Address destination,
                                    uint8_t protocol, Rng& rng) {
  // SipHash costs as much as all the rest of a datagram's way.
  const uint64_t hash = FlowHash(
      secret_, uint64_t{source.value()} << 32 | destination.value(), protocol);
  uint16_t& counter = counters_[hash % kCounters];
  counter = static_cast<uint16_t>(counter + rng.Between(1, kMaxStep));
  return static_cast<uint16_t>(counter + (hash >> 48));
}

}  // namespace corelane::ipv4
