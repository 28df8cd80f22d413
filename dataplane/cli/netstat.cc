// `corelane netstat`.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/inspect/netstat_format.h"
#include "dataplane/inspect/socket_filter.h"
#include "dataplane/inspect/sockets.h"

namespace corelane::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FilterFlags {
  std::optional<std::string> state;
  std::optional<std::string> port;
  std::optional<std::string> address;
  std::vector<std::string> top;

  explicit FilterFlags(CommandLine& line) {
    line.AddValue("--state", state, "STATE", "Only sockets in this state");
    line.AddValue("--port", port, "PORT",
                  "Only with this port, on either side");
    line.AddValue("--addr", address, "A.B.C.D[/N]",
                  "Only with this address or network, on either side");
    line.AddWords("--top", top, 2, "N [by=WHAT]",
                  "The N connections with the most by=bytes (default), by=cwnd "
                  "or by=retrans");
  }
};

absl::Status Add(const char* name, const std::optional<std::string>& value,
                 inspect::SocketFilter& filter) {
  if (!value.has_value()) return absl::OkStatus();
  return inspect::ParseFilterParameter(absl::StrCat(name, "=", *value), filter);
}

absl::StatusOr<inspect::SocketFilter> FilterOf(
    const inspect::NetstatOptions& options, const FilterFlags& flags) {
  inspect::SocketFilter filter;
  if (options.tcp != options.udp) {
    (options.tcp ? filter.tcp_only : filter.udp_only) = true;
  }
  filter.servers_only = options.listening && !options.all;
  absl::Status s = Add("state", flags.state, filter);
  if (s.ok()) s = Add("port", flags.port, filter);
  if (s.ok()) s = Add("addr", flags.address, filter);
  if (s.ok() && !flags.top.empty()) s = Add("top", flags.top[0], filter);
  if (s.ok() && flags.top.size() > 1) {
    s = inspect::ParseFilterParameter(flags.top[1], filter);
  }
  if (!s.ok()) return s;
  return filter;
}

// Prints rows as they come.
class Printer {
 public:
  Printer(const inspect::NetstatOptions& options, bool json)
      : options_(options), json_(json) {
    Write(json_ ? "[" : inspect::NetstatHead(options_));
  }
  void Row(const Json& json) {
    if (!status_.ok()) return;
    auto row = inspect::SocketFromJson(json);
    if (!row.ok()) {
      status_ = row.status();
      return;
    }
    if (!inspect::Shown(*row, options_)) return;
    if (json_) {
      Write(absl::StrCat(first_ ? "\n  " : ",\n  ", json.dump()));
    } else {
      Write(inspect::NetstatLine(*row, options_));
    }
    first_ = false;
  }
  int End(const absl::Status& status) {
    if (json_) Write("\n]\n");
    if (!status.ok()) return ClientCommand::Fail(status);
    if (!status_.ok()) return ClientCommand::Fail(status_);
    return code_;
  }

 private:
  void Write(const std::string& text) {
    const int code = ClientCommand::Print(text);
    if (code != kExitOk) code_ = code;
  }

  inspect::NetstatOptions options_;
  bool json_;
  bool first_ = true;
  int code_ = kExitOk;
  absl::Status status_;
};

// The best of what each part of the list had to offer.
int PrintTop(inspect::Client& client, const std::string& parameters,
             const inspect::SocketFilter& filter,
             const inspect::NetstatOptions& options, bool json) {
  auto rows = client.AskAll("/corelane/netstat", parameters);
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  std::vector<std::pair<uint64_t, const Json*>> order;
  for (const Json& row : *rows) {
    auto socket = inspect::SocketFromJson(row);
    if (!socket.ok()) return ClientCommand::Fail(socket.status());
    inspect::SocketRecord record;
    if (socket->control.has_value()) record.control = *socket->control;
    order.emplace_back(inspect::TopValue(record, filter.by), &row);
  }
  std::stable_sort(
      order.begin(), order.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > filter.top) order.resize(filter.top);
  Printer printer(options, json);
  for (const auto& [value, row] : order) printer.Row(*row);
  return printer.End(absl::OkStatus());
}

}  // namespace

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
  const FilterFlags filters(line);
  line.SetFooter(
      "Recv-Q  bytes received that the application has not read; of a\n"
      "        listener: connections half open\n"
      "Send-Q  bytes queued that the peer has not acknowledged\n\n"
      "Examples:\n  corelane netstat -t --wide\n"
      "  corelane netstat --state ESTABLISHED --port 80 --addr 10.77.0.0/24\n"
      "  corelane netstat --top 20 by=retrans\n");
  if (auto code = command.Parse(arguments)) return *code;
  const auto filter = FilterOf(options, filters);
  if (!filter.ok()) return line.Refuse(filter.status().message());
  // What the largest are chosen by should be seen.
  if (filter->top > 0) options.wide = true;
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  const std::string parameters =
      absl::StrCat(options.wide || command.json() ? ",wide" : "",
                   inspect::FilterParameters(*filter));
  if (filter->top > 0) {
    return PrintTop(*client, parameters, *filter, options, command.json());
  }
  std::optional<Printer> printer;
  const absl::Status status =
      client->ForEach("/corelane/netstat", parameters, [&](const Json& row) {
        if (!printer.has_value()) printer.emplace(options, command.json());
        printer->Row(row);
      });
  if (!printer.has_value()) {
    if (!status.ok()) return ClientCommand::Fail(status);
    printer.emplace(options, command.json());
  }
  return printer->End(status);
}

}  // namespace corelane::cli
