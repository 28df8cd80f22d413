#include "proto/ipv4/route_table.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

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
    ASSERT_EQ(hop->address, best->connected() ? to : best->gateway);
  }
}

}  // namespace
}  // namespace corelane::ipv4
