// `corelane route`.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {
namespace {

// The request for what was typed.
absl::StatusOr<std::string> Change(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == "add") {
    const auto route = ParseRoute(words[1], "route add");
    if (!route.ok()) return route.status();
    return absl::StrCat("/corelane/route/add,", ToString(route->destination),
                        ",", ToString(route->gateway));
  }
  if (words.size() == 2 && words[1].find(',') != std::string::npos) {
    const auto route = ParseRoute(words[1], "route del");
    if (!route.ok()) return route.status();
    return absl::StrCat("/corelane/route/del,", ToString(route->destination),
                        ",", ToString(route->gateway));
  }
  if (words.size() == 2) {
    const auto to = ParseIpv4Prefix(words[1]);
    if (to.has_value()) {
      return absl::StrCat("/corelane/route/del,", ToString(*to));
    }
  }
  return absl::InvalidArgumentError(
      words[0] == "add" ? "write: corelane route add 10.1.0.0/16,10.77.0.1"
                        : "write: corelane route del 10.1.0.0/16");
}

}  // namespace

int RunRoute(const Arguments& arguments) {
  ClientCommand command("route",
                        "Print or change the routes of a running instance.");
  std::vector<std::string> words;
  command.line().AddOperands(
      "ACTION", words, "add A.B.C.D/N,GATEWAY, or del A.B.C.D/N[,GATEWAY]");
  command.line().SetFooter(
      "Several routes to one network, through different gateways, are equal "
      "ways:\n"
      "each flow takes one of them, and none whose gateway is dead while "
      "another is\n"
      "alive. del without a gateway removes them all.\n\n"
      "Examples:\n  corelane route\n"
      "  corelane route add 10.1.0.0/16,10.77.0.1\n"
      "  corelane route add 0.0.0.0/0,10.77.0.1    # the default gateway\n"
      "  corelane route del 10.1.0.0/16\n");
  if (auto code = command.Parse(arguments)) return *code;
  std::string change;
  if (!words.empty()) {
    if (words[0] != "add" && words[0] != "del") {
      return command.RefuseWord(words, 0, {"add", "del"});
    }
    auto request = Change(words);
    if (!request.ok()) return command.line().Refuse(request.status().message());
    change = *std::move(request);
  }
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  if (!change.empty()) {
    const auto done = client->Ask(change);
    return done.ok() ? kExitOk : ClientCommand::Fail(done.status());
  }
  auto rows = client->AskAll("/corelane/route");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatRoutes(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
