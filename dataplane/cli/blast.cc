// `corelane blast`.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/cli/blast_driver.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/print_config.h"
#include "dataplane/cli/server_flags.h"
#include "dataplane/inspect/telemetry.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/runtime.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::cli {
namespace {

using dataplane::TcpLoad;
using dataplane::UdpLoad;
using runtime::LogError;
using runtime::LogInfo;

// Each core's share.
dataplane::LoadConfig ShareOf(const dataplane::LoadConfig& whole, uint32_t core,
                              uint32_t cores) {
  dataplane::LoadConfig share = whole;
  share.rate /= cores;
  share.concurrency =
      whole.concurrency / cores + (core < whole.concurrency % cores ? 1 : 0);
  share.seed += core;
  return share;
}

absl::StatusOr<std::unique_ptr<BlastDriver>> MakeDriver(
    const BlastPlan& plan, const runtime::RuntimeOptions& options,
    runtime::Runtime& runtime, uint32_t core, BlastBoard* board) {
  dataplane::Pipeline& pipeline = runtime.core(core).pipeline();
  dataplane::LoadConfig share = ShareOf(plan.udp.load, core, runtime.cores());
  for (const runtime::DeviceAddress& a : options.addresses) {
    if (options.addresses.size() > 1) share.sources.push_back(a.prefix.address);
  }
  std::unique_ptr<BlastDriver> driver;
  absl::Status status;
  if (plan.what == "udp") {
    dataplane::UdpLoadConfig config = plan.udp;
    config.load = share;
    auto load = std::make_unique<UdpLoad>(config);
    UdpLoad* udp = load.get();
    driver = std::make_unique<BlastDriver>(std::move(load), board, plan);
    status =
        udp->Attach(&pipeline.udp(), pipeline.AddApplication(driver.get()));
  } else {
    dataplane::TcpLoadConfig config = plan.tcp;
    config.load = share;
    config.open_rate /= runtime.cores();
    auto load = std::make_unique<TcpLoad>(config);
    TcpLoad* tcp = load.get();
    driver = std::make_unique<BlastDriver>(std::move(load), board, plan);
    tcp->Attach(&pipeline.tcp(), pipeline.AddApplication(driver.get()));
  }
  if (!status.ok()) return status;
  driver->Watch(&runtime.core(core), core == 0);
  return driver;
}

int Blast(const ServerOptions& options, const BlastPlan& plan) {
  const runtime::StopSignal stop;
  BlastBoard board(std::max<size_t>(1, options.runtime.cores.size()));
  // Declared before the stack, which refers to them until the end.
  std::vector<std::unique_ptr<BlastDriver>> drivers;
  auto started = runtime::Runtime::Start(options.runtime);
  if (!started.ok()) {
    LogError(started.status().message());
    return kExitBadInput;
  }
  runtime::Runtime& runtime = **started;
  if (absl::Status s = runtime.ClaimAddresses(); !s.ok()) {
    LogError(s.message());
    return kExitBadInput;
  }
  for (uint32_t core = 0; core < runtime.cores(); ++core) {
    auto driver = MakeDriver(plan, options.runtime, runtime, core, &board);
    if (!driver.ok()) {
      LogError(driver.status().message());
      return kExitBadInput;
    }
    drivers.push_back(*std::move(driver));
    runtime.core(core).pipeline().AddTicker(drivers.back().get());
  }
  auto telemetry = inspect::Telemetry::Start(&runtime);
  if (!telemetry.ok()) LogError(telemetry.status().message());
  LogInfo(plan.Describe());
  runtime.Run();
  const BlastResults results = board.Results();
  std::fputs(Table(plan, results).c_str(), stdout);
  if (absl::Status s = WriteFiles(plan, results); !s.ok()) {
    LogError(s.message());
    return kExitBadInput;
  }
  return ExitCodeOf(plan, results);
}

}  // namespace

int RunBlast(const Arguments& arguments) {
  CommandLine line(
      "blast",
      "Ask a server much, check its answers, and tell how it did. Exit code: "
      "0; 1 if an objective was missed or nothing was answered; 2 for bad "
      "input; 3 if it was ended before its time (the results are partial).");
  const BlastFlags blast(line);
  const ServerFlags flags(
      line, 0,
      "corelane blast echo --target 10.77.0.1:7 --rate 10k --dev "
      "tap,iface=cl1 --addr 10.77.0.2/24",
      ServerFlags::Role::kClient);
  if (auto code = line.Parse(arguments.flags)) return *code;
  absl::StatusOr<BlastPlan> plan = blast.Understand();
  if (!plan.ok()) return line.Refuse(plan.status().message());
  absl::StatusOr<ServerOptions> options = flags.Understand(arguments.raw);
  if (!options.ok()) return line.Refuse(options.status().message());
  if (plan->what == "udp" && options->runtime.cores.size() > 1) {
    return line.Refuse("udp asks from one core only; give one CPU's number");
  }
  if (plan->what != "udp" &&
      options->runtime.max_connections < plan->tcp.load.concurrency) {
    return line.Refuse(
        absl::StrCat("--concurrency ", plan->tcp.load.concurrency,
                     ": more than there is "
                     "room for; give --max-connections as well"));
  }
  if (plan->tcp.load.concurrency < options->runtime.cores.size()) {
    return line.Refuse(
        absl::StrCat("--concurrency ", plan->tcp.load.concurrency,
                     ": fewer than there are cores; give at least ",
                     options->runtime.cores.size()));
  }
  if (auto code = PrintConfig(line, *options)) return *code;
  return Blast(*options, *plan);
}

}  // namespace corelane::cli
