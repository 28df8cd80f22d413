#include "proto/base/address.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace corelane {
namespace {

TEST(AddressTest, Ipv4RoundTrip) {
  for (const char* text :
       {"0.0.0.0", "10.77.0.2", "255.255.255.255", "1.20.203.4"}) {
    const auto address = ParseIpv4(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(ToString(*address), text);
  }
  EXPECT_EQ(ParseIpv4("1.2.3.4"), Ipv4Address(0x01020304));
}

TEST(AddressTest, Ipv4Refused) {
  for (const char* text :
       {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3",
        "1.2.3.256", "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4",
        "0x1.2.3.4", "1.2.3.4294967297", "1.2.3.99999999999999999999",
        "a.b.c.d", "1,2,3,4"}) {
    EXPECT_FALSE(ParseIpv4(text)) << text;
  }
  EXPECT_FALSE(ParseIpv4(std::string("1.2.3.4\0", 8)));
}

TEST(AddressTest, Prefix) {
  const auto prefix = ParseIpv4Prefix("10.77.3.2/20");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(ToString(*prefix), "10.77.3.2/20");
  EXPECT_EQ(prefix->Mask(), 0xfffff000u);
  EXPECT_EQ(prefix->Network(), Ipv4Address(10, 77, 0, 0));
  EXPECT_EQ(prefix->DirectedBroadcast(), Ipv4Address(10, 77, 15, 255));
  EXPECT_TRUE(prefix->Contains(Ipv4Address(10, 77, 15, 1)));
  EXPECT_FALSE(prefix->Contains(Ipv4Address(10, 77, 16, 1)));
}

TEST(AddressTest, PrefixExtremes) {
  const Ipv4Prefix all{Ipv4Address(1, 2, 3, 4), 0};
  EXPECT_EQ(all.Mask(), 0u);
  EXPECT_TRUE(all.Contains(Ipv4Address(255, 255, 255, 255)));
  const Ipv4Prefix one{Ipv4Address(1, 2, 3, 4), 32};
  EXPECT_TRUE(one.Contains(Ipv4Address(1, 2, 3, 4)));
  EXPECT_FALSE(one.Contains(Ipv4Address(1, 2, 3, 5)));
  EXPECT_FALSE(one.DirectedBroadcast());
  const Ipv4Prefix point_to_point{Ipv4Address(1, 2, 3, 4), 31};
  EXPECT_FALSE(point_to_point.DirectedBroadcast());
}

TEST(AddressTest, PrefixRefused) {
  for (const char* text :
       {"10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/08",
        "10.0.0/8", "/8", "10.0.0.1/8 ", "10.0.0.1/8/8"}) {
    EXPECT_FALSE(ParseIpv4Prefix(text)) << text;
  }
}

TEST(AddressTest, Mac) {
  const auto mac = ParseMac("02:00:5e:AB:cd:ff");
  ASSERT_TRUE(mac);
  EXPECT_EQ(ToString(*mac), "02:00:5e:ab:cd:ff");
  EXPECT_FALSE(mac->IsMulticast());
  EXPECT_TRUE(ParseMac("01:00:5e:00:00:01")->IsMulticast());
  EXPECT_TRUE(ParseMac("ff:ff:ff:ff:ff:ff")->IsBroadcast());
  EXPECT_TRUE(ParseMac("00:00:00:00:00:00")->IsZero());
}

TEST(AddressTest, MacRefused) {
  for (const char* text :
       {"", "02:00:5e:00:00", "02:00:5e:00:00:0", "02:00:5e:00:00:0g",
        "02-00-5e-00-00-01", "02:00:5e:00:00:01:", "2:0:5e:0:0:1::::::",
        "02:00:5e:00:00:-1", "0x:00:5e:00:00:01", "02:00:5e:00:00: 1"}) {
    EXPECT_FALSE(ParseMac(text)) << text;
  }
}

TEST(AddressTest, Classes) {
  EXPECT_TRUE(Ipv4Address(10, 0, 0, 1).IsUnicastHost());
  EXPECT_TRUE(Ipv4Address(169, 254, 0, 1).IsLinkLocal());
  EXPECT_TRUE(Ipv4Address(223, 255, 255, 255).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(0, 1, 2, 3).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(127, 9, 9, 9).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(224, 0, 0, 1).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(239, 255, 255, 255).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(240, 0, 0, 1).IsUnicastHost());
  EXPECT_FALSE(Ipv4Address(255, 255, 255, 255).IsUnicastHost());
}

}  // namespace
}  // namespace corelane
