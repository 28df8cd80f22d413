// Receive-side scaling: the key that spreads flows over queues.
#ifndef CORELANE_PMD_RSS_H_
#define CORELANE_PMD_RSS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::pmd {

inline constexpr size_t kRssKeyBytes = 40;  // of nearly every device

// A random Toeplitz key of `bytes` bytes (40 or more). Full rank: the low bits
// of the hash, which choose the queue, can be steered to every value by either
// port alone, which the port allocator relies on, and no key repeats itself as
// the symmetric ones do.
std::vector<uint8_t> RandomRssKey(Rng& rng, size_t bytes = kRssKeyBytes);

// Whether a key has the properties above.
bool IsFullRankRssKey(std::span<const uint8_t> key);

// How a device maps flows to queues, as read back from it.
struct RssMap {
  std::vector<uint8_t> key;        // empty: flows may arrive on any queue
  std::vector<uint16_t> queue_of;  // indexed by hash % size()
  uint64_t hash_types = 0;         // RTE_ETH_RSS_*
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_RSS_H_
