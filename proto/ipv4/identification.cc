#include "proto/ipv4/identification.h"

namespace corelane::ipv4 {

IdentificationSource::IdentificationSource(const SipKey& secret, Rng& rng)
    : secret_{secret.k0, secret.k1} {
  for (uint16_t& counter : counters_) {
    counter = static_cast<uint16_t>(rng.Next32());
  }
}

}  // namespace corelane::ipv4
