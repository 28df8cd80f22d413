// `corelane discard`.
#include "dataplane/app/echo.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/small_service.h"

namespace corelane::cli {

int RunDiscard(const Arguments& arguments) {
  return RunSmallService<dataplane::DiscardApp>(
      arguments, "discard",
      "Read everything and say nothing (RFC 863), over TCP and UDP.", 9);
}

}  // namespace corelane::cli
