#include "dataplane/runtime/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"

namespace corelane::runtime {
namespace {

std::atomic<bool> quiet_flag{false};

// In one write, so that the lines of several threads do not mix.
void Write(absl::string_view line) {
  std::string text = absl::StrCat("corelane: ", line);
  // One line, whatever a library put into its message.
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  text.push_back('\n');
  [[maybe_unused]] const ssize_t n = write(2, text.data(), text.size());
}

}  // namespace

void LogInfo(absl::string_view line) {
  if (!quiet_flag.load(std::memory_order_relaxed)) Write(line);
}

void LogError(absl::string_view line) { Write(line); }

void SetQuiet(bool quiet) { quiet_flag.store(quiet); }

}  // namespace corelane::runtime
