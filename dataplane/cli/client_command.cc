#include "dataplane/cli/client_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dataplane/runtime/log.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {

ClientCommand::ClientCommand(const std::string& command,
                             const std::string& summary)
    : line_(command, summary) {
  line_.AddValue("--name", name_, "NAME",
                 "The instance to ask (default: corelane)");
  line_.AddSwitch("--json", json_, "Print JSON, for programs");
}

std::optional<int> ClientCommand::Parse(const Arguments& arguments) {
  if (!arguments.raw.empty()) {
    return line_.Refuse("nothing follows --; DPDK is not started here");
  }
  return line_.Parse(arguments.flags);
}

absl::StatusOr<inspect::Client> ClientCommand::Connect() const {
  return inspect::Client::Connect(name_.value_or("corelane"));
}

int ClientCommand::RefuseWord(
    const std::vector<std::string>& words, size_t at,
    const std::vector<absl::string_view>& known) const {
  if (at > 0) {
    return line_.Refuse(absl::StrCat("unexpected argument '", words[at], "'"));
  }
  return line_.Refuse(absl::StrCat("unexpected argument '", words[at],
                                   "'; it is one of ",
                                   absl::StrJoin(known, ", "), ", or nothing",
                                   pmd::DidYouMean(words[at], known)));
}

int ClientCommand::Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  // A full disk or a closed pipe must not look like an empty table.
  return std::fflush(stdout) == 0 ? kExitOk : kExitFailed;
}

int ClientCommand::Print(const nlohmann::ordered_json& json) {
  return Print(absl::StrCat(json.dump(2), "\n"));
}

int ClientCommand::Fail(const absl::Status& status) {
  runtime::LogError(status.message());
  return kExitBadInput;
}

}  // namespace corelane::cli
