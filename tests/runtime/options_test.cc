#include "dataplane/runtime/options.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "dataplane/runtime/host_addresses.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::runtime {
namespace {

using testing::HasSubstr;

RuntimeOptions Good() {
  RuntimeOptions options;
  const std::string devices[] = {"tap", "null"};
  options.devices = *pmd::ParseDevices(devices);
  options.addresses = {{{Ipv4Address(10, 77, 0, 2), 24}, 0}};
  return options;
}

std::string Message(const absl::Status& status) {
  return absl::StrCat(status.message());
}

TEST(OptionsTest, TakesWhatMakesSense) {
  RuntimeOptions options = Good();
  options.addresses.push_back({{Ipv4Address(10, 77, 0, 3), 24}, 0});
  options.addresses.push_back({{Ipv4Address(10, 78, 0, 2), 24}, 1});
  options.addresses.push_back({{Ipv4Address(10, 79, 0, 0), 31}, 1});
  options.addresses.push_back({{Ipv4Address(10, 80, 0, 9), 32}, 1});
  options.routes = {
      {{Ipv4Address(), 0}, Ipv4Address(10, 77, 0, 1)},
      {{Ipv4Address(10, 9, 0, 0), 16}, Ipv4Address(10, 78, 0, 9)},
      {{Ipv4Address(10, 9, 0, 0), 16}, Ipv4Address(10, 78, 0, 8)},
      {{Ipv4Address(10, 8, 0, 0), 16}, Ipv4Address(10, 79, 0, 1)}};
  EXPECT_TRUE(CheckOptions(options).ok()) << CheckOptions(options);
}

struct BadAddress {
  Ipv4Prefix prefix;
  uint16_t device;
  const char* says;
};

TEST(OptionsTest, RefusesAddressesThatNoHostCanHave) {
  const BadAddress kCases[] = {
      {{Ipv4Address(10, 77, 0, 0), 24}, 0, "host part is zero"},
      {{Ipv4Address(10, 77, 0, 255), 24}, 0, "broadcast address"},
      {{Ipv4Address(127, 0, 0, 1), 8}, 0, "no host can have"},
      {{Ipv4Address(0, 0, 0, 0), 24}, 0, "no host can have"},
      {{Ipv4Address(224, 0, 0, 5), 24}, 0, "no host can have"},
      {{Ipv4Address(255, 255, 255, 255), 32}, 0, "no host can have"},
      {{Ipv4Address(10, 77, 0, 2), 0}, 0, "prefix length of 0"},
      {{Ipv4Address(10, 77, 0, 2), 24}, 2, "numbered from 0 to 1"},
  };
  for (const BadAddress& bad : kCases) {
    RuntimeOptions options = Good();
    options.addresses = {{bad.prefix, bad.device}};
    const absl::Status status = CheckOptions(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status), HasSubstr(bad.says));
    EXPECT_THAT(Message(status), HasSubstr(ToString(bad.prefix)));
  }
}

TEST(OptionsTest, RefusesNoAddressTwiceTheSameAndOverlappingNetworks) {
  RuntimeOptions options = Good();
  options.addresses.clear();
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("--addr 10.77.0.2/24"));

  options = Good();
  options.addresses.push_back({{Ipv4Address(10, 77, 0, 2), 16}, 1});
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("given twice"));

  options = Good();
  options.addresses.push_back({{Ipv4Address(10, 77, 9, 2), 16}, 1});
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("overlaps"));
}

struct BadRoute {
  dataplane::StaticRoute route;
  const char* says;
};

