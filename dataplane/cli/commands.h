// The commands of the `corelane` program.
#ifndef CORELANE_DATAPLANE_CLI_COMMANDS_H_
#define CORELANE_DATAPLANE_CLI_COMMANDS_H_

#include <string>
#include <vector>

#include "dataplane/cli/command_line.h"

namespace corelane::cli {

// What was typed after the command's name.
struct Arguments {
  std::vector<std::string> flags;
  // What followed "--"; DPDK's.
  std::vector<std::string> raw;
};

// Servers run until they are told to stop, the others answer and end. All
// return the process's exit code.
int RunHttp(const Arguments& arguments);
int RunEcho(const Arguments& arguments);
int RunDiscard(const Arguments& arguments);
int RunChargen(const Arguments& arguments);
int RunBlast(const Arguments& arguments);
int RunNetstat(const Arguments& arguments);
int RunStats(const Arguments& arguments);
int RunPorts(const Arguments& arguments);
int RunTop(const Arguments& arguments);
int RunDoctor(const Arguments& arguments);
int RunCapture(const Arguments& arguments);
int RunAddr(const Arguments& arguments);
int RunArp(const Arguments& arguments);
int RunRoute(const Arguments& arguments);
int RunVersion(const Arguments& arguments);

// The whole program; `words` are its arguments without its own name.
int RunProgram(const std::vector<std::string>& words);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_COMMANDS_H_
