// What the commands of the small services (echo, discard, chargen) share.
#ifndef CORELANE_DATAPLANE_CLI_SMALL_SERVICE_H_
#define CORELANE_DATAPLANE_CLI_SMALL_SERVICE_H_

#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/print_config.h"
#include "dataplane/cli/serve.h"
#include "dataplane/cli/server_flags.h"

namespace corelane::cli {

// A server without flags of its own, over TCP and UDP.
template <typename App>
int RunSmallService(const Arguments& arguments, const char* name,
                    const char* summary, uint16_t port) {
  CommandLine line(name, summary);
  const ServerFlags flags(
      line, port,
      absl::StrCat("corelane ", name,
                   " --dev tap,iface=cl0 --addr 10.77.0.2/24"));
  if (auto code = line.Parse(arguments.flags)) return *code;
  absl::StatusOr<ServerOptions> options = flags.Understand(arguments.raw);
  if (!options.ok()) return line.Refuse(options.status().message());
  if (auto code = PrintConfig(line, *options)) return *code;
  Service service;
  service.name = name;
  service.udp = true;
  service.make = [] { return std::make_unique<App>(); };
  return Serve(*options, service);
}

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_SMALL_SERVICE_H_
