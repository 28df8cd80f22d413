// `corelane echo`.
#include "dataplane/app/echo.h"

#include "dataplane/cli/commands.h"
#include "dataplane/cli/small_service.h"

namespace corelane::cli {

int RunEcho(const Arguments& arguments) {
  return RunSmallService<dataplane::EchoApp>(
      arguments, "echo",
      "Send back what is received (RFC 862), over TCP and UDP, without "
      "copying.",
      7);
}

}  // namespace corelane::cli
