// Runs a server from start to stop.
#ifndef CORELANE_DATAPLANE_CLI_SERVE_H_
#define CORELANE_DATAPLANE_CLI_SERVE_H_

#include <functional>
#include <memory>
#include <string>

#include "dataplane/api/application.h"
#include "dataplane/cli/server_flags.h"

namespace corelane::cli {

struct Service {
  std::string name;  // "echo"
  bool udp = false;  // also binds a UDP socket
  // One application per core.
  std::function<std::unique_ptr<dataplane::Application>()> make;
  // For an application that needs the time of day; told at start and now and
  // then. `zero` is what it was at Time zero, in nanoseconds since 1970.
  std::function<void(dataplane::Application& application, int64_t zero)>
      set_wall_clock;
};

// Logs how it goes to stderr; returns the exit code.
int Serve(const ServerOptions& options, const Service& service);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_SERVE_H_
