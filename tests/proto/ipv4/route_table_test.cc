#include "proto/ipv4/route_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::ipv4 {
namespace {

Ipv4Prefix P(const char* text) { return *ParseIpv4Prefix(text); }
Ipv4Address A(const char* text) { return *ParseIpv4(text); }

class RouteTableTest : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_EQ(table_.AddConnected(P("10.0.0.2/24"), 0, 1500), RouteStatus::kOk);
    EXPECT_EQ(table_.AddConnected(P("192.168.0.2/16"), 1, 9000),
              RouteStatus::kOk);
  }
  RouteTable table_{16};
};

TEST_F(RouteTableTest, Connected) {
  const auto hop = table_.Lookup(A("10.0.0.77"));
  ASSERT_TRUE(hop);
  EXPECT_EQ(hop->address, A("10.0.0.77"));
  EXPECT_EQ(hop->port, 0);
  EXPECT_EQ(hop->mtu, 1500);
  EXPECT_EQ(hop->source, A("10.0.0.2"));
  EXPECT_EQ(table_.Lookup(A("192.168.9.9"))->port, 1);
  EXPECT_FALSE(table_.Lookup(A("8.8.8.8")));
}

TEST_F(RouteTableTest, DefaultRouteThroughGateway) {
  EXPECT_EQ(table_.AddStatic(P("0.0.0.0/0"), A("10.0.0.1")), RouteStatus::kOk);
  const auto hop = table_.Lookup(A("8.8.8.8"));
  ASSERT_TRUE(hop);
  EXPECT_EQ(hop->address, A("10.0.0.1"));
  EXPECT_EQ(hop->port, 0);
  EXPECT_EQ(hop->mtu, 1500);
  EXPECT_EQ(hop->source, A("10.0.0.2"));
  EXPECT_EQ(table_.Lookup(A("10.0.0.5"))->address, A("10.0.0.5"));
}

TEST_F(RouteTableTest, LongestPrefixWinsWhateverTheOrder) {
  EXPECT_EQ(table_.AddStatic(P("172.16.0.0/12"), A("10.0.0.1")),
            RouteStatus::kOk);
  EXPECT_EQ(table_.AddStatic(P("172.16.5.7/32"), A("192.168.0.1")),
            RouteStatus::kOk);
  EXPECT_EQ(table_.AddStatic(P("172.16.5.9/24"), A("10.0.0.9")),
            RouteStatus::kOk);
  EXPECT_EQ(table_.Lookup(A("172.16.5.7"))->address, A("192.168.0.1"));
  EXPECT_EQ(table_.Lookup(A("172.16.5.8"))->address, A("10.0.0.9"));
  EXPECT_EQ(table_.Lookup(A("172.31.0.1"))->address, A("10.0.0.1"));
  EXPECT_FALSE(table_.Lookup(A("172.32.0.1")));
  uint8_t last = 32;
  for (const RouteEntry& r : table_.routes()) {
    EXPECT_LE(r.prefix.length, last);
    last = r.prefix.length;
    EXPECT_EQ(r.prefix.address, r.prefix.Network());
  }
}

TEST_F(RouteTableTest, Refused) {
  EXPECT_EQ(table_.AddConnected(P("10.0.0.3/24"), 1, 1500),
            RouteStatus::kDuplicate);
  EXPECT_EQ(table_.AddConnected({A("10.1.0.1"), 33}, 0, 1500),
            RouteStatus::kBadPrefix);
  EXPECT_EQ(table_.AddConnected(P("10.1.0.1/24"), 0, 67), RouteStatus::kBadMtu);
  EXPECT_EQ(table_.AddConnected(P("10.1.0.0/24"), 0, 1500),
            RouteStatus::kBadAddress);
  EXPECT_EQ(table_.AddConnected(P("10.1.0.255/24"), 0, 1500),
            RouteStatus::kBadAddress);
  EXPECT_EQ(table_.AddConnected(P("127.0.0.1/8"), 0, 1500),
            RouteStatus::kBadAddress);
  EXPECT_EQ(table_.AddStatic(P("8.0.0.0/8"), A("11.0.0.1")),
            RouteStatus::kGatewayUnreachable);
  EXPECT_EQ(table_.AddStatic(P("8.0.0.0/8"), A("10.0.0.2")),
            RouteStatus::kGatewayIsOurs);
  EXPECT_EQ(table_.AddStatic(P("8.0.0.0/8"), A("10.0.0.255")),
            RouteStatus::kBadAddress);
  EXPECT_EQ(table_.AddStatic(P("8.0.0.0/8"), A("0.0.0.0")),
            RouteStatus::kBadAddress);
  EXPECT_EQ(table_.AddStatic(P("10.0.0.0/24"), A("10.0.0.1")),
            RouteStatus::kDuplicate);
  EXPECT_EQ(table_.routes().size(), 2u);
}

