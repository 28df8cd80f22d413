// `corelane arp`.
#include <nlohmann/json.hpp>

#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {

int RunArp(const Arguments& arguments) {
  ClientCommand command("arp",
                        "Print the neighbours that a running instance knows.");
  if (auto code = command.Parse(arguments)) return *code;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto rows = client->AskAll("/corelane/arp");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  *rows = inspect::MergeNeighbors(*rows);
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatNeighbors(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
