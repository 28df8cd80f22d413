// `corelane stats`.
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {

int RunStats(const Arguments& arguments) {
  ClientCommand command(
      "stats", "Print what a running instance has counted since its start.");
  bool all = false;
  command.line().AddSwitch("-a,--all", all, "Print zeros too");
  command.line().SetFooter(
      "Every packet received was delivered or dropped for a reason:\n"
      "rx_packets = delivered + the sum of the drops.\n");
  if (auto code = command.Parse(arguments)) return *code;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto report = client->Ask("/corelane/stats");
  if (!report.ok()) return ClientCommand::Fail(report.status());
  if (command.json()) return ClientCommand::Print(*report);
  auto text = inspect::FormatStats(*report, all);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
