#include "pmd/device_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pmd/device_check.h"
#include "pmd/nearest_name.h"

namespace corelane::pmd {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::vector<DeviceSpec>> Parse(
    const std::vector<std::string>& texts) {
  return ParseDevices(texts);
}

struct GoodCase {
  std::string text;
  std::string eal;  // the EAL's --vdev or -a value
};

class GoodDevice : public testing::TestWithParam<GoodCase> {};

TEST_P(GoodDevice, BecomesAnEalArgument) {
  const auto specs = Parse({GetParam().text});
  ASSERT_TRUE(specs.ok()) << specs.status();
  EXPECT_EQ(EalDeviceArgument(specs->front()), GetParam().eal);
  EXPECT_EQ(specs->front().text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodDevice,
    testing::Values(
        GoodCase{"tap", "net_tap0,iface=cl0"},
        GoodCase{"tap,iface=web", "net_tap0,iface=web"},
        // How many queues we use is no argument of net_tap's.
        GoodCase{"tap,iface=web,queues=1", "net_tap0,iface=web"},
        // The MAC is the stack's, not net_tap's for the kernel.
        GoodCase{"tap,mac=02:00:00:00:00:01", "net_tap0,iface=cl0"},
        GoodCase{"null", "net_null0"},
        GoodCase{"null,size=64,no-rx=1", "net_null0,size=64,no-rx=1"},
        GoodCase{"ring", "net_ring0"},
        GoodCase{"memif,socket=/run/a,role=server",
                 "net_memif0,socket=/run/a,socket-abstract=no,role=server"},
        GoodCase{"memif,socket=/run/a,client,id=3,zero-copy=yes",
                 "net_memif0,socket=/run/a,socket-abstract=no,role=client,"
                 "id=3,zero-copy=yes"},
        GoodCase{"memif,socket=@a,server",
                 "net_memif0,socket=a,socket-abstract=yes,role=server"},
        GoodCase{"af_packet,iface=veth0", "net_af_packet0,iface=veth0"},
        GoodCase{"af_xdp,iface=veth0,queue=1",
                 "net_af_xdp0,iface=veth0,start_queue=1"},
        GoodCase{"vhost,socket=/run/v", "net_vhost0,iface=/run/v"},
        GoodCase{"vhost,socket=/run/v,role=client",
                 "net_vhost0,iface=/run/v,client=1"},
        GoodCase{"virtio_user,socket=/run/v", "net_virtio_user0,path=/run/v"},
        GoodCase{"virtio_user,socket=/run/v,server",
                 "net_virtio_user0,path=/run/v,server=1"},
        GoodCase{"pcap,rx=in.pcap,tx=out.pcap",
                 "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap"},
        GoodCase{"pcap,iface=veth0", "net_pcap0,iface=veth0"},
        GoodCase{"pci,01:00.0", "0000:01:00.0"},
        GoodCase{"pci,0000:3B:00.1,representor=[0-3]",
                 "0000:3b:00.1,representor=[0-3]"}));

struct BadCase {
  std::string text;
  std::string message;  // part of it
};

class BadDevice : public testing::TestWithParam<BadCase> {};

TEST_P(BadDevice, IsExplainedOnOneLine) {
  const auto specs = Parse({GetParam().text});
  ASSERT_FALSE(specs.ok());
  const std::string message(specs.status().message());
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, HasSubstr("--dev " + GetParam().text));
  EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadDevice,
    testing::Values(
        BadCase{"tpa", "unknown device 'tpa'; did you mean 'tap'? devices: "},
        BadCase{"net_tap0", "did you mean 'tap'?"},
        BadCase{"af-packet,iface=x", "did you mean 'af_packet'?"},
        BadCase{"zebra", "unknown device 'zebra'; devices: tap, "},
        BadCase{"", "unknown device ''; devices: "},
        BadCase{"tap,ifcae=x",
                "unknown option 'ifcae' of 'tap'; did you mean "
                "'iface'?; options: iface, "},
        BadCase{"tap,", "unknown option ''"},
        BadCase{"tap,iface", "option 'iface' needs a value"},
        BadCase{"tap,iface=", "option 'iface' needs a value"},
        BadCase{"tap,iface=a,iface=b", "given twice"},
        BadCase{"tap,iface=sixteen-letters-", "the kernel allows 15"},
        BadCase{"tap,iface=a/b", "cannot be an interface's name"},
        BadCase{"tap,iface=a b", "blank"},
        BadCase{"tap,mac=2:0", "is not a MAC address"},
        BadCase{"tap,mac=01:00:00:00:00:01", "group address"},
        BadCase{"null,size=sixty", "'size' is a number from 60 to 2048"},
        BadCase{"null,size=-1", "'size' is a number"},
        BadCase{"null,size=99999999999999", "'size' is a number"},
        BadCase{"memif", "memif needs a socket and a role"},
        BadCase{"memif,socket=/run/a", "memif needs a socket and a role"},
        BadCase{"memif,socket=/run/a,role=master", "role is server or client"},
        BadCase{"memif,socket=/run/a,server,zero-copy=1", "is yes or no"},
        BadCase{"memif,socket=/run/a,server,zero-copy=yes", "use role=client"},
        BadCase{"af_packet", "add iface=NAME"},
        BadCase{"af_xdp,queue=1", "add iface=NAME"},
        BadCase{"vhost", "add socket=PATH"},
        BadCase{"vhost,socket=@a", "only memif takes an abstract socket"},
        BadCase{"vhost,socket=/" + std::string(120, 'a'), "at most 107"},
        BadCase{"pcap", "either rx=FILE"},
        BadCase{"pcap,iface=a,rx=b", "either rx=FILE"},
        BadCase{"pcap,iface=a,tx=b", "goes with rx=FILE"},
        BadCase{"pci", "a PCI address is needed"},
        BadCase{"pci,eth7", "a PCI address is needed"},
        BadCase{"pci,01:00.9", "a PCI address is needed"}));

TEST(DeviceSpec, SeveralDevicesGetNamesOfTheirOwn) {
  const auto specs = Parse({"tap", "null", "tap,iface=b", "tap"});
  ASSERT_TRUE(specs.ok()) << specs.status();
  EXPECT_EQ(EalDeviceArgument((*specs)[0]), "net_tap0,iface=cl0");
  EXPECT_EQ(EalDeviceArgument((*specs)[1]), "net_null0");
  EXPECT_EQ(EalDeviceArgument((*specs)[2]), "net_tap1,iface=b");
  EXPECT_EQ(EalDeviceArgument((*specs)[3]), "net_tap2,iface=cl2");
}

TEST(DeviceSpec, TwoDevicesCannotShareWhatCannotBeShared) {
  EXPECT_THAT(
      std::string(Parse({"tap,iface=a", "tap,iface=a"}).status().message()),
      HasSubstr("already another --dev's"));
  EXPECT_THAT(
      std::string(
          Parse({"pci,01:00.0", "pci,0000:01:00.0"}).status().message()),
      HasSubstr("given twice"));
}

TEST(DeviceSpec, KnowsItsKind) {
  const auto specs = Parse({"tap", "memif,socket=/run/a,server", "pci,01:00.0",
                            "tap,mac=02:00:00:00:00:07"});
  ASSERT_TRUE(specs.ok()) << specs.status();
  EXPECT_TRUE(IsVirtual((*specs)[0]));
  EXPECT_FALSE(IsVirtual((*specs)[2]));
  EXPECT_FALSE(NeedsSingleFileSegments((*specs)[0]));
  EXPECT_TRUE(NeedsSingleFileSegments((*specs)[1]));
  EXPECT_TRUE(MayHaveRxInterrupt((*specs)[0]));
  EXPECT_FALSE(MayHaveRxInterrupt((*specs)[1]));
  EXPECT_EQ(DefaultIdleMode((*specs)[0]), IdleMode::kAdaptive);
  EXPECT_EQ(DefaultIdleMode((*specs)[2]), IdleMode::kSpin);
  EXPECT_TRUE((*specs)[1].socket_server);
  EXPECT_EQ((*specs)[3].mac, ParseMac("02:00:00:00:00:07"));
}

TEST(DeviceSpec, HelpNamesEveryDevice) {
  for (const char* name : {"tap", "memif", "af_xdp", "pci", "null"}) {
    EXPECT_THAT(DeviceHelp(), HasSubstr(std::string("  ") + name));
  }
}

TEST(DeviceCheck, FindsWhatIsMissingBeforeTheEalStarts) {
  struct Case {
    std::string text;
    std::string message;
  };
  for (const Case& c : {
           Case{"af_packet,iface=no-such-if", "there is no interface"},
           Case{"vhost,socket=/no/such/dir/s", "mkdir -p /no/such/dir/"},
           Case{"virtio_user,socket=/tmp/no-such-socket", "nobody serves"},
           Case{"memif,socket=/tmp/no-such-socket,client", "nobody serves"},
           Case{"vhost,socket=/dev/null", "is no socket"},
           Case{"pcap,rx=/no/such/file", "cannot read /no/such/file"},
           Case{"pci,fffe:ff:1f.7", "there is no PCI device"},
       }) {
    const auto specs = Parse({c.text});
    ASSERT_TRUE(specs.ok()) << specs.status();
    EXPECT_THAT(std::string(CheckDevice(specs->front()).message()),
                HasSubstr(c.message));
  }
}

TEST(NearestName, FindsSlipsAndNothingElse) {
  const std::vector<absl::string_view> names = {"tap", "null", "af_packet"};
  EXPECT_EQ(NearestName("tpa", names), "tap");
  EXPECT_EQ(NearestName("nul", names), "null");
  EXPECT_EQ(NearestName("afpaket", names), "af_packet");
  EXPECT_EQ(NearestName("zebra", names), "");
  EXPECT_EQ(NearestName("", names), "");
}

}  // namespace
}  // namespace corelane::pmd
