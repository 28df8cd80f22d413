// `corelane top`.
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/client_command.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/inspect/core_rates.h"

namespace corelane::cli {
namespace {

using Json = nlohmann::ordered_json;

int PrintOnce(const Json& before, const Json& after, bool json, bool screen,
              bool head) {
  const auto rates = inspect::RatesOf(before, after);
  if (!rates.ok()) return ClientCommand::Fail(rates.status());
  if (json) {
    return ClientCommand::Print(
        absl::StrCat(inspect::RatesJson(*rates).dump(), "\n"));
  }
  // Home, and erase what is left of the last screen below.
  constexpr char kHome[] = "\x1b[H\x1b[J";
  return ClientCommand::Print(absl::StrCat(
      screen ? kHome : "", screen || head ? inspect::RatesHead() : "",
      inspect::FormatRates(*rates),
      screen ? "\nCtrl-C ends this; the instance goes on.\n" : ""));
}

}  // namespace

int RunTop(const Arguments& arguments) {
  ClientCommand command("top",
                        "Show what each core of a running instance does.");
  bool once = false;
  std::optional<std::string> interval_text;
  CommandLine& line = command.line();
  line.AddSwitch("--once", once, "Print one interval and exit");
  line.AddValue("--interval", interval_text, "TIME",
                "Between two looks (default: 1s)");
  line.SetFooter(
      "BUSY% is the share of time in turns of the loop that found something "
      "to\n"
      "do; a spinning core is at 100 % for the kernel all the same. On a "
      "terminal\n"
      "the table is renewed in place; elsewhere, lines follow each other.\n\n"
      "Examples:\n  corelane top\n  corelane top --once --json\n");
  if (auto code = command.Parse(arguments)) return *code;
  Duration interval = 1s;
  if (interval_text.has_value()) {
    auto parsed = ParseDuration("--interval", *interval_text, 100ms, 1h);
    if (!parsed.ok()) return line.Refuse(parsed.status().message());
    interval = *parsed;
  }
  auto client = command.Connect();
  if (!client.ok()) return ClientCommand::Fail(client.status());
  auto before = client->AskAll("/corelane/cores");
  if (!before.ok()) return ClientCommand::Fail(before.status());
  const bool screen = !once && !command.json() && isatty(STDOUT_FILENO) != 0;
  for (bool first = true;; first = false) {
    std::this_thread::sleep_for(interval);
    auto after = client->AskAll("/corelane/cores");
    if (!after.ok()) return ClientCommand::Fail(after.status());
    const int code = PrintOnce(*before, *after, command.json(), screen, first);
    if (once || code != kExitOk) return code;
    before = std::move(after);
  }
}

}  // namespace corelane::cli