TEST(OptionsTest, RefusesRoutesThatLeadNowhere) {
  const Ipv4Prefix all = {Ipv4Address(), 0};
  const BadRoute kCases[] = {
      {{all, Ipv4Address(10, 78, 0, 1)}, "on none of our networks"},
      {{all, Ipv4Address(10, 77, 0, 2)}, "our own address"},
      {{all, Ipv4Address(10, 77, 0, 255)}, "no host"},
      {{all, Ipv4Address(10, 77, 0, 0)}, "no host"},
      {{{Ipv4Address(10, 1, 0, 1), 16}, Ipv4Address(10, 77, 0, 1)},
       "write 10.1.0.0/16,10.77.0.1"},
      {{{Ipv4Address(10, 77, 0, 0), 24}, Ipv4Address(10, 77, 0, 1)},
       "on the link already"},
  };
  for (const BadRoute& bad : kCases) {
    RuntimeOptions options = Good();
    options.routes = {bad.route};
    EXPECT_THAT(Message(CheckOptions(options)), HasSubstr(bad.says));
  }
  RuntimeOptions options = Good();
  options.routes = {{all, Ipv4Address(10, 77, 0, 1)},
                    {all, Ipv4Address(10, 77, 0, 3)},
                    {all, Ipv4Address(10, 77, 0, 1)}};
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("leave one out"));
}

TEST(OptionsTest, PlacesOfAddresses) {
  const std::pair<const char*, const char*> kGood[] = {
      {"1", "1"},
      {"0", "0"},
      {"vlan3", "0.vlan3"},
      {"1.vlan4094", "1.vlan4094"}};
  for (const auto& [text, spelled] : kGood) {
    DeviceAddress address;
    EXPECT_TRUE(ParsePlace(text, address)) << text;
    EXPECT_EQ(PlaceOf(address), spelled);
  }
  for (const char* bad :
       {"",         "x",       "-1",       "+1",     "01",
        "65535",    "99999",   "vlan",     "vlan0",  "vlan03",
        "vlan4095", "vlan-3",  ".vlan3",   "1vlan3", "1.vlan3.vlan4",
        "1.vlan3 ", "vlan3.1", "1..vlan3", "1.2",    "VLAN3"}) {
    DeviceAddress address;
    EXPECT_FALSE(ParsePlace(bad, address)) << bad;
  }
}

TEST(OptionsTest, AVlanIsALinkOfItsOwn) {
  RuntimeOptions options = Good();
  const auto base = options.addresses.size();
  options.addresses.push_back({{Ipv4Address(10, 78, 3, 2), 24}, 0, 3});
  options.addresses.push_back({{Ipv4Address(10, 78, 3, 3), 24}, 0, 3});
  options.addresses.push_back({{Ipv4Address(10, 78, 4, 3), 24}, 1, 3});
  EXPECT_TRUE(CheckOptions(options).ok()) << CheckOptions(options);
  EXPECT_EQ(VlansOf(options.addresses).size(), 2u);
  options.addresses.resize(base);
  options.addresses.push_back({{Ipv4Address(10, 77, 0, 9), 24}, 0, 3});
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("@0.vlan3"));
  EXPECT_THAT(Message(CheckOptions(options)), HasSubstr("overlaps"));
}

TEST(OptionsTest, IdlesAsTheDevicesSuggest) {
  RuntimeOptions options = Good();
  EXPECT_EQ(IdleModeOf(options), pmd::IdleMode::kAdaptive);
  options.devices[1].kind = pmd::DeviceKind::kPci;
  EXPECT_EQ(IdleModeOf(options), pmd::IdleMode::kSpin);
  options.idle = pmd::IdleMode::kAdaptive;
  EXPECT_EQ(IdleModeOf(options), pmd::IdleMode::kAdaptive);
}

TEST(HostAddressesTest, RefusesAnAddressOfTheHostBehindItsOwnInterfaces) {
  RuntimeOptions options = Good();
  const std::vector<HostAddress> host = {{"lo", Ipv4Address(127, 0, 0, 1)},
                                         {"dummy0", Ipv4Address(10, 77, 0, 2)}};
  const absl::Status status = CheckAgainstHost(options, host);
  EXPECT_THAT(Message(status), HasSubstr("dummy0"));
  // Inside the process, or on a wire of its own, the host does not matter.
  options.addresses[0].device = 1;
  EXPECT_TRUE(CheckAgainstHost(options, host).ok());
  options.addresses = {{{Ipv4Address(10, 77, 0, 3), 24}, 0}};
  EXPECT_TRUE(CheckAgainstHost(options, host).ok());
}

}  // namespace
}  // namespace corelane::runtime
