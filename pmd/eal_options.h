// What we ask of the EAL, and its spelling as a command line.
#ifndef CORELANE_PMD_EAL_OPTIONS_H_
#define CORELANE_PMD_EAL_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "pmd/device_spec.h"
#include "pmd/huge_pages.h"

namespace corelane::pmd {

struct EalOptions {
  std::string program = "corelane";
  // The instance's name: separates files and sockets of several instances.
  std::string file_prefix = "corelane";
  // CPU numbers; the first becomes the main lcore, on which the thread that
  // starts the EAL then runs. Empty: the EAL's choice, all of them.
  std::vector<int> cores;
  std::vector<DeviceSpec> devices;
  HugePages huge_pages = HugePages::kAuto;
  uint32_t memory_mb = 512;  // MiB of packet memory
  bool telemetry = true;
  std::vector<std::string> raw_args;  // appended as they are; they win
};

// The command line for rte_eal_init, program name first. A pure function.
std::vector<std::string> BuildEalArguments(const EalOptions& options,
                                           const HugePageDecision& pages);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_EAL_OPTIONS_H_
