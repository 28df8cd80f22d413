// Whether to use huge pages, and what it costs not to.
#ifndef CORELANE_PMD_HUGE_PAGES_H_
#define CORELANE_PMD_HUGE_PAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace corelane::pmd {

enum class HugePages : uint8_t {
  kAuto,     // when enough of them are free
  kRequire,  // or refuse to start
  kOff,
};

// What the host has of one page size.
struct HugePagePool {
  uint64_t page_kib = 0;
  uint64_t free_pages = 0;
  std::string mount;  // of a hugetlbfs of this size; empty: none
};

// Reads /sys/kernel/mm/hugepages and /proc/mounts.
std::vector<HugePagePool> SurveyHugePages();

struct HugePageDecision {
  bool use = false;
  std::string mount;   // when used
  std::string notice;  // one line for the user; empty when nothing is lost
};

// A pure function of its arguments. `physical_device` names a device that
// cannot do without huge pages, or is empty.
absl::StatusOr<HugePageDecision> DecideHugePages(
    HugePages wanted, uint64_t memory_mib, const std::string& physical_device,
    const std::vector<HugePagePool>& pools);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_HUGE_PAGES_H_
