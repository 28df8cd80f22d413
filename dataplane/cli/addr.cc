// `corelane addr`.
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/inspect/tables.h"

namespace corelane::cli {
namespace {

using inspect::Client;

absl::Status Remove(Client& client, Ipv4Address address) {
  return client.Ask(absl::StrCat("/corelane/addr/del,", ToString(address)))
      .status();
}

// Waits until nobody has answered the probes for a new address; takes it back
// if somebody did.
absl::Status AwaitClaim(Client& client, const Ipv4Prefix& prefix) {
  constexpr int kLooks = 100;
  constexpr std::chrono::milliseconds kPause{30};
  for (int i = 0; i < kLooks; ++i) {
    auto rows = client.AskAll("/corelane/addr");
    if (!rows.ok()) return rows.status();
    for (const auto& row : *rows) {
      if (row.value("address", "") != ToString(prefix)) continue;
      const std::string state = row.value("state", "");
      if (state == "in use") return absl::OkStatus();
      if (state != "contested") continue;
      absl::Status removed = Remove(client, prefix.address);
      if (!removed.ok()) return removed;
      return absl::AlreadyExistsError(absl::StrCat(
          "another host has ", ToString(prefix.address), ": ",
          row.value("rival", ""), "; the instance goes on without it"));
    }
    std::this_thread::sleep_for(kPause);
  }
  return absl::DeadlineExceededError(
      absl::StrCat(ToString(prefix),
                   " is still being probed for; look again "
                   "with corelane addr"));
}

absl::Status Add(Client& client, const runtime::DeviceAddress& address) {
  absl::Status asked =
      client
          .Ask(absl::StrCat("/corelane/addr/add,", ToString(address.prefix),
                            "@", runtime::PlaceOf(address)))
          .status();
  return asked.ok() ? AwaitClaim(client, address.prefix) : asked;
}

int PrintAddresses(const ClientCommand& command, Client& client) {
  auto rows = client.AskAll("/corelane/addr");
  if (!rows.ok()) return ClientCommand::Fail(rows.status());
  if (command.json()) return ClientCommand::Print(*rows);
  auto text = inspect::FormatAddresses(*rows);
  if (!text.ok()) return ClientCommand::Fail(text.status());
  return ClientCommand::Print(*text);
}

// The address to add or, its prefix's length left out, to remove.
absl::StatusOr<runtime::DeviceAddress> AddressOf(
    const std::vector<std::string>& words) {
  if (words.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("write: corelane addr ", words[0], " 10.77.0.3/24"));
  }
  if (words[0] == "del" && words[1].find('/') == std::string::npos) {
    const auto address = ParseAddress("addr del", words[1]);
    if (!address.ok()) return address.status();
    return runtime::DeviceAddress{{*address, 32}, 0};
  }
  return ParseDeviceAddress(words[1], absl::StrCat("addr ", words[0]));
}

}  // namespace

int RunAddr(const Arguments& arguments) {
  ClientCommand command("addr",
                        "Print or change the addresses of a running instance.");
  std::vector<std::string> words;
  command.line().AddOperands("ACTION", words,
                             "add A.B.C.D/N[@DEV[.vlanN]], or del A.B.C.D");
  command.line().SetFooter(
      "A new address is probed for on the wire (about 0.3 s) and announced; "
      "when\n"
      "another host has it, nothing changes. Connections of an address that "
      "is\n"
      "removed are reset.\n\n"
      "Examples:\n  corelane addr\n  corelane addr add 10.77.0.3/24\n"
      "  corelane addr del 10.77.0.3\n");
  if (auto code = command.Parse(arguments)) return *code;
  if (!words.empty() && words[0] != "add" && words[0] != "del") {
    return command.RefuseWord(words, 0, {"add", "del"});
  }
  absl::StatusOr<runtime::DeviceAddress> address = runtime::DeviceAddress{};
  if (!words.empty()) {
    address = AddressOf(words);
    if (!address.ok()) return command.line().Refuse(address.status().message());
  }
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  if (words.empty()) return PrintAddresses(command, *client);
  const absl::Status done = words[0] == "add"
                                ? Add(*client, *address)
                                : Remove(*client, address->prefix.address);
  return done.ok() ? kExitOk : ClientCommand::Fail(done);
}

}  // namespace corelane::cli
