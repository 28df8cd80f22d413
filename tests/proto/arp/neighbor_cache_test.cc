#include "proto/arp/neighbor_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::arp {
namespace {

const Ipv4Address kOwn(10, 0, 0, 1);
const Ipv4Address kPeer(10, 0, 0, 2);
constexpr FlowHashKey kKey{0x123456789abcdef1, 0xfedcba9876543211};

MacAddress MacOf(uint32_t n) {
  MacAddress mac{{0x02, 0, 0, 0, 0, 0}};
  StoreBe32(mac.bytes.data() + 2, n);
  return mac;
}

Packet PacketFrom(Ipv4Address sender, const MacAddress& mac, uint16_t op,
                  Ipv4Address target = kOwn) {
  return {.operation = op,
          .sender_mac = mac,
          .sender = sender,
          .target_mac = {},
          .target = target};
}

class NeighborCacheTest : public testing::Test {
 protected:
  std::vector<Action> Poll() {
    std::vector<Action> all;
    std::array<Action, 8> some;
    while (const size_t n = cache_.Poll(now_, some)) {
      all.insert(all.end(), some.begin(), some.begin() + n);
    }
    EXPECT_TRUE(cache_.CheckInvariants());
    return all;
  }
  void ExpectOne(ActionKind kind) {
    const auto actions = Poll();
    ASSERT_EQ(actions.size(), 1u);
    EXPECT_EQ(actions[0].kind, kind);
    EXPECT_EQ(actions[0].address, kPeer);
  }
  UpdateResult Answer(const MacAddress& mac = MacOf(1)) {
    return cache_.OnPacket(PacketFrom(kPeer, mac, kReply), true, now_);
  }
  void MakeReachable() {
    cache_.Lookup(kPeer, now_);
    Answer();
    Poll();
  }
  NeighborState State(uint32_t index = 0) {
    const auto n = cache_.At(index, now_);
    return n ? n->state : NeighborState::kFree;
  }
  LookupStatus Status() { return cache_.Lookup(kPeer, now_).status; }

  NeighborLimits limits_;
  NeighborCache cache_{limits_, kKey};
  Time now_ = kTimeZero + 1h;
};

TEST_F(NeighborCacheTest, AsksQueuesAndResolves) {
  const LookupResult first = cache_.Lookup(kPeer, now_);
  EXPECT_EQ(first.status, LookupStatus::kPending);
  EXPECT_EQ(cache_.NextDeadline(), Time::min());
  ExpectOne(ActionKind::kSendRequestBroadcast);
  EXPECT_EQ(cache_.NextDeadline(), now_ + 1s);
  EXPECT_EQ(cache_.Lookup(kPeer, now_).index, first.index);
  EXPECT_TRUE(Poll().empty());  // one question at a time

  EXPECT_EQ(Answer(), UpdateResult::kBound);
  const auto actions = Poll();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, ActionKind::kResolved);
  EXPECT_EQ(actions[0].index, first.index);
  EXPECT_EQ(actions[0].mac, MacOf(1));
  const LookupResult ready = cache_.Lookup(kPeer, now_);
  EXPECT_EQ(ready.status, LookupStatus::kReady);
  EXPECT_EQ(ready.mac, MacOf(1));
  EXPECT_NE(ready.generation, first.generation);
  EXPECT_EQ(State(ready.index), NeighborState::kReachable);
}

TEST_F(NeighborCacheTest, AnswerBeforeTheQuestionWasSentCancelsIt) {
  cache_.Lookup(kPeer, now_);
  Answer();
  ExpectOne(ActionKind::kResolved);
}

TEST_F(NeighborCacheTest, DeadHostIsAskedThreeTimesThenHeldAsFailed) {
  cache_.Lookup(kPeer, now_);
  for (int i = 0; i < 3; ++i) {
    ExpectOne(ActionKind::kSendRequestBroadcast);
    now_ += 1s;
  }
  ExpectOne(ActionKind::kFailed);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Status(), LookupStatus::kFailed);
  EXPECT_TRUE(Poll().empty());
  now_ += 3s;
  EXPECT_TRUE(Poll().empty());
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_EQ(Status(), LookupStatus::kPending);
}

