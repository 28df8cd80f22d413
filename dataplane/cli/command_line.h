// A command's flags, parsed with one clear line for each kind of mistake.
#ifndef CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_
#define CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dataplane/cli/config_file.h"

namespace CLI {
class App;
}  // namespace CLI

namespace corelane::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;    // something broke while running
inline constexpr int kExitBadInput = 2;  // the user can do something about it

class CommandLine {
 public:
  // `command` is what was typed before the flags, "echo".
  CommandLine(const std::string& command, const std::string& summary);
  ~CommandLine();

  // A flag with a value, kept as typed: what it means is checked later, by code
  // whose messages say what to type instead.
  void AddValue(const std::string& flag, std::optional<std::string>& value,
                const std::string& value_name, const std::string& help);
  // The same for a flag that may be repeated.
  void AddValues(const std::string& flag, std::vector<std::string>& values,
                 const std::string& value_name, const std::string& help);
  // A flag with one to `most` words behind it.
  void AddWords(const std::string& flag, std::vector<std::string>& words,
                int most, const std::string& value_name,
                const std::string& help);
  // Words without a flag.
  void AddOperands(const std::string& name, std::vector<std::string>& words,
                   const std::string& help);
  void AddSwitch(const std::string& flag, bool& value, const std::string& help);
  // Adds --config and --print-config, for the flags added so far and later.
  void AddConfig();
  bool print_config() const { return print_config_; }
  // The flags as a configuration file has them. `defaults` are values, by the
  // flags' names without the dashes, of those that were not given.
  std::string ConfigText(
      const std::map<std::string, std::string>& defaults) const;
  // Printed below the flags.
  void SetFooter(const std::string& text);

  // nullopt: go on. Otherwise the exit code, after --help was printed to stdout
  // or what was wrong to stderr.
  std::optional<int> Parse(const std::vector<std::string>& arguments);

  // Prints one line about a mistake, with where to read more; kExitBadInput.
  int Refuse(absl::string_view message) const;

 private:
  // Where the value of a flag goes; one of the three.
  struct Flag {
    std::string name;  // without the dashes
    std::optional<std::string>* value = nullptr;
    std::vector<std::string>* values = nullptr;
    bool* on = nullptr;
    uint32_t line = 0;  // of the configuration file that gave it; 0: none did
  };

  std::optional<int> RefuseExtras();
  void Remember(const std::string& flag, Flag place);
  std::optional<int> ApplyConfig();
  absl::Status Apply(const ConfigEntry& entry);

  std::string command_;
  std::vector<Flag> flags_;
  std::optional<std::string> config_;
  bool print_config_ = false;
  // CLI11 costs every source that includes it ten seconds: only ours does.
  std::unique_ptr<CLI::App> app_;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_
