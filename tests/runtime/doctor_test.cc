#include "dataplane/inspect/doctor.h"

#include <nlohmann/json.hpp>
#include <string>

#include "dataplane/inspect/core_report.h"
#include "dataplane/inspect/reports.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::inspect {
namespace {

using testing::HasSubstr;

// A host that could not be better.
HostFacts GoodHost() {
  HostFacts facts;
  facts.root = true;
  facts.cpus = 8;
  facts.huge_pages = {{2048, 512, "/dev/hugepages"}};
  facts.tun_exists = facts.tun_usable = true;
  facts.iommu = facts.vfio_pci = true;
  facts.governor = "performance";
  facts.isolated_cpus = "2-7";
  facts.runtime_writable = true;
  facts.nics = {{"0000:03:00.0", "vfio-pci", 0, {}}};
  return facts;
}

// The one finding, as text.
std::string Only(const HostFacts& facts, Finding::Kind kind) {
  const auto findings = ExamineHost(facts);
  EXPECT_EQ(findings.size(), 1u) << FormatFindings(findings);
  if (findings.size() != 1) return "";
  EXPECT_EQ(findings[0].kind, kind);
  EXPECT_FALSE(findings[0].costs.empty());
  EXPECT_FALSE(findings[0].remedy.empty());
  return FormatFindings(findings);
}

constexpr auto kProblem = Finding::Kind::kProblem;
constexpr auto kAdvice = Finding::Kind::kAdvice;

TEST(DoctorHostTest, FindsNothingWhereAllIsWell) {
  EXPECT_TRUE(ExamineHost(GoodHost()).empty());
}

TEST(DoctorHostTest, FindsEachThing) {
  HostFacts f = GoodHost();
  f.tun_usable = false;
  EXPECT_THAT(Only(f, kProblem), HasSubstr("chmod 666"));
  f.tun_exists = false;
  EXPECT_THAT(Only(f, kProblem), HasSubstr("mknod"));
  f = GoodHost();
  f.root = false;
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("sudo"));
  f = GoodHost();
  f.runtime_writable = false;
  EXPECT_THAT(Only(f, kProblem), HasSubstr("no instance can start"));
  f = GoodHost();
  f.huge_pages[0].mount = "";
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("mount -t hugetlbfs"));
  f.huge_pages.clear();
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("nr_hugepages"));
  f = GoodHost();
  f.iommu = false;
  EXPECT_THAT(Only(f, kProblem), HasSubstr("intel_iommu=on"));
  f.vfio_no_iommu = true;
  EXPECT_TRUE(ExamineHost(f).empty());
  f = GoodHost();
  f.nics[0] = {"0000:03:00.0", "ixgbe", 0, {"eth7"}};
  f.vfio_pci = false;
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("modprobe vfio-pci"));
  f.nics.clear();
  EXPECT_TRUE(ExamineHost(f).empty());
  f = GoodHost();
  f.governor = "powersave";
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("cpupower"));
  f.governor = "";
  EXPECT_TRUE(ExamineHost(f).empty());
  f.isolated_cpus = "";
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("isolcpus=7"));
  f = GoodHost();
  f.steady_tsc = false;
  EXPECT_THAT(Only(f, kAdvice), HasSubstr("cstate"));
}

TEST(DoctorHostTest, ReadsAnyHost) {
  EXPECT_GE(ReadHostFacts().cpus, 1u);
  const HostFacts nowhere = ReadHostFacts("/no/such/root");
  EXPECT_FALSE(nowhere.tun_exists);
  EXPECT_TRUE(nowhere.nics.empty());
}

class DoctorInstanceTest : public testing::Test {
 protected:
  DoctorInstanceTest() {
    stats_ = StatsReport(stack_.pipeline());
    port_ = {{"label", "cl0"},
             {"link", "up"},
             {"rx_missed", 0u},
             {"rx_packets", 9u},
             {"offloads", {{"rx_tcp_checksum", 1u}}}};
    Json core = CoreReport(stack_.pipeline(), {});
    cores_ = {core, core};
  }