TEST_F(NeighborCacheTest, LateAnswerRevivesAFailedEntry) {
  cache_.Lookup(kPeer, now_);
  for (int i = 0; i < 4; ++i, now_ += 1s) Poll();
  EXPECT_EQ(Status(), LookupStatus::kFailed);
  EXPECT_EQ(Answer(), UpdateResult::kBound);
  EXPECT_EQ(Status(), LookupStatus::kReady);
}

TEST_F(NeighborCacheTest, StaleInUseIsProbedByUnicastThenBroadcast) {
  MakeReachable();
  now_ += 29s;
  EXPECT_EQ(Status(), LookupStatus::kReady);
  EXPECT_TRUE(Poll().empty());
  now_ += 2s;
  EXPECT_EQ(State(), NeighborState::kStale);
  EXPECT_EQ(Status(), LookupStatus::kReady);
  EXPECT_EQ(State(), NeighborState::kDelay);
  now_ += 5s;
  for (int i = 0; i < 3; ++i) {
    ExpectOne(ActionKind::kSendRequestUnicast);
    EXPECT_EQ(State(), NeighborState::kProbe);
    EXPECT_EQ(Status(), LookupStatus::kReady);
    now_ += 1s;
  }
  for (int i = 0; i < 3; ++i) {
    ExpectOne(ActionKind::kSendRequestBroadcast);
    EXPECT_EQ(Status(), LookupStatus::kPending);
    now_ += 1s;
  }
  ExpectOne(ActionKind::kFailed);
}

TEST_F(NeighborCacheTest, ProbeAnsweredKeepsGeneration) {
  MakeReachable();
  const uint32_t generation = cache_.Lookup(kPeer, now_).generation;
  now_ += 31s;
  EXPECT_TRUE(cache_.Use(0, generation, now_));
  now_ += 5s;
  ExpectOne(ActionKind::kSendRequestUnicast);
  EXPECT_EQ(Answer(), UpdateResult::kConfirmed);
  EXPECT_EQ(State(), NeighborState::kReachable);
  EXPECT_TRUE(cache_.Use(0, generation, now_));
}

TEST_F(NeighborCacheTest, UpperLayerConfirmationSavesTheProbe) {
  MakeReachable();
  const uint32_t generation = cache_.Lookup(kPeer, now_).generation;
  for (int i = 0; i < 100; ++i) {
    now_ += 20s;
    ASSERT_TRUE(cache_.Use(0, generation, now_));
    cache_.Confirm(0, generation, now_);
    ASSERT_TRUE(Poll().empty());
  }
  cache_.Confirm(0, generation + 1, now_ + 1h);  // of another binding
  now_ += 31s;
  EXPECT_EQ(State(), NeighborState::kStale);
}

TEST_F(NeighborCacheTest, ConfirmationDoesNotBindAnUnansweredEntry) {
  const LookupResult r = cache_.Lookup(kPeer, now_);
  cache_.Confirm(r.index, r.generation, now_);
  EXPECT_FALSE(cache_.Use(r.index, r.generation, now_));
  EXPECT_EQ(Status(), LookupStatus::kPending);
}

TEST_F(NeighborCacheTest, NewMacChangesGeneration) {
  MakeReachable();
  const uint32_t generation = cache_.Lookup(kPeer, now_).generation;
  EXPECT_EQ(Answer(MacOf(2)), UpdateResult::kLocked);
  EXPECT_TRUE(cache_.Use(0, generation, now_));
  now_ += 1s;
  EXPECT_EQ(Answer(MacOf(2)), UpdateResult::kRebound);
  EXPECT_FALSE(cache_.Use(0, generation, now_));
  const LookupResult r = cache_.Lookup(kPeer, now_);
  EXPECT_EQ(r.mac, MacOf(2));
  // Nobody had asked: it is verified before long.
  now_ += 5s;
  ExpectOne(ActionKind::kSendRequestUnicast);
}

