// A command's flags, parsed with one clear line for each kind of mistake.
#ifndef CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_
#define CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

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
  // Printed below the flags.
  void SetFooter(const std::string& text);

  // nullopt: go on. Otherwise the exit code, after --help was printed to stdout
  // or what was wrong to stderr.
  std::optional<int> Parse(const std::vector<std::string>& arguments);

  // Prints one line about a mistake, with where to read more; kExitBadInput.
  int Refuse(absl::string_view message) const;

 private:
  std::optional<int> RefuseExtras();

  std::string command_;
  // CLI11 costs every source that includes it ten seconds: only ours does.
  std::unique_ptr<CLI::App> app_;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_COMMAND_LINE_H_
