#include "dataplane/cli/version.h"

#include <rte_version.h>

#include <cstdio>

#include "dataplane/cli/commands.h"

namespace corelane::cli {

const char* Version() { return "0.1.0"; }

int RunVersion(const Arguments& arguments) {
  CommandLine line("version", "Print the versions of corelane and DPDK.");
  if (auto code = line.Parse(arguments.flags)) return *code;
  std::printf("corelane %s\n%s\n", Version(), rte_version());
  return kExitOk;
}

}  // namespace corelane::cli