TEST_F(NeighborCacheTest, OnlyRequestsForUsCreate) {
  const Ipv4Address other(10, 0, 0, 9);
  EXPECT_EQ(Answer(), UpdateResult::kIgnored);
  EXPECT_EQ(
      cache_.OnPacket(PacketFrom(kPeer, MacOf(1), kReply, kPeer), false, now_),
      UpdateResult::kIgnored);
  EXPECT_EQ(cache_.OnPacket(PacketFrom(kPeer, MacOf(1), kRequest, other), false,
                            now_),
            UpdateResult::kIgnored);
  EXPECT_EQ(cache_.OnPacket(PacketFrom(Ipv4Address(), MacOf(1), kRequest), true,
                            now_),
            UpdateResult::kIgnored);
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_EQ(cache_.OnPacket(PacketFrom(kPeer, MacOf(1), kRequest), true, now_),
            UpdateResult::kCreated);
  EXPECT_EQ(State(), NeighborState::kStale);
  EXPECT_EQ(Status(), LookupStatus::kReady);
  EXPECT_TRUE(Poll().empty());
}

TEST_F(NeighborCacheTest, UnusedEntriesAreForgotten) {
  MakeReachable();
  now_ += 9min;
  EXPECT_EQ(Status(), LookupStatus::kReady);
  Answer();
  now_ += 9min;
  Poll();
  EXPECT_EQ(cache_.size(), 1u);
  now_ += 2min;
  Poll();
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_EQ(cache_.NextDeadline(), kTimeNever);
}

TEST_F(NeighborCacheTest, PermanentEntriesStay) {
  EXPECT_TRUE(cache_.AddPermanent(kPeer, MacOf(7), now_));
  EXPECT_EQ(Answer(MacOf(1)), UpdateResult::kRefusedPermanent);
  EXPECT_EQ(Answer(MacOf(7)), UpdateResult::kConfirmed);
  now_ += 100h;
  EXPECT_EQ(cache_.Lookup(kPeer, now_).mac, MacOf(7));
  EXPECT_TRUE(Poll().empty());
  cache_.Flush();
  EXPECT_EQ(State(), NeighborState::kPermanent);
  EXPECT_TRUE(cache_.Remove(kPeer));
  EXPECT_FALSE(cache_.Remove(kPeer));
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(NeighborCacheTest, PermanentEntryResolvesAWaitingOne) {
  cache_.Lookup(kPeer, now_);
  Poll();
  EXPECT_TRUE(cache_.AddPermanent(kPeer, MacOf(7), now_));
  ExpectOne(ActionKind::kResolved);
  // And an existing one can be given another MAC address.
  EXPECT_TRUE(cache_.AddPermanent(kPeer, MacOf(8), now_));
  EXPECT_EQ(cache_.Lookup(kPeer, now_).mac, MacOf(8));
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_TRUE(Poll().empty());
}

TEST_F(NeighborCacheTest, FlushTellsAboutWaitingPackets) {
  MakeReachable();
  const Ipv4Address other(10, 0, 0, 3);
  const LookupResult waiting = cache_.Lookup(other, now_);
  cache_.Flush();
  EXPECT_EQ(cache_.size(), 0u);
  const auto actions = Poll();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].kind, ActionKind::kFailed);
  EXPECT_EQ(actions[0].index, waiting.index);
}

TEST_F(NeighborCacheTest, PollIsBoundedByItsArray) {
  for (uint32_t i = 0; i < 100; ++i) {
    cache_.Lookup(Ipv4Address(0x0a010000 + i), now_);
  }
  std::array<Action, 7> actions;
  size_t all = 0;
  while (const size_t n = cache_.Poll(now_, actions)) {
    ASSERT_LE(n, actions.size());
    all += n;
  }
  EXPECT_EQ(all, 100u);
  EXPECT_EQ(cache_.Poll(now_, {}), 0u);
}

