#include "dataplane/flow/socket_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <vector>

#include "proto/base/rng.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/time_wait.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kRecords = 4096;

// Three arrays of records, as the TCP layer has them.
class SocketTableTest : public testing::Test {
 protected:
  SocketTableTest()
      : blocks_(kRecords), requests_(kRecords), time_waits_(kRecords) {}

  SocketTable MakeTable(uint32_t capacity) {
    return SocketTable(capacity, {11, 13},
                       {{{blocks_.data(), sizeof(tcp::ControlBlock)},
                         {requests_.data(), sizeof(tcp::Request)},
                         {time_waits_.data(), sizeof(tcp::TimeWait)},
                         {nullptr, 0}}});
  }

  static tcp::FlowKey Key(uint32_t n) {
    return {0x0a000001, 0x0a000000 + n % 7, 80, static_cast<uint16_t>(n)};
  }

  void SetKey(Entry e, const tcp::FlowKey& key) {
    switch (e.kind()) {
      case EntryKind::kConnection:
        blocks_[e.index()].key = key;
        break;
      case EntryKind::kRequest:
        requests_[e.index()].key = key;
        break;
      case EntryKind::kTimeWait:
        time_waits_[e.index()].key = key;
        break;
      case EntryKind::kMoved:
        break;
    }
  }

  std::vector<tcp::ControlBlock> blocks_;
  std::vector<tcp::Request> requests_;
  std::vector<tcp::TimeWait> time_waits_;
};

// A random history of insertions, removals and replacements, compared with a
// map all the time. `hash` chooses how much the keys collide.
template <typename HashOf>
void RunHistory(SocketTable& table, uint32_t most, uint64_t seed,
                const std::function<void(Entry, const tcp::FlowKey&)>& set_key,
                const std::function<tcp::FlowKey(uint32_t)>& key_of,
                HashOf hash_of) {
  Rng rng(seed);
  std::map<uint32_t, Entry> model;
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t n = rng.Below(kRecords);
    const tcp::FlowKey key = key_of(n);
    const uint64_t hash = hash_of(key);
    const auto it = model.find(n);
    const Entry found = table.Find(key, hash);
    if (it == model.end()) {
      ASSERT_FALSE(found.found()) << step;
      const Entry e(static_cast<EntryKind>(rng.Below(3)), n);
      if (model.size() >= most || rng.Below(100) < 30) continue;
      set_key(e, key);
      ASSERT_TRUE(table.Insert(hash, e)) << step;
      model[n] = e;
    } else {
      ASSERT_EQ(found, it->second) << step;
      if (rng.Below(100) < 50) {
        table.Erase(hash, it->second);
        model.erase(it);
      } else if (rng.Below(100) < 30) {
        const Entry to(static_cast<EntryKind>(rng.Below(3)), n);
        set_key(to, key);
        table.Replace(hash, it->second, to);
        it->second = to;
      }
    }
    ASSERT_EQ(table.size(), model.size());
  }
  for (const auto& [n, entry] : model) {
    ASSERT_EQ(table.Find(key_of(n), hash_of(key_of(n))), entry);
  }
}

TEST_F(SocketTableTest, BehavesLikeAMap) {
  SocketTable table = MakeTable(kRecords);
  RunHistory(
      table, kRecords, 1, [this](Entry e, auto& k) { SetKey(e, k); }, Key,
      [&](const tcp::FlowKey& k) { return table.Hash(k); });
}

// As full as it gets: two buckets of eight for sixteen entries.
TEST_F(SocketTableTest, BehavesLikeAMapWhenFull) {
  SocketTable table = MakeTable(8);
  RunHistory(
      table, 16, 2, [this](Entry e, auto& k) { SetKey(e, k); }, Key,
      [&](const tcp::FlowKey& k) { return table.Hash(k); });
}

// All keys in one bucket, with one tag: everything overflows.
TEST_F(SocketTableTest, BehavesLikeAMapWhenAllHashesAreEqual) {
  SocketTable table = MakeTable(400);
  RunHistory(
      table, 200, 3, [this](Entry e, auto& k) { SetKey(e, k); }, Key,
      [](const tcp::FlowKey&) { return uint64_t{0x1234'0000'0000'0007}; });
}

// The last bucket overflows into the first.
TEST_F(SocketTableTest, BehavesLikeAMapAroundTheEnd) {
  SocketTable table = MakeTable(64);
  RunHistory(
      table, 60, 4, [this](Entry e, auto& k) { SetKey(e, k); }, Key,
      [](const tcp::FlowKey& k) {
        return uint64_t{k.remote_port} << 48 | 0xffff;
      });
}

TEST_F(SocketTableTest, RefusesWhenFull) {
  SocketTable table = MakeTable(8);
  uint32_t n = 0;
  for (; n < 16; ++n) {
    const Entry e(EntryKind::kConnection, n);
    SetKey(e, Key(n));
    ASSERT_TRUE(table.Insert(table.Hash(Key(n)), e));
  }
  EXPECT_FALSE(
      table.Insert(table.Hash(Key(n)), Entry(EntryKind::kConnection, n)));
  // And looking for what is not there ends.
  EXPECT_FALSE(table.Find(Key(n), table.Hash(Key(n))).found());
}

TEST_F(SocketTableTest, ATagIsNeverTrusted) {
  SocketTable table = MakeTable(64);
  const Entry e(EntryKind::kConnection, 5);
  SetKey(e, Key(5));
  const uint64_t hash = table.Hash(Key(5));
  ASSERT_TRUE(table.Insert(hash, e));
  EXPECT_FALSE(table.Find(Key(6), hash).found());
}

TEST_F(SocketTableTest, TagZeroIsNotAFreeSlot) {
  SocketTable table = MakeTable(64);
  const Entry e(EntryKind::kTimeWait, 5);
  SetKey(e, Key(5));
  const uint64_t hash = 3;  // its upper 16 bits are 0
  ASSERT_TRUE(table.Insert(hash, e));
  EXPECT_EQ(table.Find(Key(5), hash), e);
  table.Erase(hash, e);
  EXPECT_FALSE(table.Find(Key(5), hash).found());
}

// Peers see tuples, not the key: with another key they fall elsewhere.
TEST_F(SocketTableTest, TheHashDependsOnTheKey) {
  SocketTable a = MakeTable(64);
  SocketTable b(64, {17, 19},
                {{{blocks_.data(), sizeof(tcp::ControlBlock)},
                  {requests_.data(), sizeof(tcp::Request)},
                  {time_waits_.data(), sizeof(tcp::TimeWait)},
                  {nullptr, 0}}});
  int same = 0;
  for (uint32_t n = 0; n < 1000; ++n) {
    if ((a.Hash(Key(n)) & 63) == (b.Hash(Key(n)) & 63)) ++same;
  }
  EXPECT_LT(same, 50);
}

}  // namespace
}  // namespace corelane::dataplane
