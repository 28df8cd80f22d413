// The neighbour cache's table: who gets an entry, who loses it, and the lists
// the entries are on.
#include <algorithm>

#include "proto/arp/neighbor_cache.h"

namespace corelane::arp {
namespace {

// How many candidates an eviction looks at before it gives up.
constexpr int kEvictionScan = 8;

}  // namespace

uint32_t NeighborCache::Insert(Ipv4Address address, Time now) {
  if (free_count_ <= reserve_) Evict(now);
  const uint32_t index = free_head_;
  if (index == kNone) return kNone;
  Entry& e = entries_[index];
  free_head_ = e.next;
  --free_count_;
  e = Entry{};
  e.address = address;
  e.confirmed = now;
  NewGeneration(e);
  uint32_t& bucket = buckets_[BucketOf(address)];
  e.next_in_bucket = bucket;
  bucket = index;
  ++live_;
  return index;
}

void NeighborCache::Unhash(uint32_t index) {
  uint32_t* link = &buckets_[BucketOf(entries_[index].address)];
  while (*link != index) link = &entries_[*link].next_in_bucket;
  *link = entries_[index].next_in_bucket;
}

// Removes an entry. Its index becomes free at once when nothing can be queued
// under it, else when Poll has told the caller.
void NeighborCache::Drop(uint32_t index) {
  Entry& e = entries_[index];
  const bool tell = e.state == NeighborState::kIncomplete ||
                    e.news == News::kBound || e.news == News::kLost;
  if (e.state == NeighborState::kIncomplete) --incomplete_;
  Unhash(index);
  Unlink(index);
  NewGeneration(e);
  e.state = NeighborState::kFree;
  e.ready_until = Time::min();
  --live_;
  if (tell) {
    Announce(index, News::kLost);
  } else if (e.in_news_list) {
    e.news = News::kNothing;
  } else {
    PutOnFreeList(index);
  }
}

void NeighborCache::PutOnFreeList(uint32_t index) {
  entries_[index].next = free_head_;
  free_head_ = index;
  ++free_count_;
}

// Makes room for one entry, if there is anybody to give way. Unanswered
// entries may take half of the table, and then give way to each other.
void NeighborCache::Evict(Time now) {
  const uint32_t failed = lists_[kFailedList].head;
  if (failed != kNone) {
    Drop(failed);
    return;
  }
  if (incomplete_ >= limits_.capacity / 2 && EvictIncomplete(now)) return;
  if (EvictUnused(now)) return;
  EvictIncomplete(now);
}

bool NeighborCache::EvictIncomplete(Time now) {
  const uint32_t index = lists_[kIncompleteList].head;
  if (index == kNone) return false;
  const Time asked = entries_[index].deadline - limits_.retransmit;
  if (now - asked < limits_.incomplete_min_age) return false;
  Drop(index);
  return true;
}

// Entries in recent use go to the back of the list, so that the next search
// looks at others.
bool NeighborCache::EvictUnused(Time now) {
  for (int i = 0; i < kEvictionScan; ++i) {
    const uint32_t index = lists_[kIdleList].head;
    if (index == kNone) return false;
    if (entries_[index].last_used <= now - limits_.recent_use) {
      Drop(index);
      return true;
    }
    MoveTo(index, kIdleList, now + limits_.stale_lifetime);
  }
  return false;
}

void NeighborCache::MoveTo(uint32_t index, List list, Time deadline) {
  Unlink(index);
  Entry& e = entries_[index];
  Ends& ends = lists_[list];
  e.list = list;
  e.deadline = deadline;
  e.prev = ends.tail;
  e.next = kNone;
  if (ends.tail == kNone) {
    ends.head = index;
  } else {
    entries_[ends.tail].next = index;
  }
  ends.tail = index;
}

void NeighborCache::Unlink(uint32_t index) {
  Entry& e = entries_[index];
  if (e.list == kNoList) return;
  Ends& ends = lists_[e.list];
  if (e.prev == kNone) {
    ends.head = e.next;
  } else {
    entries_[e.prev].next = e.next;
  }
  if (e.next == kNone) {
    ends.tail = e.prev;
  } else {
    entries_[e.next].prev = e.prev;
  }
  e.list = kNoList;
  e.prev = kNone;
  e.next = kNone;
}

void NeighborCache::NewGeneration(Entry& e) {
  if (++last_generation_ == 0) ++last_generation_;
  e.generation = last_generation_;
}

bool NeighborCache::CheckInvariants() const {
  uint32_t live = 0;
  uint32_t incomplete = 0;
  uint32_t listed = 0;
  for (uint32_t i = 0; i < limits_.capacity; ++i) {
    const Entry& e = entries_[i];
    if (e.state == NeighborState::kFree) continue;
    ++live;
    if (e.state == NeighborState::kIncomplete) ++incomplete;
    if (e.list != kNoList) ++listed;
    if (Find(e.address) != i) return false;
    if ((e.state == NeighborState::kPermanent) != (e.list == kNoList)) {
      return false;
    }
  }
  if (live != live_ || incomplete != incomplete_) return false;
  uint32_t walked = 0;
  for (const Ends& ends : lists_) {
    Time last = Time::min();
    for (uint32_t i = ends.head; i != kNone; i = entries_[i].next) {
      if (++walked > listed || entries_[i].deadline < last) return false;
      last = entries_[i].deadline;
    }
  }
  uint32_t dying = 0;
  for (uint32_t i = news_.head; i != kNone; i = entries_[i].next_news) {
    if (entries_[i].state == NeighborState::kFree) ++dying;
  }
  return walked == listed && live_ + free_count_ + dying == limits_.capacity;
}

}  // namespace corelane::arp
