#include "dataplane/cli/dialer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "dataplane/runtime/log.h"

namespace corelane::cli {
namespace {

const char* Reason(tcp::Error error) {
  switch (error) {
    case tcp::Error::kRefused:
      return "connection refused; is a server listening there?";
    case tcp::Error::kTimedOut:
      return "no answer";
    case tcp::Error::kUnreachable:
      return "unreachable";
    default:
      return "connection reset";
  }
}

}  // namespace

void Dialer::OnConnections(std::span<dataplane::ReadyConnection> ready,
                           Time now) {
  for (const dataplane::ReadyConnection& r : ready) {
    const tcp::ControlBlock& cb = r.connection.control_block();
    if (!cb.Has(tcp::kActiveOpen)) continue;
    const std::string peer =
        absl::StrCat(ToString(cb.key.remote()), ":", cb.key.remote_port);
    if ((r.events & dataplane::kGone) != 0) {
      runtime::LogError(
          absl::StrCat("--connect ", peer, ": ", Reason(cb.error)));
    } else if ((r.events & dataplane::kOpened) != 0) {
      runtime::LogInfo(absl::StrCat("connected to ", peer));
    }
  }
  application_.OnConnections(ready, now);
}

}  // namespace corelane::cli