TEST_F(RouteTableTest, PointToPointLinks) {
  EXPECT_EQ(table_.AddConnected(P("10.9.0.0/31"), 2, 1500), RouteStatus::kOk);
  EXPECT_EQ(table_.AddConnected(P("10.9.1.1/32"), 2, 1500), RouteStatus::kOk);
  EXPECT_EQ(table_.Lookup(A("10.9.0.1"))->port, 2);
}

TEST_F(RouteTableTest, Remove) {
  EXPECT_EQ(table_.AddStatic(P("0.0.0.0/0"), A("10.0.0.1")), RouteStatus::kOk);
  EXPECT_EQ(table_.Remove(P("10.0.0.0/24")), RouteStatus::kInUse);
  EXPECT_EQ(table_.Remove(P("10.0.0.0/25")), RouteStatus::kNotFound);
  EXPECT_EQ(table_.Remove(P("0.0.0.0/0")), RouteStatus::kOk);
  EXPECT_EQ(table_.Remove(P("10.0.0.2/24")), RouteStatus::kOk);
  EXPECT_FALSE(table_.Lookup(A("10.0.0.1")));
}

TEST_F(RouteTableTest, IsBounded) {
  for (uint8_t i = 0; i < 14; ++i) {
    EXPECT_EQ(table_.AddStatic({Ipv4Address(50, i, 0, 0), 16}, A("10.0.0.1")),
              RouteStatus::kOk);
  }
  EXPECT_EQ(table_.AddStatic(P("60.0.0.0/8"), A("10.0.0.1")),
            RouteStatus::kTableFull);
}

// Against the plainest possible search.
TEST(RouteTableRandomTest, SameAsLinearSearch) {
  const uint64_t seed = 5;
  SCOPED_TRACE(seed);
  Rng rng(seed);
  RouteTable table(200);
  ASSERT_EQ(table.AddConnected(P("10.0.0.2/8"), 0, 1500), RouteStatus::kOk);
  for (int i = 0; i < 150; ++i) {
    table.AddStatic({Ipv4Address(rng.Next32() & 0x3fffffff),
                     static_cast<uint8_t>(rng.Below(33))},
                    Ipv4Address(0x0a000010 + static_cast<uint32_t>(i)));
  }
  for (int i = 0; i < 10'000; ++i) {
    const Ipv4Address to(rng.Next32() & 0x3fffffff);
    const RouteEntry* best = nullptr;
    for (const RouteEntry& r : table.routes()) {
      if (!r.prefix.Contains(to)) continue;
      if (best == nullptr || r.prefix.length > best->prefix.length) best = &r;
    }
    const auto hop = table.Lookup(to);
    ASSERT_EQ(hop.has_value(), best != nullptr);
    if (!hop) continue;
    // One of those as good.
    ASSERT_TRUE(std::any_of(
        table.routes().begin(), table.routes().end(), [&](const RouteEntry& r) {
          return r.prefix == best->prefix &&
                 hop->address == (r.connected() ? to : r.gateway);
        }));
  }
}

class EqualWaysTest : public RouteTableTest {
 protected:
  static constexpr int kFlows = 3000;

  void SetUp() override {
    RouteTableTest::SetUp();
    for (const char* gateway : {"10.0.0.1", "192.168.0.1", "10.0.0.9"}) {
      ASSERT_EQ(table_.AddStatic(P("0.0.0.0/0"), A(gateway)), RouteStatus::kOk);
    }
    ASSERT_EQ(table_.AddStatic(P("172.16.0.0/12"), A("10.0.0.7")),
              RouteStatus::kOk);
  }
  static Flow FlowOf(int i, const char* source = "0.0.0.0") {
    return {A("8.8.8.8"), A(source), static_cast<uint16_t>(1024 + i), 80, 6};
  }
  Ipv4Address Way(const Flow& flow) { return table_.Lookup(flow)->address; }
  std::vector<Ipv4Address> Ways(const char* source = "0.0.0.0") {
    std::vector<Ipv4Address> ways;
    for (int i = 0; i < kFlows; ++i) ways.push_back(Way(FlowOf(i, source)));
    return ways;
  }
  static int64_t Count(const std::vector<Ipv4Address>& ways, const char* way) {
    return std::count(ways.begin(), ways.end(), A(way));
  }
};

TEST_F(EqualWaysTest, FlowsSpreadEvenlyAndKeepToTheirWay) {
  const auto ways = Ways();
  for (const char* way : {"10.0.0.1", "192.168.0.1", "10.0.0.9"}) {
    EXPECT_NEAR(static_cast<double>(Count(ways, way)), kFlows / 3.0, 150.0);
  }
  EXPECT_EQ(Ways(), ways);
  EXPECT_EQ(table_.Lookup(A("172.16.0.1"))->address, A("10.0.0.7"));
}