  std::string Text() {
    const auto findings =
        ExamineInstance(stats_, Json::array({port_}), cores_, busiest_);
    EXPECT_TRUE(findings.ok()) << findings.status();
    return findings.ok() ? FormatFindings(*findings) : "";
  }

  TestStack stack_;
  Json stats_;
  Json port_;
  Json cores_;
  Json busiest_ = Json::array();
};

TEST_F(DoctorInstanceTest, FindsNothingWhereAllIsWell) {
  EXPECT_EQ(Text(), "");
}

TEST_F(DoctorInstanceTest, Memory) {
  stats_["resources"]["low_memory"] = 1u;
  EXPECT_THAT(Text(), HasSubstr("--memory"));
  stats_["resources"]["low_memory"] = 0u;
  stats_["resources"]["connections"] = 1000u;
  EXPECT_THAT(Text(), HasSubstr("1000 of 1024 are in use"));
  stats_["resources"]["connections"] = 0u;
  stats_["tcp"]["syn_cookies_sent"] = 3u;
  EXPECT_THAT(Text(), HasSubstr("3 SYNs"));
}

TEST_F(DoctorInstanceTest, Tcp) {
  stats_["tcp"]["segments_out"] = 10000u;
  stats_["tcp"]["retransmits"] = 100u;
  EXPECT_EQ(Text(), "");
  stats_["tcp"]["retransmits"] = 200u;
  EXPECT_THAT(Text(), HasSubstr("200 of 10000 segments (2 %)"));
  stats_["tcp"]["retransmits"] = 0u;
  stats_["tcp"]["segments_in"] = 3000u;
  stats_["tcp"]["delayed_acks"] = 2000u;
  EXPECT_THAT(Text(), HasSubstr("TCP_NODELAY"));
}

TEST_F(DoctorInstanceTest, Devices) {
  port_["offloads"]["rx_tcp_checksum"] = 0u;
  EXPECT_THAT(Text(), HasSubstr("checksums in software: rx_tcp_checksum"));
  port_["offloads"]["rx_tcp_checksum"] = 1u;
  port_["rx_missed"] = 1u;
  EXPECT_THAT(Text(), HasSubstr("1 of 10 packets"));
  port_["rx_missed"] = 0u;
  port_["link"] = "down";
  EXPECT_THAT(Text(), HasSubstr("ip link set cl0 up"));
}

TEST_F(DoctorInstanceTest, Cores) {
  cores_[0]["rx_packets"] = 60000u;
  cores_[1]["rx_packets"] = 50000u;
  EXPECT_EQ(Text(), "");
  cores_[1]["rx_packets"] = 0u;
  EXPECT_EQ(Text(), "");  // twice the mean exactly
  cores_.push_back(cores_[1]);
  EXPECT_THAT(Text(), HasSubstr("core 0 got 100 %"));
}

TEST_F(DoctorInstanceTest, Windows) {
  busiest_.push_back({{"state", "ESTABLISHED"},
                      {"send_q", 90000u},
                      {"snd_una", 4294967295u},
                      {"snd_nxt", 9999u},
                      {"snd_wnd", 10000u},
                      {"mss", 1460u}});
  EXPECT_THAT(Text(), HasSubstr("1 of the 1 busiest connections wait"));
  busiest_[0]["snd_wnd"] = 100000u;
  EXPECT_EQ(Text(), "");
}

TEST_F(DoctorInstanceTest, RefusesOtherShapes) {
  EXPECT_FALSE(ExamineInstance(Json::object(), {}, {}, {}).ok());
}

TEST(FindingsTest, AreJson) {
  const Finding finding{kProblem, "a", "b", "c", "d"};
  EXPECT_EQ(FindingsJson({&finding, 1}).dump(),
            R"([{"kind":"problem","about":"a","what":"b","costs":"c",)"
            R"("remedy":"d"}])");
}

}  // namespace
}  // namespace corelane::inspect
