#include "proto/arp/neighbor_cache.h"

#include <algorithm>
#include <bit>

namespace corelane::arp {
namespace {

// How many timers and overtaken news one Poll may handle beyond the actions it
// has room for.
constexpr size_t kQuietTurns = 64;

}  // namespace

NeighborCache::NeighborCache(const NeighborLimits& limits,
                             const FlowHashKey& key)
    : limits_(limits), key_(key) {
  limits_.capacity = std::max<uint32_t>(limits_.capacity, 2);
  reserve_ = std::max<uint32_t>(limits_.capacity / 8, 1);
  mask_ = std::bit_ceil(limits_.capacity) - 1;
  buckets_.assign(size_t{mask_} + 1, kNone);
  entries_.resize(limits_.capacity);
  for (uint32_t i = limits_.capacity; i-- > 0;) PutOnFreeList(i);
}

LookupResult NeighborCache::Create(Ipv4Address address, Time now) {
  const uint32_t index = Insert(address, now);
  if (index == kNone) return {};
  EnterIncomplete(index, now);
  entries_[index].last_used = now;
  return {LookupStatus::kPending, index, MacAddress{},
          entries_[index].generation};
}

LookupResult NeighborCache::LookupSlow(uint32_t index, Time now) {
  Entry& e = entries_[index];
  switch (e.state) {
    case NeighborState::kReachable:
    case NeighborState::kStale:
      e.state = NeighborState::kDelay;
      e.ready_until = kTimeNever;  // until the timers say otherwise
      MoveTo(index, kDelayList, now + limits_.delay_time);
      break;
    case NeighborState::kIncomplete:
      e.last_used = now;
      return {LookupStatus::kPending, index, MacAddress{}, e.generation};
    case NeighborState::kFailed:
    case NeighborState::kFree:
      return {LookupStatus::kFailed, index, MacAddress{}, e.generation};
    case NeighborState::kDelay:
    case NeighborState::kProbe:
    case NeighborState::kPermanent:
      break;
  }
  e.last_used = now;
  return {LookupStatus::kReady, index, e.mac, e.generation};
}

void NeighborCache::Confirm(uint32_t index, uint32_t generation, Time now) {
  const Entry& e = entries_[index];
  if (e.generation != generation) return;
  switch (e.state) {
    case NeighborState::kReachable:
    case NeighborState::kStale:
    case NeighborState::kDelay:
    case NeighborState::kProbe:
      EnterReachable(index, now);
      break;
    default:
      break;
  }
}

UpdateResult NeighborCache::OnPacket(const Packet& packet, bool for_us,
                                     Time now) {
  if (packet.sender.IsAny()) return UpdateResult::kIgnored;  // a probe
  const bool answer = for_us && packet.operation == kReply;
  uint32_t index = Find(packet.sender);
  if (index == kNone) {
    if (!for_us || packet.operation != kRequest) return UpdateResult::kIgnored;
    index = Insert(packet.sender, now);
    if (index == kNone) return UpdateResult::kTableFull;
    entries_[index].mac = packet.sender_mac;
    EnterStale(index, now);
    return UpdateResult::kCreated;
  }
  Entry& e = entries_[index];
  const bool same = e.mac == packet.sender_mac;
  switch (e.state) {
    case NeighborState::kPermanent:
      return same ? UpdateResult::kConfirmed : UpdateResult::kRefusedPermanent;
    case NeighborState::kIncomplete:
    case NeighborState::kFailed:
      Bind(index, packet.sender_mac, answer, now);
      Announce(index, News::kBound);
      return UpdateResult::kBound;
    default:
      break;
  }
  if (same) {
    if (answer) EnterReachable(index, now);
    return UpdateResult::kConfirmed;
  }
  // Of two answers to one question the first counts, as with a host and its
  // impostor; later ones only once the binding is no longer fresh.
  if (now - e.confirmed < limits_.lock_time) return UpdateResult::kLocked;
  // Stale unless we had asked: its next use will be verified.
  Bind(index, packet.sender_mac, answer && e.state == NeighborState::kProbe,
       now);
  return UpdateResult::kRebound;
}

bool NeighborCache::AddPermanent(Ipv4Address address, const MacAddress& mac,
                                 Time now) {
  uint32_t index = Find(address);
  const bool is_new = index == kNone;
  if (is_new) index = Insert(address, now);
  if (index == kNone) return false;
  Entry& e = entries_[index];
  const bool waiting = !is_new && (e.state == NeighborState::kIncomplete ||
                                   e.state == NeighborState::kFailed);
  Bind(index, mac, /*confirmed=*/true, now);
  Unlink(index);
  e.state = NeighborState::kPermanent;
  e.ready_until = kTimeNever;
  if (waiting) Announce(index, News::kBound);
  return true;
}

bool NeighborCache::Remove(Ipv4Address address) {
  const uint32_t index = Find(address);
  if (index == kNone) return false;
  Drop(index);
  return true;
}

void NeighborCache::Flush() {
  for (uint32_t i = 0; i < limits_.capacity; ++i) {
    const NeighborState state = entries_[i].state;
    if (state != NeighborState::kFree && state != NeighborState::kPermanent) {
      Drop(i);
    }
  }
}

std::optional<Neighbor> NeighborCache::At(uint32_t index, Time now) const {
  const Entry& e = entries_[index];
  if (e.state == NeighborState::kFree) return std::nullopt;
  Neighbor n{e.address, e.mac, e.state, now - e.confirmed};
  if (e.state == NeighborState::kReachable && now >= e.ready_until) {
    n.state = NeighborState::kStale;
  }
  return n;
}

// ---- States ----

void NeighborCache::EnterIncomplete(uint32_t index, Time now) {
  Entry& e = entries_[index];
  if (e.state != NeighborState::kIncomplete) ++incomplete_;
  e.state = NeighborState::kIncomplete;
  e.ready_until = Time::min();
  e.mac = MacAddress{};
  e.tries = 1;
  MoveTo(index, kIncompleteList, now + limits_.retransmit);
  Announce(index, News::kBroadcast);
}

void NeighborCache::EnterReachable(uint32_t index, Time now) {
  Entry& e = entries_[index];
  if (e.state == NeighborState::kIncomplete) --incomplete_;
  e.state = NeighborState::kReachable;
  e.confirmed = now;
  e.ready_until = now + limits_.reachable_time;
  if (e.news == News::kUnicast) e.news = News::kNothing;
  MoveTo(index, kIdleList, now + limits_.stale_lifetime);
}

void NeighborCache::EnterStale(uint32_t index, Time now) {
  Entry& e = entries_[index];
  if (e.state == NeighborState::kIncomplete) --incomplete_;
  e.state = NeighborState::kStale;
  e.confirmed = now;
  e.ready_until = Time::min();
  if (e.news == News::kUnicast) e.news = News::kNothing;
  MoveTo(index, kIdleList, now + limits_.stale_lifetime);
}

void NeighborCache::EnterFailed(uint32_t index, Time now) {
  Entry& e = entries_[index];
  if (e.state == NeighborState::kIncomplete) --incomplete_;
  e.state = NeighborState::kFailed;
  MoveTo(index, kFailedList, now + limits_.failed_hold);
  Announce(index, News::kLost);
}

void NeighborCache::Bind(uint32_t index, const MacAddress& mac, bool confirmed,
                         Time now) {
  entries_[index].mac = mac;
  NewGeneration(entries_[index]);
  if (confirmed) {
    EnterReachable(index, now);
  } else {
    EnterStale(index, now);
  }
}

// ---- Timers and news ----

Time NeighborCache::NextDeadline() const {
  if (news_.head != kNone) return Time::min();
  Time next = kTimeNever;
  for (const Ends& list : lists_) {
    if (list.head != kNone) next = std::min(next, entries_[list.head].deadline);
  }
  return next;
}

size_t NeighborCache::Poll(Time now, std::span<Action> actions) {
  size_t count = 0;
  // Old news goes first: a timer must not overwrite what was not told yet.
  for (size_t budget = actions.size() + kQuietTurns;
       budget > 0 && count < actions.size(); --budget) {
    if (news_.head != kNone) {
      if (TakeNews(actions[count])) ++count;
    } else if (!ExpireOne(now)) {
      break;
    }
  }
  return count;
}

bool NeighborCache::ExpireOne(Time now) {
  for (const Ends& list : lists_) {
    if (list.head != kNone && entries_[list.head].deadline <= now) {
      Expire(list.head, now);
      return true;
    }
  }
  return false;
}

void NeighborCache::Expire(uint32_t index, Time now) {
  Entry& e = entries_[index];
  switch (e.list) {
    case kIncompleteList:
      if (e.tries >= limits_.broadcast_probes) {
        EnterFailed(index, now);
        return;
      }
      ++e.tries;
      MoveTo(index, kIncompleteList, now + limits_.retransmit);
      Announce(index, News::kBroadcast);
      return;
    case kDelayList:
      e.state = NeighborState::kProbe;
      e.tries = 0;
      [[fallthrough]];
    case kProbeList:
      if (e.tries >= limits_.unicast_probes) {
        NewGeneration(e);
        EnterIncomplete(index, now);
        return;
      }
      ++e.tries;
      MoveTo(index, kProbeList, now + limits_.retransmit);
      Announce(index, News::kUnicast);
      return;
    case kIdleList:
      if (e.last_used > now - limits_.stale_lifetime) {
        MoveTo(index, kIdleList, now + limits_.stale_lifetime);
        return;
      }
      Drop(index);
      return;
    case kFailedList:
    case kNoList:
      Drop(index);
      return;
  }
}

void NeighborCache::Announce(uint32_t index, News news) {
  Entry& e = entries_[index];
  e.news = news;
  if (e.in_news_list) return;
  e.in_news_list = true;
  e.next_news = kNone;
  if (news_.tail == kNone) {
    news_.head = index;
  } else {
    entries_[news_.tail].next_news = index;
  }
  news_.tail = index;
}

// Takes the first entry off the news list; false when its news were overtaken.
bool NeighborCache::TakeNews(Action& action) {
  const uint32_t index = news_.head;
  Entry& e = entries_[index];
  news_.head = e.next_news;
  if (news_.head == kNone) news_.tail = kNone;
  e.in_news_list = false;
  const News news = e.news;
  e.news = News::kNothing;
  action = {ActionKind::kFailed, index, e.address, e.mac};
  // An entry that was dropped with packets waiting becomes free only now.
  if (e.state == NeighborState::kFree) PutOnFreeList(index);
  switch (news) {
    case News::kNothing:
      return false;
    case News::kBroadcast:
      action.kind = ActionKind::kSendRequestBroadcast;
      return true;
    case News::kUnicast:
      action.kind = ActionKind::kSendRequestUnicast;
      return true;
    case News::kBound:
      action.kind = ActionKind::kResolved;
      return true;
    case News::kLost:
      return true;
  }
  return false;
}

}  // namespace corelane::arp
