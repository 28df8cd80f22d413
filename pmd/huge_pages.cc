#include "pmd/huge_pages.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace corelane::pmd {
namespace {

constexpr uint64_t kDefaultPageKib = 2048;

// A hugetlbfs mount without "pagesize=" holds pages of the default size.
uint64_t PageKibOfMount(const std::string& options) {
  const size_t at = options.find("pagesize=");
  if (at == std::string::npos) return kDefaultPageKib;
  const std::string value = options.substr(at + 9);
  uint64_t number = 0;
  size_t digits = 0;
  while (digits < value.size() && value[digits] >= '0' &&
         value[digits] <= '9') {
    number = number * 10 + static_cast<uint64_t>(value[digits] - '0');
    ++digits;
  }
  const char unit = digits < value.size() ? value[digits] : 'K';
  if (unit == 'G') return number << 20;
  if (unit == 'M') return number << 10;
  return number;
}

uint64_t Mib(const HugePagePool& pool) {
  return pool.free_pages * pool.page_kib / 1024;
}

// What to type to get `memory_mib` of huge pages. A little more than asked
// for: DPDK's own tables need some.
std::string Remedy(uint64_t memory_mib,
                   const std::vector<HugePagePool>& pools) {
  const bool mounted =
      std::any_of(pools.begin(), pools.end(),
                  [](const HugePagePool& p) { return !p.mount.empty(); });
  std::string text =
      absl::StrCat("echo ", memory_mib / 2 + 32,
                   " > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  if (!mounted) {
    absl::StrAppend(&text,
                    " && mkdir -p /dev/hugepages && mount -t hugetlbfs none "
                    "/dev/hugepages");
  }
  return text;
}

}  // namespace

std::vector<HugePagePool> SurveyHugePages() {
  std::vector<HugePagePool> pools;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    const std::string name = entry.path().filename().string();
    absl::string_view size = name;
    if (!absl::ConsumePrefix(&size, "hugepages-") ||
        !absl::ConsumeSuffix(&size, "kB")) {
      continue;
    }
    HugePagePool pool;
    if (!absl::SimpleAtoi(size, &pool.page_kib)) continue;
    std::ifstream(entry.path() / "free_hugepages") >> pool.free_pages;
    pools.push_back(pool);
  }
  std::ifstream mounts("/proc/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string device;
    std::string directory;
    std::string type;
    std::string options;
    fields >> device >> directory >> type >> options;
    if (type != "hugetlbfs") continue;
    const uint64_t page_kib = PageKibOfMount(options);
    for (HugePagePool& pool : pools) {
      if (pool.page_kib == page_kib && pool.mount.empty()) {
        pool.mount = directory;
      }
    }
  }
  return pools;
}

absl::StatusOr<HugePageDecision> DecideHugePages(
    HugePages wanted, uint64_t memory_mib, const std::string& physical_device,
    const std::vector<HugePagePool>& pools) {
  HugePageDecision decision;
  if (wanted == HugePages::kOff) {
    if (physical_device.empty()) return decision;
    return absl::InvalidArgumentError(
        absl::StrCat("--dev ", physical_device,
                     ": a physical device needs huge pages; allow them and "
                     "run: ",
                     Remedy(memory_mib, pools)));
  }
  uint64_t best_mib = 0;
  for (const HugePagePool& pool : pools) {
    if (pool.mount.empty()) continue;
    best_mib = std::max(best_mib, Mib(pool));
    if (Mib(pool) >= memory_mib && !decision.use) {
      decision.use = true;
      decision.mount = pool.mount;
    }
  }
  if (decision.use) return decision;
  const std::string lack =
      absl::StrCat(memory_mib, " MiB of huge pages wanted, ", best_mib,
                   " MiB free and mounted");
  if (wanted == HugePages::kRequire || !physical_device.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        physical_device.empty()
            ? ""
            : absl::StrCat("--dev ", physical_device,
                           ": a physical device needs huge pages: "),
        lack, "; run: ", Remedy(memory_mib, pools)));
  }
  decision.notice = absl::StrCat(
      lack,
      ": running on ordinary pages, which costs TLB misses and rules out "
      "physical devices; to use huge pages run: ",
      Remedy(memory_mib, pools));
  return decision;
}

}  // namespace corelane::pmd
