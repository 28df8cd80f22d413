#include "dataplane/inspect/telemetry.h"

#include <rte_telemetry.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dataplane/inspect/answers.h"
#include "dataplane/inspect/control.h"
#include "dataplane/inspect/reports.h"
#include "dataplane/inspect/telemetry_data.h"

namespace corelane::inspect {
namespace {

// DPDK's callbacks carry no argument of ours and cannot be unregistered, so
// that they have to find out whether there still is a runtime.
std::mutex runtime_mutex;
runtime::Runtime* current_runtime = nullptr;

int Reply(const Json& json, rte_tel_data* out) {
  std::vector<rte_tel_data*> containers;
  const int result = FillTelemetry(json, out, containers);
  if (result != 0) {
    for (rte_tel_data* container : containers) rte_tel_data_free(container);
  }
  return result;
}

Json ErrorReport(const absl::Status& status) {
  // DPDK's strings hold 127 bytes: the rest goes into error1, error2, ...
  constexpr size_t kMost = 120;
  const std::string message(status.message());
  Json report = {{"error", message.substr(0, kMost)}};
  for (size_t part = 1; part * kMost < message.size(); ++part) {
    report[absl::StrCat("error", part)] = message.substr(part * kMost, kMost);
  }
  return report;
}

// Takes the parameters apart. A longer text may have been cut off by DPDK,
// which takes 1 KiB of a request and drops the rest.
absl::StatusOr<std::vector<std::string>> Split(const char* text) {
  constexpr size_t kLongest = 512;
  if (text == nullptr || *text == '\0') return std::vector<std::string>();
  const absl::string_view view(text);
  if (view.size() > kLongest) {
    return absl::InvalidArgumentError("the request is too long");
  }
  return std::vector<std::string>(absl::StrSplit(view, ','));
}

template <Answer kAnswer>
int Callback(const char* /*command*/, const char* text, rte_tel_data* out) {
  const auto parameters = Split(text);
  if (!parameters.ok()) {
    return Reply(ErrorReport(parameters.status()), out);
  }
  const std::lock_guard lock(runtime_mutex);
  if (current_runtime == nullptr) {
    return Reply(ErrorReport(absl::UnavailableError("the stack is stopping")),
                 out);
  }
  const absl::StatusOr<Json> report = kAnswer(*current_runtime, *parameters);
  return Reply(report.ok() ? *report : ErrorReport(report.status()), out);
}

struct Command {
  const char* name;
  telemetry_cb callback;
  const char* help;
};

constexpr Command kCommands[] = {
    {"/corelane/netstat", Callback<AnswerNetstat>,
     "Sockets. Parameters: cursor[,wide][,state=,port=,addr=,top=,by=]"},
    {"/corelane/stats", Callback<AnswerStats>,
     "Counters, drops by reason, resources. Parameters: [core]"},
    {"/corelane/cores", Callback<AnswerCores>,
     "Each core in brief. Parameters: cursor"},
    {"/corelane/ports", Callback<AnswerPorts>, "Devices. No parameters"},
    {"/corelane/addr", Callback<AnswerAddresses>,
     "Own addresses. No parameters"},
    {"/corelane/addr/add", Callback<AddAddress>,
     "A new address. Parameters: A.B.C.D/N[@DEVICE]"},
    {"/corelane/addr/del", Callback<RemoveAddress>,
     "One address less. Parameters: A.B.C.D"},
    {"/corelane/route/add", Callback<AddRoute>,
     "A new route. Parameters: A.B.C.D/N,GATEWAY"},
    {"/corelane/route/del", Callback<RemoveRoute>,
     "One route less. Parameters: A.B.C.D/N"},
    {"/corelane/capture/start", Callback<StartCapture>,
     "Capture packets. Parameters: [filter]"},
    {"/corelane/capture/stop", Callback<StopCapture>,
     "End that. No parameters"},
    {"/corelane/arp/flush", Callback<FlushNeighbors>,
     "Forget all neighbours. No parameters"},
    {"/corelane/arp", Callback<AnswerArp>, "Neighbours. Parameters: cursor"},
    {"/corelane/route", Callback<AnswerRoute>, "Routes. Parameters: cursor"},
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
