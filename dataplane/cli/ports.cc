// `corelane ports`.
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {

int RunPorts(const Arguments& arguments) {
  ClientCommand command("ports",
                        "Print the devices of a running instance: link, "
                        "queues, offloads, counters.");
  if (auto code = command.Parse(arguments)) return *code;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto rows = client->AskAll("/corelane/ports");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatPorts(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
