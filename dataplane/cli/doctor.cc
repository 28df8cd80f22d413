// `corelane doctor`.
#include "dataplane/inspect/doctor.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/host_facts.h"

namespace corelane::cli {
namespace {

using inspect::Finding;

absl::StatusOr<std::vector<Finding>> AskInstance(inspect::Client& client) {
  auto stats = client.Ask("/corelane/stats");
  if (!stats.ok()) return stats.status();
  auto ports = client.AskAll("/corelane/ports");
  if (!ports.ok()) return ports.status();
  auto cores = client.AskAll("/corelane/cores");
  if (!cores.ok()) return cores.status();
  auto busiest = client.AskAll("/corelane/netstat",
                               ",wide,state=ESTABLISHED,top=25,by=bytes");
  if (!busiest.ok()) return busiest.status();
  return inspect::ExamineInstance(*stats, *ports, *cores, *busiest);
}

}  // namespace

int RunDoctor(const Arguments& arguments) {
  ClientCommand command(
      "doctor",
      "Look for what is wrong, or slower than need be, with this host and with "
      "a running instance.");
  command.line().SetFooter(
      "Every finding says what it costs and what to type. Without --name an\n"
      "instance is looked at if one called corelane runs. Exit code: 1 if "
      "there\n"
      "is a PROBLEM, 0 with nothing but advice.\n\n"
      "Examples:\n  corelane doctor\n  corelane doctor --name web1 --json\n");
  if (auto code = command.Parse(arguments)) return *code;
  std::vector<Finding> findings =
      inspect::ExamineHost(inspect::ReadHostFacts());
  auto client = command.Connect();
  if (client.ok()) {
    auto more = AskInstance(*client);
    if (!more.ok()) return ClientCommand::Fail(more.status());
    std::move(more->begin(), more->end(), std::back_inserter(findings));
  } else if (command.named()) {
    return ClientCommand::Fail(client.status());
  }
  const bool problem = std::any_of(
      findings.begin(), findings.end(),
      [](const Finding& f) { return f.kind == Finding::Kind::kProblem; });
  const int printed =
      command.json()
          ? ClientCommand::Print(inspect::FindingsJson(findings))
          : ClientCommand::Print(absl::StrCat(
                inspect::FormatFindings(findings), findings.size(),
                findings.size() == 1 ? " finding" : " findings",
                client.ok() ? "" : "; no instance was looked at", "\n"));
  return problem ? kExitFailed : printed;
}

}  // namespace corelane::cli
