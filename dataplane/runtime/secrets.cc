#include "dataplane/runtime/secrets.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace corelane::runtime {

absl::StatusOr<dataplane::Secrets> DrawSecrets() {
  dataplane::Secrets secrets;
  static_assert(std::is_trivially_copyable_v<dataplane::Secrets>);
  auto* out = reinterpret_cast<uint8_t*>(&secrets);
  size_t filled = 0;
  while (filled < sizeof(secrets)) {
    const ssize_t n = getrandom(out + filled, sizeof(secrets) - filled, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      return absl::UnavailableError(absl::StrCat(
          "the kernel gives no random numbers: ", std::strerror(errno)));
    }
    filled += static_cast<size_t>(n);
  }
  return secrets;
}

}  // namespace corelane::runtime
