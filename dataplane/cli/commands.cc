#include "dataplane/cli/commands.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/version.h"
#include "dataplane/runtime/log.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {
namespace {

struct Command {
  const char* name;
  int (*run)(const Arguments&);
  const char* summary;
};

constexpr Command kCommands[] = {
    {"http", RunHttp, "serve a fixed answer or a folder over HTTP/1.1"},
    {"echo", RunEcho, "send back what is received, over TCP and UDP"},
    {"discard", RunDiscard, "read everything and say nothing"},
    {"chargen", RunChargen, "send lines of characters without end"},
    {"blast", RunBlast, "ask a server much, and tell how it answers"},
    {"netstat", RunNetstat, "the sockets of a running instance"},
    {"stats", RunStats, "its counters, and why packets were dropped"},
    {"ports", RunPorts, "its devices"},
    {"top", RunTop, "what each core does just now"},
    {"doctor", RunDoctor, "what is wrong or slow, and what to type"},
    {"capture", RunCapture, "its packets, into a file or field by field"},
    {"addr", RunAddr, "its addresses; add and remove them"},
    {"arp", RunArp, "its neighbours; flush them"},
    {"route", RunRoute, "its routes; add and remove them"},
    {"version", RunVersion, "print the versions of corelane and DPDK"},
};

std::string Overview() {
  std::string text =
      "corelane: a TCP/IP stack of its own, on DPDK\n\n"
      "Usage: corelane COMMAND [FLAGS] [-- EAL-ARGUMENTS]\n\n"
      "Commands:\n";
  for (const Command& command : kCommands) {
    absl::StrAppend(&text, "  ", command.name,
                    std::string(10 - std::string(command.name).size(), ' '),
                    command.summary, "\n");
  }
  absl::StrAppend(&text,
                  "\nEach explains itself: corelane echo --help\n\n"
                  "Example:\n"
                  "  corelane echo --dev tap,iface=cl0 --addr 10.77.0.2/24 &\n"
                  "  ip addr add 10.77.0.1/24 dev cl0\n"
                  "  ping 10.77.0.2; nc 10.77.0.2 7; corelane netstat\n");
  return text;
}

int Refuse(absl::string_view message) {
  runtime::LogError(absl::StrCat(message, " (corelane --help)"));
  return kExitBadInput;
}

int Unknown(const std::string& word) {
  if (word[0] == '-') {
    return Refuse(
        absl::StrCat("the command comes before the flags, as in: "
                     "corelane echo ",
                     word));
  }
  std::vector<absl::string_view> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return Refuse(absl::StrCat("unknown command '", word, "'",
                             pmd::DidYouMean(word, names)));
}

}  // namespace

int RunProgram(const std::vector<std::string>& words) {
  if (words.empty() || words[0].empty()) {
    return Refuse("no command; try corelane echo or corelane http");
  }
  std::string name = words[0];
  Arguments arguments;
  const auto separator = std::find(words.begin() + 1, words.end(), "--");
  arguments.flags.assign(words.begin() + 1, separator);
  if (separator != words.end()) {
    arguments.raw.assign(separator + 1, words.end());
  }
  if (name == "--version" || name == "-V") name = "version";
  if (name == "--help" || name == "-h" || name == "help") {
    // "corelane help echo" is "corelane echo --help".
    if (arguments.flags.empty()) {
      std::fputs(Overview().c_str(), stdout);
      return kExitOk;
    }
    name = arguments.flags[0];
    arguments.flags = {"--help"};
  }
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(arguments);
  }
  return Unknown(name);
}

}  // namespace corelane::cli
