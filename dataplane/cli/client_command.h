// What the commands that ask a running instance share.
#ifndef CORELANE_DATAPLANE_CLI_CLIENT_COMMAND_H_
#define CORELANE_DATAPLANE_CLI_CLIENT_COMMAND_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/cli/command_line.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/client.h"

namespace corelane::cli {

class ClientCommand {
 public:
  ClientCommand(const std::string& command, const std::string& summary);

  // For flags of its own.
  CommandLine& line() { return line_; }
  // As CommandLine::Parse.
  std::optional<int> Parse(const Arguments& arguments);
  bool json() const { return json_; }
  // Whether --name was given.
  bool named() const { return name_.has_value(); }

  absl::StatusOr<inspect::Client> Connect() const;

  // Complains about words[at], where one of `known`, or nothing, should be.
  int RefuseWord(const std::vector<std::string>& words, size_t at,
                 const std::vector<absl::string_view>& known) const;

  // Prints to stdout, as it is or as JSON; kExitOk.
  static int Print(const std::string& text);
  static int Print(const nlohmann::ordered_json& json);
  // Prints the message to stderr; kExitBadInput.
  static int Fail(const absl::Status& status);

 private:
  CommandLine line_;
  std::optional<std::string> name_;
  bool json_ = false;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_CLIENT_COMMAND_H_
