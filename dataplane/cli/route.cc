// `corelane route`.
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {

int RunRoute(const Arguments& arguments) {
  ClientCommand command(
      "route", "Print the routes of a running instance, longest prefix first.");
  if (auto code = command.Parse(arguments)) return *code;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto rows = client->AskAll("/corelane/route");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatRoutes(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
