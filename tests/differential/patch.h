// Changing fields of a frame so that its checksums stay as right or as wrong as
// they were (RFC 1624).
#ifndef CORELANE_TESTS_DIFFERENTIAL_PATCH_H_
#define CORELANE_TESTS_DIFFERENTIAL_PATCH_H_

#include <cstddef>
#include <cstdint>

#include "tests/sim/frames.h"

namespace corelane::sim {

// 16 bits of an IPv4 address at `at`: in both sums.
void PatchAddress(Frame& frame, size_t at, uint16_t value);
// 32 bits within the TCP header at `at`, at any alignment.
void PatchTcp(Frame& frame, size_t at, uint32_t value);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DIFFERENTIAL_PATCH_H_
