// A configuration file: TOML, its keys named like the flags.
//
//   # corelane http --config corelane.toml
//   dev = ["tap,iface=cl0"]
//   addr = ["10.77.0.2/24"]
//   port = 8080
//   quiet = true
//
// Read by toml++ (Debian's libtomlplusplus-dev): of the parsers at hand it
// alone knows the line of every key and refuses a key that is given twice
// (CLI11's own reader does neither; yaml-cpp lets the last one win).
#ifndef CORELANE_DATAPLANE_CLI_CONFIG_FILE_H_
#define CORELANE_DATAPLANE_CLI_CONFIG_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace corelane::cli {

struct ConfigEntry {
  enum class Kind : uint8_t { kValue, kList, kSwitch };

  std::string key;
  Kind kind = Kind::kValue;
  std::vector<std::string> values;  // numbers as text; one unless kList
  bool on = false;                  // kSwitch
  uint32_t line = 0;
};

// All of a file. Errors start with "FILE:LINE: ", where there is a line.
absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(
    const std::string& path);
// The same of text; `path` is for messages.
absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(const std::string& text,
                                                     const std::string& path);

// A string as TOML writes it, with its quotes.
std::string QuoteToml(const std::string& text);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_CONFIG_FILE_H_
