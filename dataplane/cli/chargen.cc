// `corelane chargen`.
#include "dataplane/app/echo.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/small_service.h"

namespace corelane::cli {

int RunChargen(const Arguments& arguments) {
  return RunSmallService<dataplane::ChargenApp>(
      arguments, "chargen",
      "Send lines of characters for as long as somebody reads (RFC 864), over "
      "TCP and UDP.",
      19);
}

}  // namespace corelane::cli
