#include "dataplane/flow/socket_table.h"

#include <bit>

namespace corelane::dataplane {
namespace {

size_t BucketCount(uint32_t capacity) {
  // Half load: 4 of 8 slots in use on average.
  const size_t wanted = (size_t{capacity} + 3) / 4;
  return std::bit_ceil(wanted < 2 ? size_t{2} : wanted);
}

}  // namespace

SocketTable::SocketTable(uint32_t capacity, const FlowHashKey& key,
                         const std::array<Records, 4>& records)
    : key_(key),
      records_(records),
      mask_(BucketCount(capacity) - 1),
      buckets_(BucketCount(capacity)) {}

bool SocketTable::Insert(uint64_t hash, Entry entry) {
  if (size_ >= (mask_ + 1) * kSlots) return false;
  ++version_;
  size_t b = Home(hash);
  for (;;) {
    Bucket& bucket = buckets_[b];
    const uint32_t free = Match(bucket, 0);
    if (free != 0) {
      const auto slot = static_cast<size_t>(std::countr_zero(free));
      bucket.tags[slot] = TagOf(hash);
      bucket.entries[slot] = entry;
      ++size_;
      return true;
    }
    ++bucket.overflow;
    b = (b + 1) & mask_;
  }
}

Entry* SocketTable::Locate(uint64_t hash, Entry entry, bool erase) {
  const uint16_t tag = TagOf(hash);
  size_t b = Home(hash);
  for (size_t probes = 0; probes <= mask_; ++probes) {
    Bucket& bucket = buckets_[b];
    for (uint32_t bits = Match(bucket, tag); bits != 0; bits &= bits - 1) {
      const auto slot = static_cast<size_t>(std::countr_zero(bits));
      if (bucket.entries[slot] == entry) {
        if (erase) bucket.tags[slot] = 0;
        return &bucket.entries[slot];
      }
    }
    if (erase) --bucket.overflow;
    b = (b + 1) & mask_;
  }
  return nullptr;
}

void SocketTable::Erase(uint64_t hash, Entry entry) {
  ++version_;
  *Locate(hash, entry, /*erase=*/true) = Entry();
  --size_;
}

void SocketTable::Replace(uint64_t hash, Entry from, Entry to) {
  ++version_;
  *Locate(hash, from, /*erase=*/false) = to;
}

}  // namespace corelane::dataplane
