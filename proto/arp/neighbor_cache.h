// Which MAC address an IPv4 neighbour has (RFC 826, RFC 1122 section 2.3.2),
// with the states of neighbour unreachability detection (RFC 4861 section 7.3)
// because ARP itself never says when a binding has gone bad.
#ifndef CORELANE_PROTO_ARP_NEIGHBOR_CACHE_H_
#define CORELANE_PROTO_ARP_NEIGHBOR_CACHE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/arp/packet.h"
#include "proto/base/address.h"
#include "proto/base/hash.h"
#include "proto/base/time.h"

namespace corelane::arp {

enum class NeighborState : uint8_t {
  kFree,        // no entry
  kIncomplete,  // asked by broadcast, not answered yet
  kReachable,   // confirmed not long ago
  kStale,       // known, not confirmed for a while, not in use
  kDelay,       // stale and in use: a confirmation may still come by itself
  kProbe,       // asking the known MAC address by unicast
  kFailed,      // did not answer; held so that packets to it cost nothing
  kPermanent,   // set by hand; no packet changes it
};

struct NeighborLimits {
  // Entries, and the bound of all indices. An eighth is kept free for entries
  // in the making, so that eviction never reuses an index the caller may still
  // have packets for.
  uint32_t capacity = 1024;
  Duration reachable_time = 30s;    // without a confirmation
  Duration delay_time = 5s;         // before a stale entry in use is probed
  Duration retransmit = 1s;         // between questions (at most 1/s, RFC 1122)
  uint8_t unicast_probes = 3;       // before falling back to broadcast
  uint8_t broadcast_probes = 3;     // before giving up
  Duration failed_hold = 3s;        // during which a dead host is not asked for
  Duration stale_lifetime = 10min;  // unused entries are forgotten after this
  Duration recent_use = 60s;        // entries used since are never evicted
  Duration lock_time = 1s;  // during which a fresh binding cannot be replaced
  // An unanswered entry is not evicted before this age; bounds the rate of
  // broadcasts that a flood to many dead addresses can cause.
  Duration incomplete_min_age = 20ms;
};

enum class LookupStatus : uint8_t {
  kReady,      // mac is valid
  kPending,    // being asked for: queue the packet under `index`
  kFailed,     // known to be dead: drop the packet
  kTableFull,  // no room for another entry: drop the packet
};

struct LookupResult {
  LookupStatus status = LookupStatus::kTableFull;
  uint32_t index = 0;  // < capacity; meaningful when kReady or kPending
  MacAddress mac;
  // Changes whenever the binding does; never 0. Keep it with a copy of the MAC
  // address and check with Use().
  uint32_t generation = 0;
};

enum class UpdateResult : uint8_t {
  kIgnored,           // nothing to learn
  kCreated,           // a new entry, from a request for us
  kConfirmed,         // same MAC address as before
  kBound,             // an entry that had none has a MAC address now
  kRebound,           // another MAC address than before
  kLocked,            // another MAC address, too soon after the last
  kRefusedPermanent,  // contradicts an entry set by hand
  kTableFull,         //
};

enum class ActionKind : uint8_t {
  kSendRequestBroadcast,
  kSendRequestUnicast,  // to `mac`
  kResolved,            // send what is queued under `index`, to `mac`
  kFailed,              // drop what is queued under `index`
};

struct Action {
  ActionKind kind;
  uint32_t index;
  Ipv4Address address;
  MacAddress mac;
};

// An entry as shown to people.
struct Neighbor {
  Ipv4Address address;
  MacAddress mac;  // zero while unknown
  NeighborState state = NeighborState::kFree;
  Duration age{};  // since the last confirmation, or since it was created
};

// The neighbours behind one port. Packets that wait for an answer stay with
// the caller, queued under the entry's index: an index is not given to another
// address before a kResolved or kFailed for it was handed out by Poll.
// Own addresses must not get here: see Announcer.
class NeighborCache {
 public:
  NeighborCache(const NeighborLimits& limits, const FlowHashKey& key);

  uint32_t capacity() const { return limits_.capacity; }
  // Entries that are there, whatever their state.
  uint32_t size() const { return live_; }

  // Finds out where to send a packet for `address` (a next hop), creating an
  // entry that asks for it where there is none.
  LookupResult Lookup(Ipv4Address address, Time now) {
    const uint32_t index = Find(address);
    if (index == kNone) return Create(address, now);
    Entry& e = entries_[index];
    if (now < e.ready_until) [[likely]] {
      e.last_used = now;
      return {LookupStatus::kReady, index, e.mac, e.generation};
    }
    return LookupSlow(index, now);
  }

