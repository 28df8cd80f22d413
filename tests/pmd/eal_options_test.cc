#include "pmd/eal_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "pmd/huge_pages.h"
#include "pmd/instance.h"

namespace corelane::pmd {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<DeviceSpec> Devices(const std::vector<std::string>& texts) {
  return ParseDevices(texts).value();
}

TEST(BuildEalArguments, WithoutHugePages) {
  EalOptions options;
  options.file_prefix = "web";
  options.cores = {2, 3};
  options.memory_mb = 128;
  options.devices = Devices({"tap", "null"});
  options.raw_args = {"--iova-mode=va"};
  EXPECT_THAT(
      BuildEalArguments(options, {}),
      ElementsAre("corelane", "--file-prefix=web", "--log-level=*:error", "-l",
                  "2,3", "--main-lcore=2", "-m", "128", "--no-huge", "--no-pci",
                  "--vdev=net_tap0,iface=cl0", "--vdev=net_null0",
                  "--iova-mode=va"));
}

TEST(BuildEalArguments, WithHugePages) {
  EalOptions options;
  options.devices = Devices({"memif,socket=/run/a,server"});
  const auto args = BuildEalArguments(options, {true, "/mnt/huge", ""});
  EXPECT_THAT(args, Contains("--huge-dir=/mnt/huge"));
  EXPECT_THAT(args, Contains("--single-file-segments"));
  EXPECT_THAT(args, Not(Contains("--no-huge")));
}

TEST(BuildEalArguments, APhysicalDeviceTurnsTheBusOn) {
  EalOptions options;
  options.telemetry = false;
  options.devices = Devices({"pci,01:00.0", "tap"});
  const auto args = BuildEalArguments(options, {true, "/m", ""});
  EXPECT_THAT(args, Contains("--allow=0000:01:00.0"));
  EXPECT_THAT(args, Contains("--vdev=net_tap0,iface=cl0"));
  EXPECT_THAT(args, Contains("--no-telemetry"));
  EXPECT_THAT(args, Not(Contains("--no-pci")));
}

TEST(HugePageDecision, UsesThemWhenThereAreEnough) {
  const std::vector<HugePagePool> pools = {{1048576, 0, "/mnt/1g"},
                                           {2048, 256, "/dev/hugepages"}};
  const auto decision = DecideHugePages(HugePages::kAuto, 512, "", pools);
  ASSERT_TRUE(decision.ok());
  EXPECT_TRUE(decision->use);
  EXPECT_EQ(decision->mount, "/dev/hugepages");
  EXPECT_EQ(decision->notice, "");
}

TEST(HugePageDecision, DoesWithoutAndSaysWhatThatCosts) {
  // Enough pages, but mounted nowhere.
  const std::vector<HugePagePool> pools = {{2048, 256, ""}};
  const auto decision = DecideHugePages(HugePages::kAuto, 512, "", pools);
  ASSERT_TRUE(decision.ok());
  EXPECT_FALSE(decision->use);
  EXPECT_THAT(decision->notice, HasSubstr("TLB"));
  EXPECT_THAT(decision->notice, HasSubstr("mount -t hugetlbfs"));
}

TEST(HugePageDecision, OffIsSilent) {
  const auto decision = DecideHugePages(HugePages::kOff, 512, "", {});
  ASSERT_TRUE(decision.ok());
  EXPECT_FALSE(decision->use);
  EXPECT_EQ(decision->notice, "");
}

TEST(HugePageDecision, RefusesWhatCannotWork) {
  const std::vector<HugePagePool> pools = {{2048, 10, "/dev/hugepages"}};
  const auto required = DecideHugePages(HugePages::kRequire, 512, "", pools);
  EXPECT_THAT(std::string(required.status().message()),
              StartsWith("512 MiB of huge pages wanted, 20 MiB free"));
  EXPECT_THAT(std::string(required.status().message()),
              HasSubstr("echo 288 > /sys/kernel/mm/hugepages/"));
  for (const HugePages wanted : {HugePages::kAuto, HugePages::kOff}) {
    const auto pci = DecideHugePages(wanted, 512, "pci,01:00.0", pools);
    EXPECT_THAT(std::string(pci.status().message()),
                StartsWith("--dev pci,01:00.0: a physical device needs"));
  }
}

TEST(HugePageSurvey, SurvivesAnyHost) { SurveyHugePages(); }

TEST(Instance, NamesThatAreSafeInPaths) {
  for (const char* good : {"corelane", "web-1", "a.b_c", "7"}) {
    EXPECT_TRUE(CheckInstanceName(good).ok()) << good;
  }
  for (const char* bad : {"", "a/b", "..", ".x", "-x", "a b", "a,b",
                          "a-name-of-thirty-three-characters"}) {
    EXPECT_FALSE(CheckInstanceName(bad).ok()) << bad;
  }
}

TEST(Instance, ADirectoryOfNobodyIsNoInstance) {
  EXPECT_FALSE(FindInstance("no-such-instance").has_value());
}

}  // namespace
}  // namespace corelane::pmd
