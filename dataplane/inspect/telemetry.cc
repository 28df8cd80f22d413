#include "dataplane/inspect/telemetry.h"

#include <rte_telemetry.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dataplane/inspect/reports.h"
#include "dataplane/inspect/sockets.h"
#include "dataplane/inspect/telemetry_data.h"

namespace corelane::inspect {
namespace {

using dataplane::Pipeline;

// A loop answers within one turn; a stuck one must not hold a client for long.
constexpr Duration kTimeout = 2s;
constexpr uint32_t kScanned = 4096;

// DPDK's callbacks carry no argument of ours and cannot be unregistered, so
// that they have to find out whether there still is a runtime.
std::mutex runtime_mutex;
runtime::Runtime* current_runtime = nullptr;

struct Parameters {
  Cursor cursor = 0;
  bool wide = false;
};

absl::StatusOr<Parameters> ParseParameters(const char* text) {
  Parameters result;
  if (text == nullptr || *text == '\0') return result;
  const std::vector<std::string> parts =
      absl::StrSplit(text, absl::MaxSplits(',', 1));
  if (!absl::SimpleAtoi(parts[0], &result.cursor) ||
      (parts.size() > 1 && parts[1] != "wide")) {
    return absl::InvalidArgumentError(
        "the parameter is a cursor, from an earlier reply's 'next'");
  }
  result.wide = parts.size() > 1;
  return result;
}

Json ErrorReport(const absl::Status& status) {
  return {{"error", absl::StrCat(status.message())}};
}

Json ListReport(const Json& rows, const std::optional<uint64_t>& next) {
  Json report = Json::object();
  size_t number = 0;
  for (const Json& row : rows) report[absl::StrCat(number++)] = row;
  if (next.has_value()) report["next"] = *next;
  return report;
}

// Has the core's loop run `read`.
template <typename Read>
Json OnLoop(runtime::Runtime& runtime, const Read& read) {
  Json report;
  const absl::Status status = runtime.core(0).mailbox().Call(
      [&](Pipeline& pipeline) { report = read(pipeline); }, kTimeout);
  return status.ok() ? report : ErrorReport(status);
}

Json NetstatReport(runtime::Runtime& runtime, const Parameters& parameters) {
  SocketPage page;
  PageLimits limits;
  limits.rows = parameters.wide ? kWideSocketRows : kSocketRows;
  limits.scanned = kScanned;
  const absl::Status status = runtime.core(0).mailbox().Call(
      [&](Pipeline& pipeline) {
        page = ReadSockets(pipeline, parameters.cursor, limits);
      },
      kTimeout);
  if (!status.ok()) return ErrorReport(status);
  Json rows = Json::array();
  for (const SocketRow& row : page.rows) {
    rows.push_back(ToJson(row, parameters.wide));
  }
  return ListReport(rows, page.next);
}

Json StatsOf(runtime::Runtime& runtime, const Parameters& /*parameters*/) {
  return OnLoop(runtime, [](Pipeline& p) { return StatsReport(p); });
}

Json PortsReport(runtime::Runtime& runtime, const Parameters& /*parameters*/) {
  Json rows = Json::array();
  for (const auto& port : runtime.ports()) rows.push_back(PortReport(*port));
  return ListReport(rows, std::nullopt);
}

Json ArpReport(runtime::Runtime& runtime, const Parameters& parameters) {
  return OnLoop(runtime, [&](Pipeline& pipeline) {
    const ListPage page =
        ReadNeighbors(pipeline, parameters.cursor, kListRows, kScanned);
    return ListReport(page.rows, page.next);
  });
}

Json RouteReport(runtime::Runtime& runtime, const Parameters& parameters) {
  return OnLoop(runtime, [&](Pipeline& pipeline) {
    const ListPage page = ReadRoutes(pipeline, parameters.cursor, kListRows);
    return ListReport(page.rows, page.next);
  });
}

int Reply(const Json& json, rte_tel_data* out) {
  std::vector<rte_tel_data*> containers;
  const int result = FillTelemetry(json, out, containers);
  if (result != 0) {
    for (rte_tel_data* container : containers) rte_tel_data_free(container);
  }
  return result;
}

template <Json (*kReport)(runtime::Runtime&, const Parameters&)>
int Callback(const char* /*command*/, const char* text, rte_tel_data* out) {
  const absl::StatusOr<Parameters> parameters = ParseParameters(text);
  if (!parameters.ok()) {
    return Reply(ErrorReport(parameters.status()), out);
  }
  const std::lock_guard lock(runtime_mutex);
  if (current_runtime == nullptr) {
    return Reply(ErrorReport(absl::UnavailableError("the stack is stopping")),
                 out);
  }
  return Reply(kReport(*current_runtime, *parameters), out);
}

struct Command {
  const char* name;
  telemetry_cb callback;
  const char* help;
};

constexpr Command kCommands[] = {
    {"/corelane/netstat", Callback<NetstatReport>,
     "Sockets. Parameters: cursor[,wide]"},
    {"/corelane/stats", Callback<StatsOf>,
     "Counters, drops by reason, resources. No parameters"},
    {"/corelane/ports", Callback<PortsReport>, "Devices. No parameters"},
    {"/corelane/arp", Callback<ArpReport>, "Neighbours. Parameters: cursor"},
    {"/corelane/route", Callback<RouteReport>, "Routes. Parameters: cursor"},
};

}  // namespace

absl::StatusOr<std::unique_ptr<Telemetry>> Telemetry::Start(
    runtime::Runtime* runtime) {
  {
    const std::lock_guard lock(runtime_mutex);
    current_runtime = runtime;
  }
  std::unique_ptr<Telemetry> telemetry(new Telemetry);
  for (const Command& command : kCommands) {
    const int result = rte_telemetry_register_cmd(
        command.name, command.callback, command.help);
    if (result != 0 && result != -EEXIST) {
      return absl::InternalError(absl::StrCat(
          "DPDK refuses the telemetry command ", command.name,
          "; corelane netstat and its like will not see this instance"));
    }
  }
  return telemetry;
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(runtime_mutex);
  current_runtime = nullptr;
}

}  // namespace corelane::inspect
