// SipHash (Aumasson, Bernstein): a keyed hash that an attacker who does not
// know the key can neither predict nor make collide.
#ifndef CORELANE_PROTO_BASE_SIPHASH_H_
#define CORELANE_PROTO_BASE_SIPHASH_H_

#include <cstdint>

#include "proto/base/bytes.h"

namespace corelane {

struct SipKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

// SipHash-2-4, the conservative variant. For secrets that protect a peer's
// connection: initial sequence numbers, cookies, ports.
uint64_t SipHash24(const SipKey& key, ByteView message);

// SipHash-1-3, for hash tables.
uint64_t SipHash13(const SipKey& key, ByteView message);

}  // namespace corelane

#endif  // CORELANE_PROTO_BASE_SIPHASH_H_
