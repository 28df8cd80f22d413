// From (addresses, ports) to a connection, a connection request, a TIME-WAIT
// record, or the core where the connection went. One table per core, so no
// lock.
//
// One bucket is one cache line: eight 16-bit tags, eight 32-bit entries, and a
// count of the entries that had to go on to the next bucket. The tags are
// compared with one SIMD instruction. The full key stays in the record, whose
// first line is needed anyway, and is always compared: a tag is never trusted.
//
// A look-up is done in stages over a burst, so that the cache misses of its
// packets overlap: PrefetchBucket for all, PrefetchRecord for all, then Find.
#ifndef CORELANE_DATAPLANE_FLOW_SOCKET_TABLE_H_
#define CORELANE_DATAPLANE_FLOW_SOCKET_TABLE_H_

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/flow/table_memory.h"
#include "proto/base/hash.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

enum class EntryKind : uint32_t { kConnection, kRequest, kTimeWait, kMoved };

// A record's kind and its index in that kind's slab.
class Entry {
 public:
  static constexpr uint32_t kMaxIndex = (1u << 30) - 2;

  constexpr Entry() = default;
  constexpr Entry(EntryKind kind, uint32_t index)
      : value_(static_cast<uint32_t>(kind) << 30 | index) {}

  constexpr bool found() const { return value_ != kNone; }
  constexpr EntryKind kind() const {
    return static_cast<EntryKind>(value_ >> 30);
  }
  constexpr uint32_t index() const { return value_ & 0x3fffffff; }
  friend constexpr bool operator==(Entry, Entry) = default;

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  uint32_t value_ = kNone;
};

class SocketTable {
 public:
  // Where a kind's records lie. Each begins with its tcp::FlowKey.
  struct Records {
    const void* base = nullptr;
    size_t stride = 0;
  };

  // Room for `capacity` entries at half load. Key drawn at start, secret.
  SocketTable(uint32_t capacity, const FlowHashKey& key,
              const std::array<Records, 4>& records);

  uint64_t Hash(const tcp::FlowKey& key) const {
    return FlowHash(key_, key.Addresses(), key.Ports());
  }
  void PrefetchBucket(uint64_t hash) const {
    __builtin_prefetch(&buckets_[Home(hash)]);
  }
  // Prefetches the records whose tags match; the bucket is there already.
  void PrefetchRecord(uint64_t hash) const;

  Entry Find(const tcp::FlowKey& key, uint64_t hash) const;

  // False if the table is full. The key must not be in it yet.
  bool Insert(uint64_t hash, Entry entry);
  // Removes an entry that is in the table.
  void Erase(uint64_t hash, Entry entry);
  // Puts `to` in the place of `from`, which is in the table: both have one key.
  void Replace(uint64_t hash, Entry from, Entry to);

  uint32_t size() const { return size_; }
  // Changes whenever an entry does: what Find said before still holds while
  // this is the same.
  uint32_t version() const { return version_; }

 private:
  static constexpr int kSlots = 8;
  struct alignas(64) Bucket {
    std::array<uint16_t, kSlots> tags;  // 0: free
    std::array<Entry, kSlots> entries;
    uint32_t overflow;  // entries that passed this bucket because it was full
  };
  static_assert(sizeof(Bucket) == 64);

  size_t Home(uint64_t hash) const { return hash & mask_; }
  static uint16_t TagOf(uint64_t hash) {
    const auto tag = static_cast<uint16_t>(hash >> 48);
    return tag == 0 ? 1 : tag;
  }
  static uint32_t Match(const Bucket& bucket, uint16_t tag);
  const tcp::FlowKey& KeyOf(Entry entry) const {
    const Records& r = records_[static_cast<size_t>(entry.kind())];
    return *reinterpret_cast<const tcp::FlowKey*>(
        static_cast<const char*>(r.base) + r.stride * entry.index());
  }
  // The bucket that holds the entry and the slot in it.
  Entry* Locate(uint64_t hash, Entry entry, bool erase);

  FlowHashKey key_;
  std::array<Records, 4> records_;
  size_t mask_;
  uint32_t size_ = 0;
  uint32_t version_ = 0;
  TableMemory<Bucket> buckets_;
};

// One bit per slot whose tag is `tag`.
inline uint32_t SocketTable::Match(const Bucket& bucket, uint16_t tag) {
#if defined(__SSE2__)
  const __m128i tags =
      _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags.data()));
  const __m128i equal =
      _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<int16_t>(tag)));
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
  uint32_t bits = 0;
  for (int i = 0; i < kSlots; ++i) {
    if (bucket.tags[static_cast<size_t>(i)] == tag) bits |= 1u << i;
  }
  return bits;
#endif
}

inline void SocketTable::PrefetchRecord(uint64_t hash) const {
  const Bucket& bucket = buckets_[Home(hash)];
  for (uint32_t bits = Match(bucket, TagOf(hash)); bits != 0;
       bits &= bits - 1) {
    const auto slot = static_cast<size_t>(std::countr_zero(bits));
    const Entry entry = bucket.entries[slot];
    __builtin_prefetch(&KeyOf(entry));
  }
}

inline Entry SocketTable::Find(const tcp::FlowKey& key, uint64_t hash) const {
  const uint16_t tag = TagOf(hash);
  size_t b = Home(hash);
  for (size_t probes = 0; probes <= mask_; ++probes) {
    const Bucket& bucket = buckets_[b];
    for (uint32_t bits = Match(bucket, tag); bits != 0; bits &= bits - 1) {
      const auto slot = static_cast<size_t>(std::countr_zero(bits));
      if (KeyOf(bucket.entries[slot]) == key) return bucket.entries[slot];
    }
    if (bucket.overflow == 0) break;
    b = (b + 1) & mask_;
  }
  return Entry();
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_SOCKET_TABLE_H_
