#include "dataplane/inspect/host_facts.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "pmd/instance.h"

namespace corelane::inspect {
namespace {

namespace fs = std::filesystem;

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool HasEntries(const std::string& folder) {
  std::error_code error;
  return fs::directory_iterator(folder, error) != fs::directory_iterator();
}

// Opening alone makes no interface.
bool MayOpen(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  close(fd);
  return true;
}

bool SteadyTsc(const std::string& cpuinfo) {
  std::ifstream file(cpuinfo);
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "flags")) continue;
    return absl::StrContains(line, " constant_tsc") &&
           absl::StrContains(line, " nonstop_tsc");
  }
  return true;  // not to be known here
}

// The nearest folder that exists decides whether it can be made.
bool MayCreate(fs::path folder) {
  std::error_code error;
  while (!folder.empty() && !fs::exists(folder, error)) {
    if (folder == folder.parent_path()) return false;
    folder = folder.parent_path();
  }
  return access(folder.c_str(), W_OK) == 0;
}

std::vector<PciNic> ReadNics(const std::string& root) {
  constexpr char kNetworkClass[] = "0x02";
  std::vector<PciNic> nics;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(root + "/sys/bus/pci/devices", error)) {
    const std::string path = entry.path().string();
    if (!absl::StartsWith(FirstLine(path + "/class"), kNetworkClass)) continue;
    PciNic nic;
    nic.address = entry.path().filename().string();
    nic.driver = fs::read_symlink(path + "/driver", error).filename().string();
    if (!absl::SimpleAtoi(FirstLine(path + "/numa_node"), &nic.numa_node)) {
      nic.numa_node = -1;
    }
    for (const auto& net : fs::directory_iterator(path + "/net", error)) {
      nic.interfaces.push_back(net.path().filename().string());
    }
    nics.push_back(std::move(nic));
  }
  return nics;
}

}  // namespace

HostFacts ReadHostFacts(const std::string& root) {
  HostFacts facts;
  facts.root = geteuid() == 0;
  facts.cpus = static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  facts.huge_pages = pmd::SurveyHugePages();
  const std::string tun = root + "/dev/net/tun";
  facts.tun_exists = Exists(tun);
  facts.tun_usable = MayOpen(tun);
  facts.iommu = HasEntries(root + "/sys/kernel/iommu_groups");
  facts.vfio_pci = Exists(root + "/sys/bus/pci/drivers/vfio-pci");
  facts.vfio_no_iommu =
      FirstLine(root +
                "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") ==
      "Y";
  const std::string cpu = root + "/sys/devices/system/cpu";
  facts.governor = FirstLine(cpu + "/cpu0/cpufreq/scaling_governor");
  facts.isolated_cpus = FirstLine(cpu + "/isolated");
  facts.steady_tsc = SteadyTsc(root + "/proc/cpuinfo");
  facts.runtime_folder = pmd::RuntimeDirectory("corelane");
  facts.runtime_writable = MayCreate(facts.runtime_folder);
  facts.nics = ReadNics(root);
  return facts;
}

}  // namespace corelane::inspect
