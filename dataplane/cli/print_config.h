// --print-config.
#ifndef CORELANE_DATAPLANE_CLI_PRINT_CONFIG_H_
#define CORELANE_DATAPLANE_CLI_PRINT_CONFIG_H_

#include <optional>

#include "dataplane/cli/command_line.h"
#include "dataplane/cli/server_flags.h"

namespace corelane::cli {

// Prints what a server would run with, if that was asked for: a file that
// --config takes, with what follows from it as comments. The exit code;
// nullopt: not asked for.
std::optional<int> PrintConfig(const CommandLine& line,
                               const ServerOptions& options);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_PRINT_CONFIG_H_