// A flood to dead addresses and a flood of requests from invented hosts must
// not cost a neighbour in use its entry.
TEST_F(NeighborCacheTest, NoiseDoesNotEvictEntriesInUse) {
  std::vector<uint32_t> generations;
  for (uint32_t i = 0; i < 100; ++i) {
    const Ipv4Address address(0x0a020000 + i);
    cache_.Lookup(address, now_);
    cache_.OnPacket(PacketFrom(address, MacOf(i), kReply), true, now_);
    generations.push_back(cache_.Lookup(address, now_).generation);
  }
  Poll();
  for (uint32_t i = 0; i < 100'000; ++i) {
    now_ += 100us;
    cache_.Lookup(Ipv4Address(0x0b000000 + i), now_);
    cache_.OnPacket(PacketFrom(Ipv4Address(0x0c000000 + i), MacOf(i), kRequest),
                    true, now_);
    if (i % 32 == 0) Poll();
    ASSERT_LE(cache_.size(), cache_.capacity());
  }
  for (uint32_t i = 0; i < 100; ++i) {
    const LookupResult r = cache_.Lookup(Ipv4Address(0x0a020000 + i), now_);
    EXPECT_EQ(r.status, LookupStatus::kReady);
    EXPECT_EQ(r.generation, generations[i]);
  }
  // And a new host still gets in and is resolved.
  const LookupResult r = cache_.Lookup(kPeer, now_);
  EXPECT_EQ(r.status, LookupStatus::kPending);
  Poll();
  EXPECT_EQ(Answer(), UpdateResult::kBound);
  EXPECT_EQ(Status(), LookupStatus::kReady);
}

TEST_F(NeighborCacheTest, FloodToDeadAddressesBoundsTheBroadcasts) {
  size_t broadcasts = 0;
  for (uint32_t i = 0; i < 1'000'000; ++i) {  // one second
    now_ += 1us;
    cache_.Lookup(Ipv4Address(0x0b000000 + i), now_);
    if (i % 64 == 0) broadcasts += Poll().size();
  }
  // Half of the table every 20 ms, and for each a question and a refusal.
  EXPECT_LE(broadcasts, 2u * 1024 * 51);
}

// The caller's queues: a packet queued under an index for one address must
// never be sent to another one's MAC address, and none is forgotten.
TEST(NeighborCacheRandomTest, IndicesAreNeverMixedUp) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    NeighborLimits limits;
    limits.capacity = 16;
    NeighborCache cache(limits, {rng.Next64(), rng.Next64()});
    std::map<uint32_t, std::set<uint32_t>> queued;  // index -> addresses
    Time now = kTimeZero;
    for (int step = 0; step < 20'000; ++step) {
      now += 1ms * int64_t{rng.Below(200)};
      const Ipv4Address address(0x0a000000 + rng.Below(40));
      const MacAddress mac = MacOf(address.value() + rng.Below(2) * 100);
      switch (rng.Below(8)) {
        case 0:
          cache.OnPacket(PacketFrom(address, mac, kRequest), true, now);
          break;
        case 1:
          cache.OnPacket(PacketFrom(address, mac, kReply), true, now);
          break;
        case 2:
          if (rng.Below(20) == 0) cache.Remove(address);
          if (rng.Below(200) == 0) cache.Flush();
          break;
        case 3: {
          std::array<Action, 3> actions;
          const size_t n = cache.Poll(now, actions);
          for (size_t i = 0; i < n; ++i) {
            const Action& a = actions[i];
            if (a.kind == ActionKind::kResolved) {
              ASSERT_FALSE(a.mac.IsZero());
              for (const uint32_t q : queued[a.index]) {
                ASSERT_EQ(q, a.address.value());
              }
            }
            if (a.kind == ActionKind::kResolved ||
                a.kind == ActionKind::kFailed) {
              queued.erase(a.index);
            }
          }
          break;
        }
        default: {
          const LookupResult r = cache.Lookup(address, now);
          if (r.status == LookupStatus::kPending) {
            ASSERT_LT(r.index, cache.capacity());
            queued[r.index].insert(address.value());
            ASSERT_EQ(queued[r.index].size(), 1u);
          }
          break;
        }
      }
      ASSERT_TRUE(cache.CheckInvariants());
    }
    // In the end everybody has been told.
    for (int i = 0; i < 1000; ++i) {
      now += 100ms;
      std::array<Action, 8> actions;
      const size_t n = cache.Poll(now, actions);
      for (size_t j = 0; j < n; ++j) {
        if (actions[j].kind == ActionKind::kResolved ||
            actions[j].kind == ActionKind::kFailed) {
          queued.erase(actions[j].index);
        }
      }
    }
    EXPECT_TRUE(queued.empty());
  }
}

}  // namespace
}  // namespace corelane::arp