  // Whether a copied MAC address is still right; counts as use, like Lookup.
  // False: look it up again.
  bool Use(uint32_t index, uint32_t generation, Time now) {
    Entry& e = entries_[index];
    if (e.generation != generation) return false;
    if (now < e.ready_until) [[likely]] {
      e.last_used = now;
      return true;
    }
    return LookupSlow(index, now).status == LookupStatus::kReady;
  }

  // A higher layer has proof that packets arrive there (RFC 4861 7.3.1), such
  // as an acknowledgement of new data.
  void Confirm(uint32_t index, uint32_t generation, Time now);

  // A valid ARP packet came in; `for_us` when its target is an own address.
  // Only a request for us makes a new entry; everything else updates.
  UpdateResult OnPacket(const Packet& packet, bool for_us, Time now);

  // Due timers and news since the last call; at most actions.size() of them,
  // with bounded work. Returns how many; call again when it was full.
  size_t Poll(Time now, std::span<Action> actions);
  // When Poll wants to be called: Time::min() for at once.
  Time NextDeadline() const;

  // Sets an entry by hand. False when the table is full.
  bool AddPermanent(Ipv4Address address, const MacAddress& mac, Time now);
  // Forgets an entry of any state. False when there is none.
  bool Remove(Ipv4Address address);
  // Forgets everything that was not set by hand.
  void Flush();

  // The entry with this index (< capacity), if there is one; for display.
  std::optional<Neighbor> At(uint32_t index, Time now) const;

  // Walks all lists; for tests.
  bool CheckInvariants() const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  enum class News : uint8_t { kNothing, kBroadcast, kUnicast, kBound, kLost };

  // Lists of constant timeout, in the order of their deadlines.
  enum List : uint8_t {
    kIncompleteList,
    kDelayList,
    kProbeList,
    kFailedList,
    kIdleList,  // reachable and stale entries, to be forgotten when unused
    kLists,
    kNoList = kLists,
  };

  struct Entry {
    Ipv4Address address;
    uint32_t next_in_bucket = kNone;
    Time ready_until = Time::min();  // Lookup answers without looking further
    Time last_used = Time::min();
    MacAddress mac;
    NeighborState state = NeighborState::kFree;
    uint8_t tries = 0;
    uint32_t generation = 0;
    // Not looked at per packet.
    uint32_t prev = kNone;
    uint32_t next = kNone;
    uint32_t next_news = kNone;
    List list = kNoList;
    News news = News::kNothing;
    bool in_news_list = false;
    Time confirmed{};
    Time deadline{};
  };

  struct Ends {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };

  uint32_t BucketOf(Ipv4Address address) const {
    return static_cast<uint32_t>(FlowHash(key_, address.value(), 0)) & mask_;
  }
  uint32_t Find(Ipv4Address address) const {
    uint32_t index = buckets_[BucketOf(address)];
    while (index != kNone && entries_[index].address != address) {
      index = entries_[index].next_in_bucket;
    }
    return index;
  }

  LookupResult Create(Ipv4Address address, Time now);
  LookupResult LookupSlow(uint32_t index, Time now);

  uint32_t Insert(Ipv4Address address, Time now);
  void Unhash(uint32_t index);
  void Drop(uint32_t index);
  void PutOnFreeList(uint32_t index);
  void Evict(Time now);
  bool EvictIncomplete(Time now);
  bool EvictUnused(Time now);

  void MoveTo(uint32_t index, List list, Time deadline);
  void Unlink(uint32_t index);
  void Announce(uint32_t index, News news);
  void NewGeneration(Entry& e);

  void EnterIncomplete(uint32_t index, Time now);
  void EnterReachable(uint32_t index, Time now);
  void EnterStale(uint32_t index, Time now);
  void EnterFailed(uint32_t index, Time now);
  void Bind(uint32_t index, const MacAddress& mac, bool confirmed, Time now);

  bool ExpireOne(Time now);
  void Expire(uint32_t index, Time now);
  bool TakeNews(Action& action);

  NeighborLimits limits_;
  FlowHashKey key_;
  uint32_t mask_;
  uint32_t reserve_;
  uint32_t live_ = 0;
  uint32_t free_count_ = 0;
  uint32_t incomplete_ = 0;
  uint32_t last_generation_ = 0;
  uint32_t free_head_ = kNone;
  Ends news_;
  std::array<Ends, kLists> lists_;
  std::vector<uint32_t> buckets_;
  std::vector<Entry> entries_;
};

}  // namespace corelane::arp

#endif  // CORELANE_PROTO_ARP_NEIGHBOR_CACHE_H_
