#include "dataplane/cli/flag_values.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::cli {
namespace {

using testing::HasSubstr;

TEST(FlagValuesTest, Numbers) {
  EXPECT_EQ(*ParseNumber("--n", "1", 1, 10, ""), 1u);
  EXPECT_EQ(*ParseNumber("--n", "10", 1, 10, ""), 10u);
  for (const char* bad : {"", "0", "11", "-1", "+1", " 1", "1 ", "0x1", "1e1",
                          "1.0", "one", "99999999999999999999999"}) {
    const auto result = ParseNumber("--n", bad, 1, 10, "MiB");
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_THAT(std::string(result.status().message()),
                HasSubstr("from 1 to 10 MiB"));
  }
}

TEST(FlagValuesTest, Ports) {
  EXPECT_EQ(*ParsePort("--port", "1"), 1);
  EXPECT_EQ(*ParsePort("--port", "65535"), 65535);
  for (const char* bad : {"", "0", "65536", "-7", "http", "7 "}) {
    EXPECT_FALSE(ParsePort("--port", bad).ok()) << bad;
  }
}

TEST(FlagValuesTest, Durations) {
  EXPECT_EQ(*ParseDuration("--t", "3", 0s, 1h), Duration(3s));
  EXPECT_EQ(*ParseDuration("--t", "3s", 0s, 1h), Duration(3s));
  EXPECT_EQ(*ParseDuration("--t", "250ms", 0s, 1h), Duration(250ms));
  EXPECT_EQ(*ParseDuration("--t", "2min", 0s, 1h), Duration(2min));
  EXPECT_EQ(*ParseDuration("--t", "60m", 0s, 1h), Duration(1h));
  EXPECT_EQ(*ParseDuration("--t", "0", 0s, 1h), Duration(0s));
  for (const char* bad : {"", "s", "3h", "-3s", "61min", "3.5s", "3 s",
                          "18446744073709551615s", "9223372036854775807min"}) {
    EXPECT_FALSE(ParseDuration("--t", bad, 0s, 1h).ok()) << bad;
  }
  EXPECT_FALSE(ParseDuration("--t", "0", 100ms, 1h).ok());
}

TEST(FlagValuesTest, Addresses) {
  EXPECT_EQ(*ParseAddress("--listen", "10.77.0.2"), Ipv4Address(10, 77, 0, 2));
  EXPECT_FALSE(ParseAddress("--listen", "10.77.0").ok());
  EXPECT_FALSE(ParseAddress("--listen", "10.77.0.2/24").ok());
  EXPECT_FALSE(ParseAddress("--listen", "localhost").ok());
}

TEST(FlagValuesTest, DeviceAddresses) {
  const auto plain = ParseDeviceAddress("10.77.0.2/24");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->prefix, (Ipv4Prefix{Ipv4Address(10, 77, 0, 2), 24}));
  EXPECT_EQ(plain->device, 0);
  EXPECT_EQ(ParseDeviceAddress("10.77.0.2/24@3")->device, 3);
  for (const char* bad :
       {"", "10.77.0.2", "10.77.0.2/", "10.77.0.2/33", "10.77.0.2/24@",
        "10.77.0.2/24@x", "10.77.0.2/24@70000", "10.77.0.2/24@1@2",
        "010.77.0.2/24", "10.77.0.2 /24"}) {
    EXPECT_FALSE(ParseDeviceAddress(bad).ok()) << bad;
  }
  EXPECT_THAT(std::string(ParseDeviceAddress("10.77.0.2").status().message()),
              HasSubstr("write 10.77.0.2/24"));
}

TEST(FlagValuesTest, Routes) {
  const auto route = ParseRoute("10.1.0.0/16,10.77.0.1");
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(route->destination, (Ipv4Prefix{Ipv4Address(10, 1, 0, 0), 16}));
  EXPECT_EQ(route->gateway, Ipv4Address(10, 77, 0, 1));
  for (const char* bad : {"", "10.1.0.0/16", "10.1.0.0/16,", ",10.77.0.1",
                          "10.1.0.0,10.77.0.1", "10.1.0.0/16,10.77.0.1,x"}) {
    EXPECT_FALSE(ParseRoute(bad).ok()) << bad;
  }
}

TEST(FlagValuesTest, Cores) {
  EXPECT_EQ(*ParseCores("0"), std::vector<int>{0});
  for (const char* bad : {"", ",", "0,,1", "-1", "0-", "-", "+0", "0 ,1", "a",
                          "0-x", "1-0", "0,0", "0-1-2", "99999999999"}) {
    EXPECT_FALSE(ParseCores(bad).ok()) << bad;
  }
}

TEST(FlagValuesTest, Words) {
  EXPECT_EQ(*ParseIdle("spin"), pmd::IdleMode::kSpin);
  EXPECT_EQ(*ParseIdle("adaptive"), pmd::IdleMode::kAdaptive);
  EXPECT_EQ(*ParseHugePages("auto"), pmd::HugePages::kAuto);
  EXPECT_EQ(*ParseHugePages("require"), pmd::HugePages::kRequire);
  EXPECT_EQ(*ParseHugePages("off"), pmd::HugePages::kOff);
  EXPECT_THAT(std::string(ParseIdle("adaptiv").status().message()),
              HasSubstr("did you mean 'adaptive'?"));
  EXPECT_FALSE(ParseIdle("Spin").ok());
  EXPECT_FALSE(ParseHugePages("").ok());
}

}  // namespace
}  // namespace corelane::cli
