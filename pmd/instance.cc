#include "pmd/instance.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace corelane::pmd {
namespace {

// DPDK's rule (eal_create_runtime_dir), which a client that runs no EAL has to
// repeat.
std::string DpdkDirectory() {
  if (const char* systemd = std::getenv("RUNTIME_DIRECTORY");
      systemd != nullptr) {
    return absl::StrCat(systemd, "/dpdk");
  }
  if (getuid() == 0) return "/var/run/dpdk";
  const char* user = std::getenv("XDG_RUNTIME_DIR");
  return absl::StrCat(user != nullptr ? user : "/tmp", "/dpdk");
}

std::string& OwnInstance() {
  static auto* const own = new std::string;
  return *own;
}

}  // namespace

void SetOwnInstance(const std::string& name) { OwnInstance() = name; }

std::string RuntimeDirectory(const std::string& name) {
  return absl::StrCat(DpdkDirectory(), "/", name);
}

std::string TelemetrySocketPath(const std::string& name) {
  return absl::StrCat(RuntimeDirectory(name), "/dpdk_telemetry.v2");
}

std::optional<pid_t> FindInstance(const std::string& name) {
  if (!name.empty() && name == OwnInstance()) return getpid();
  // A primary process holds a write lock on its config file as long as it
  // lives, however it dies. Asking for the lock does not take it.
  const std::string path = absl::StrCat(RuntimeDirectory(name), "/config");
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int result = fcntl(fd, F_GETLK, &lock);
  close(fd);
  if (result != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return std::max<pid_t>(lock.l_pid, 0);
}

std::vector<std::string> ListInstances() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(DpdkDirectory(), error)) {
    std::string name = entry.path().filename().string();
    if (FindInstance(name).has_value()) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status CheckInstanceName(const std::string& name) {
  const bool good =
      !name.empty() && name.size() <= 32 && name[0] != '.' && name[0] != '-' &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
               c == '_' || c == '.';
      });
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--name '", name,
      "': use 1 to 32 letters, digits, '-', '_' or '.', such as web1"));
}

}  // namespace corelane::pmd
