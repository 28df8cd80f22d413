// `corelane arp`.
#include <nlohmann/json.hpp>

#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {

int RunArp(const Arguments& arguments) {
  ClientCommand command("arp",
                        "Print the neighbours that a running instance knows, "
                        "or make it forget them.");
  std::vector<std::string> words;
  command.line().AddOperands("flush", words, "Forget all of them");
  command.line().SetFooter("Examples:\n  corelane arp\n  corelane arp flush\n");
  if (auto code = command.Parse(arguments)) return *code;
  const bool flush = !words.empty() && words[0] == "flush";
  if (words.size() > (flush ? 1 : 0)) {
    return command.RefuseWord(words, flush ? 1 : 0, {"flush"});
  }
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  if (flush) {
    const auto done = client->Ask("/corelane/arp/flush");
    return done.ok() ? kExitOk : ClientCommand::Fail(done.status());
  }
  auto rows = client->AskAll("/corelane/arp");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  *rows = inspect::MergeNeighbors(*rows);
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatNeighbors(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

}  // namespace corelane::cli
