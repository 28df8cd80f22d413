// `corelane netstat`.
#include <nlohmann/json.hpp>
#include <vector>

#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/netstat_format.h"
#include "dataplane/inspect/sockets.h"

namespace corelane::cli {

int RunNetstat(const Arguments& arguments) {
  ClientCommand command("netstat", "Print the sockets of a running instance.");
  inspect::NetstatOptions options;
  bool numeric = false;
  CommandLine& line = command.line();
  line.AddSwitch("-l,--listening", options.listening,
                 "Only sockets that wait for clients");
  line.AddSwitch("-t,--tcp", options.tcp, "Only TCP");
  line.AddSwitch("-u,--udp", options.udp, "Only UDP");
  line.AddSwitch("-a,--all", options.all,
                 "Servers and connections, which is the default");
  line.AddSwitch("-n,--numeric", numeric, "Addresses are always numeric");
  line.AddSwitch("-W,--wide", options.wide,
                 "With the control information behind each connection");
  line.SetFooter(
      "Recv-Q  bytes received that the application has not read; of a\n"
      "        listener: connections half open\n"
      "Send-Q  bytes queued that the peer has not acknowledged\n\n"
      "Example:\n  corelane netstat -t --wide\n");
  if (auto code = command.Parse(arguments)) return *code;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto rows = client->AskAll("/corelane/netstat",
                             options.wide || command.json() ? ",wide" : "");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  std::vector<inspect::SocketRow> sockets;
  nlohmann::ordered_json shown = nlohmann::ordered_json::array();
  for (auto& json : *rows) {
    auto row = inspect::SocketFromJson(json);
    if (!row.ok()) return ClientCommand::Fail(row.status());
    if (!inspect::Shown(*row, options)) continue;
    sockets.push_back(*std::move(row));
    shown.push_back(std::move(json));
  }
  if (command.json()) return ClientCommand::Print(shown);
  return ClientCommand::Print(inspect::FormatNetstat(sockets, options));
}

}  // namespace corelane::cli
