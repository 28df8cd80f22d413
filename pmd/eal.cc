#include "pmd/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <list>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "pmd/device_check.h"
#include "pmd/port_setup.h"

namespace corelane::pmd {
namespace {

// Keeps what DPDK says while it starts: noise when it succeeds (net_tap has a
// lot of harmless complaints), the reason when it does not.
class LogCapture {
 public:
  LogCapture() : stream_(open_memstream(&text_, &size_)) {
    if (stream_ != nullptr) rte_openlog_stream(stream_);
  }
  ~LogCapture() {
    rte_openlog_stream(nullptr);
    if (stream_ != nullptr) fclose(stream_);
    std::free(text_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // The first complaint, which is nearest to the cause, on one line.
  std::string FirstLine() {
    if (stream_ == nullptr) return "";
    fflush(stream_);
    const absl::string_view text(text_, size_);
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      line = absl::StripAsciiWhitespace(line);
      // Two complaints of net_tap's that it lives on with.
      const bool harmless =
          line.find("qdisc kind") != absl::string_view::npos ||
          line.find("Disabling rte flow") != absl::string_view::npos;
      if (!line.empty() && !harmless) return absl::StrCat(line);
    }
    return "";
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  FILE* stream_;
};

std::string PhysicalDevice(const EalOptions& options) {
  for (const DeviceSpec& device : options.devices) {
    if (!IsVirtual(device)) return device.text;
  }
  return "";
}

absl::Status CheckFree(const std::string& name) {
  const std::optional<pid_t> pid = FindInstance(name);
  if (!pid.has_value()) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("an instance named '", name, "' is already running (pid ",
                   *pid == 0 ? "unknown" : absl::StrCat(*pid),
                   "); choose another name with --name"));
}

absl::Status CheckOptions(const EalOptions& options) {
  if (absl::Status s = CheckInstanceName(options.file_prefix); !s.ok()) {
    return s;
  }
  const int64_t cpus = sysconf(_SC_NPROCESSORS_CONF);
  for (const int core : options.cores) {
    if (core < 0 || core >= cpus) {
      return absl::InvalidArgumentError(
          absl::StrCat("--cores: there is no CPU ", core,
                       "; this machine has 0 to ", cpus - 1));
    }
  }
  if (options.memory_mb < 16) {
    return absl::InvalidArgumentError(
        absl::StrCat("--memory ", options.memory_mb, ": at least 16 (MiB)"));
  }
  if (absl::Status s = CheckFree(options.file_prefix); !s.ok()) return s;
  for (const DeviceSpec& device : options.devices) {
    if (absl::Status s = CheckDevice(device); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// The runtime directory (its sockets and maps) and, on huge pages, the files
// that hold them. The next start would clean up too; the next may never come.
void RemoveLeftovers(const std::string& prefix, const std::string& mount) {
  std::error_code error;
  std::filesystem::remove_all(RuntimeDirectory(prefix), error);
  if (mount.empty()) return;
  const std::string stem = absl::StrCat(prefix, "map_");
  for (const auto& entry : std::filesystem::directory_iterator(mount, error)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, stem.size(), stem) == 0) {
      std::filesystem::remove(entry.path(), error);
    }
  }
}

absl::Status StartFailed(const std::string& said, int error) {
  return absl::InternalError(absl::StrCat(
      "DPDK did not start: ",
      said.empty() ? rte_strerror(error)
                   : absl::StrCat(said, " (", rte_strerror(error), ")"),
      "; --eal-args=--log-level=debug tells more"));
}

struct CommandLine {
  std::vector<std::string> strings;
  std::vector<char*> argv;
};

// DPDK permutes the array and may keep pointers into the strings: each command
// line lives until the process ends.
CommandLine& Keep(const std::vector<std::string>& arguments) {
  static auto* const kept = new std::list<CommandLine>;
  CommandLine& command = kept->emplace_back();
  command.strings = arguments;
  for (std::string& argument : command.strings) {
    command.argv.push_back(argument.data());
  }
  command.argv.push_back(nullptr);
  return command;
}

// A driver that refuses a device does not make the EAL fail: the device is just
// not there, and only the log says why.
absl::Status CheckProbed(const EalOptions& options, const std::string& said) {
  for (const DeviceSpec& device : options.devices) {
    if (absl::StatusOr<uint16_t> port = FindPort(device); !port.ok()) {
      return absl::Status(
          port.status().code(),
          absl::StrCat(port.status().message(),
                       said.empty() ? "" : " DPDK said: ", said));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Eal> Eal::Start(const EalOptions& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  // rte_eal_init() does not always notice by itself: after a clean-up it
  // crashes.
  static bool started_before = false;
  if (started_before) {
    return absl::FailedPreconditionError(
        "DPDK was already started once in this process, and cannot be again");
  }
  absl::StatusOr<HugePageDecision> pages =
      DecideHugePages(options.huge_pages, options.memory_mb,
                      PhysicalDevice(options), SurveyHugePages());
  if (!pages.ok()) return pages.status();

  Eal eal;
  eal.prefix_ = options.file_prefix;
  eal.pages_ = *std::move(pages);
  eal.arguments_ = BuildEalArguments(options, eal.pages_);

  started_before = true;
  CommandLine& command = Keep(eal.arguments_);
  LogCapture log;
  const int result = rte_eal_init(static_cast<int>(command.strings.size()),
                                  command.argv.data());
  if (result < 0) {
    const int error = rte_errno;
    RemoveLeftovers(eal.prefix_, eal.pages_.mount);
    return StartFailed(log.FirstLine(), error);
  }
  eal.running_ = true;
  SetOwnInstance(eal.prefix_);
  if (absl::Status s = CheckProbed(options, log.FirstLine()); !s.ok()) {
    return s;
  }
  return eal;
}

Eal& Eal::operator=(Eal&& other) noexcept {
  if (this == &other) return *this;
  Stop();
  running_ = std::exchange(other.running_, false);
  prefix_ = std::move(other.prefix_);
  arguments_ = std::move(other.arguments_);
  pages_ = std::move(other.pages_);
  return *this;
}

void Eal::Stop() {
  if (!std::exchange(running_, false)) return;
  rte_eal_cleanup();
  RemoveLeftovers(prefix_, pages_.mount);
  SetOwnInstance("");
}

}  // namespace corelane::pmd