// What leaves a port carries an address of it, if it can.
TEST_F(EqualWaysTest, AFlowGoesByThePortThatHasItsSource) {
  EXPECT_EQ(Count(Ways("192.168.0.2"), "192.168.0.1"), kFlows);
  const auto ways = Ways("10.0.0.2");
  EXPECT_EQ(Count(ways, "192.168.0.1"), 0);
  EXPECT_GT(Count(ways, "10.0.0.1"), kFlows / 3);
  EXPECT_GT(Count(ways, "10.0.0.9"), kFlows / 3);
  // A second address in a network needs no route, and counts.
  EXPECT_EQ(table_.AddConnected(P("192.168.0.3/16"), 1, 9000),
            RouteStatus::kDuplicate);
  EXPECT_EQ(Count(Ways("192.168.0.3"), "192.168.0.1"), kFlows);
}

TEST_F(EqualWaysTest, OnlyTheFlowsOfAGatewayThatDiesMove) {
  const auto before = Ways();
  table_.NoteGateway(0, A("10.0.0.9"), true);
  EXPECT_TRUE(table_.any_dead());
  const auto after = Ways();
  EXPECT_EQ(Count(after, "10.0.0.9"), 0);
  for (int i = 0; i < kFlows; ++i) {
    if (before[i] == A("10.0.0.9")) continue;
    ASSERT_EQ(before[i], after[i]);
  }
  // Even where only the wrong port is left.
  table_.NoteGateway(1, A("192.168.0.1"), true);
  EXPECT_EQ(Count(Ways("192.168.0.2"), "10.0.0.1"), kFlows);
  // With all of them dead, all are as good again.
  table_.NoteGateway(0, A("10.0.0.1"), true);
  EXPECT_EQ(Ways(), before);
  size_t at = 0;
  int dead = 0;
  while (table_.NextDead(at) != nullptr) ++dead;
  EXPECT_EQ(dead, 3);

  RouteTable next(16);
  ASSERT_EQ(next.AddConnected(P("10.0.0.2/24"), 0, 1500), RouteStatus::kOk);
  ASSERT_EQ(next.AddStatic(P("0.0.0.0/0"), A("10.0.0.1")), RouteStatus::kOk);
  ASSERT_EQ(next.AddStatic(P("0.0.0.0/0"), A("10.0.0.8")), RouteStatus::kOk);
  next.TakeOverDead(table_);
  EXPECT_EQ(next.Lookup(A("8.8.8.8"))->address, A("10.0.0.8"));

  for (const char* gateway : {"10.0.0.1", "10.0.0.9"}) {
    table_.NoteGateway(0, A(gateway), false);
  }
  table_.NoteGateway(1, A("192.168.0.1"), false);
  EXPECT_FALSE(table_.any_dead());
  EXPECT_EQ(Ways(), before);
}

// Its death changes nothing, and nobody has to ask for it.
TEST_F(EqualWaysTest, AnOnlyGatewayIsNeverDead) {
  table_.NoteGateway(0, A("10.0.0.7"), true);
  EXPECT_FALSE(table_.any_dead());
}

TEST_F(EqualWaysTest, AddAndRemove) {
  EXPECT_EQ(table_.AddStatic(P("0.0.0.0/0"), A("10.0.0.9")),
            RouteStatus::kDuplicate);
  EXPECT_EQ(table_.AddStatic(P("10.0.0.0/24"), A("192.168.0.1")),
            RouteStatus::kDuplicate);  // on the link already
  EXPECT_EQ(table_.AddStatic(P("172.16.0.0/12"), A("10.0.0.8")),
            RouteStatus::kOk);
  EXPECT_EQ(table_.Remove(P("0.0.0.0/0"), A("10.0.0.3")),
            RouteStatus::kNotFound);
  EXPECT_EQ(table_.Remove(P("0.0.0.0/0"), A("10.0.0.9")), RouteStatus::kOk);
  const auto two = Ways();
  EXPECT_GT(Count(two, "10.0.0.1"), kFlows / 3);
  EXPECT_GT(Count(two, "192.168.0.1"), kFlows / 3);
  EXPECT_EQ(table_.Remove(P("192.168.0.0/16")), RouteStatus::kInUse);
  EXPECT_EQ(table_.Remove(P("0.0.0.0/0")), RouteStatus::kOk);
  EXPECT_FALSE(table_.Lookup(A("8.8.8.8")));
  EXPECT_EQ(table_.routes().size(), 4u);
  EXPECT_EQ(table_.routes()[2].ways, 2);
  EXPECT_EQ(table_.routes()[3].ways, 1);
}

}  // namespace
}  // namespace corelane::ipv4
