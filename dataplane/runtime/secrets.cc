#include "dataplane/runtime/secrets.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/base/siphash.h"

namespace corelane::runtime {
namespace {

// The same for every process until the host starts anew; nullopt if the kernel
// does not say which start this is.
std::optional<SipKey> KeyOfThisBoot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!(file >> id)) return std::nullopt;
  const ByteView bytes(reinterpret_cast<const uint8_t*>(id.data()), id.size());
  return SipKey{SipHash24({1, 0}, bytes), SipHash24({2, 0}, bytes)};
}

}  // namespace

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
  // A TIME-WAIT at the peer takes no SYN whose timestamp is before the last one
  // (RFC 6191). The clock goes on from process to process, so must the offsets
  // that are added to it.
  if (const auto key = KeyOfThisBoot()) secrets.timestamps = *key;
  return secrets;
}

}  // namespace corelane::runtime
