#include "proto/ipv4/identification.h"

namespace corelane::ipv4 {

IdentificationSource::IdentificationSource(const SipKey& secret, Rng& rng)
    : secret_(secret) {
  for (uint16_t& counter : counters_) {
    counter = static_cast<uint16_t>(rng.Next32());
  }
}

uint16_t IdentificationSource::Next(Ipv4Address source, Ipv4Address destination,
                                    uint8_t protocol, Rng& rng) {
  uint8_t triple[9];
  StoreBe32(triple, source.value());
  StoreBe32(triple + 4, destination.value());
  triple[8] = protocol;
  const uint64_t hash = SipHash24(secret_, triple);
  uint16_t& counter = counters_[hash % kCounters];
  counter = static_cast<uint16_t>(counter + rng.Between(1, kMaxStep));
  return static_cast<uint16_t>(counter + (hash >> 48));
}

}  // namespace corelane::ipv4
