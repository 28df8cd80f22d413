#include "pmd/eal_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace corelane::pmd {

std::vector<std::string> BuildEalArguments(const EalOptions& options,
                                           const HugePageDecision& pages) {
  std::vector<std::string> args = {
      options.program,
      absl::StrCat("--file-prefix=", options.file_prefix),
      // Ours to report; DPDK's own errors are kept for when it fails.
      "--log-level=*:error",
  };
  if (!options.cores.empty()) {
    args.push_back("-l");
    args.push_back(absl::StrJoin(options.cores, ","));
    args.push_back(absl::StrCat("--main-lcore=", options.cores[0]));
  }
  args.push_back("-m");
  args.push_back(absl::StrCat(options.memory_mb));
  if (pages.use) {
    args.push_back(absl::StrCat("--huge-dir=", pages.mount));
  } else {
    args.push_back("--no-huge");
  }
  if (std::any_of(options.devices.begin(), options.devices.end(),
                  NeedsSingleFileSegments)) {
    args.push_back("--single-file-segments");
  }
  if (!options.telemetry) args.push_back("--no-telemetry");
  if (std::all_of(options.devices.begin(), options.devices.end(), IsVirtual)) {
    args.push_back("--no-pci");
  }
  for (const DeviceSpec& device : options.devices) {
    args.push_back(absl::StrCat(IsVirtual(device) ? "--vdev=" : "--allow=",
                                EalDeviceArgument(device)));
  }
  args.insert(args.end(), options.raw_args.begin(), options.raw_args.end());
  return args;
}

}  // namespace corelane::pmd
