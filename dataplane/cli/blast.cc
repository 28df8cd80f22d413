// `corelane blast`.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dataplane/cli/blast_driver.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_hold.h"
#include "dataplane/cli/blast_packets.h"
#include "dataplane/cli/blast_replay.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/cli/blast_sources.h"
#include "dataplane/cli/blast_stateless.h"
#include "dataplane/cli/commands.h"
#include "dataplane/cli/print_config.h"
#include "dataplane/cli/server_flags.h"
#include "dataplane/inspect/telemetry.h"
#include "dataplane/load/packet_load.h"
#include "dataplane/load/rate_search.h"
#include "dataplane/load/stateless_hold.h"
#include "dataplane/load/stateless_load.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/runtime.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::cli {
namespace {

using dataplane::BulkLoad;
using dataplane::DnsLoad;
using dataplane::HoldLoad;
using dataplane::PacketLoad;
using dataplane::RateSearch;
using dataplane::ReplayLoad;
using dataplane::StatelessHold;
using dataplane::StatelessLoad;
using dataplane::TcpLoad;
using dataplane::UdpLoad;
using runtime::LogError;
using runtime::LogInfo;

// So that a plot has some fifty points.
Duration PointEvery(Duration all) {
  return std::clamp<Duration>(all / 50, 50ms, 1s);
}

uint32_t PartOf(uint32_t whole, uint32_t core, uint32_t cores) {
  return whole / cores + (core < whole % cores ? 1 : 0);
}

// Each core's share.
dataplane::LoadConfig ShareOf(const dataplane::LoadConfig& whole, uint32_t core,
                              uint32_t cores) {
  dataplane::LoadConfig share = whole;
  share.rate /= cores;
  for (double& rate : share.rates) rate /= cores;
  share.concurrency = PartOf(whole.concurrency, core, cores);
  share.seed += core;
  return share;
}

absl::StatusOr<std::unique_ptr<BlastDriver>> MakeDriver(
    const BlastPlan& plan, const runtime::RuntimeOptions& options,
    runtime::Runtime& runtime, uint32_t core, BlastBoard* board) {
  dataplane::Pipeline& pipeline = runtime.core(core).pipeline();
  dataplane::LoadConfig share = ShareOf(plan.udp.load, core, runtime.cores());
  share.sources = SourcesOf(options);
  std::unique_ptr<BlastDriver> driver;
  absl::Status status;
  // The driver is the application; its load does the work.
  auto add = [&](auto load, auto attach) {
    auto* raw = load.get();
    driver = std::make_unique<BlastDriver>(
        std::move(load), board,
        plan.plot.empty() ? 1s : PointEvery(share.duration));
    status = attach(raw, pipeline.AddApplication(driver.get()));
  };
  if (plan.what == "pps") {
    dataplane::PacketLoadConfig config = plan.packets;
    config.load = share;
    config.core = core;
    config.cores = runtime.cores();
    auto attach = [&](auto* load, uint16_t id) {
      return load->Attach(&pipeline, id);
    };
    if (plan.search.has_value()) {
      add(std::make_unique<RateSearch>(config, *plan.search), attach);
    } else {
      add(std::make_unique<PacketLoad>(config), attach);
    }
  } else if (plan.what == "replay") {
    add(std::make_unique<ReplayLoad>(plan.replay),
        [&](ReplayLoad* load, uint16_t /*id*/) {
          load->Attach(&pipeline);
          return absl::OkStatus();
        });
  } else if (plan.what == "dns") {
    dataplane::DnsLoadConfig config = plan.dns;
    config.load = share;
    add(std::make_unique<DnsLoad>(config), [&](DnsLoad* load, uint16_t id) {
      return load->Attach(&pipeline.udp(), id);
    });
  } else if (plan.what == "udp") {
    dataplane::UdpLoadConfig config = plan.udp;
    config.load = share;
    add(std::make_unique<UdpLoad>(config), [&](UdpLoad* load, uint16_t id) {
      return load->Attach(&pipeline.udp(), id);
    });
  } else if (plan.stateless) {
    auto attach = [&](auto* load, uint16_t id) {
      return load->Attach(&pipeline, id);
    };
    const dataplane::StatelessConfig client = StatelessClientOf(plan);
    if (plan.what == "hold") {
      add(std::make_unique<StatelessHold>(share, plan.hold.open_rate, client),
          attach);
    } else {
      add(std::make_unique<StatelessLoad>(share, client), attach);
    }
  } else if (plan.IsBulk()) {
    dataplane::BulkLoadConfig config = plan.bulk;
    config.load = share;
    add(std::make_unique<BulkLoad>(config), [&](BulkLoad* load, uint16_t id) {
      load->Attach(&pipeline.tcp(), id);
      return absl::OkStatus();
    });
  } else if (plan.what == "hold") {
    dataplane::HoldLoadConfig config = plan.hold;
    config.load = share;
    config.open_rate /= runtime.cores();
    config.active = PartOf(plan.hold.active, core, runtime.cores());
    if (plan.hold.active > 0) {
      // Where few are active, the cores differ.
      const double part = static_cast<double>(config.active) * runtime.cores() /
                          plan.hold.active;
      config.load.rate *= part;
      for (double& rate : config.load.rates) rate *= part;
    }
    add(std::make_unique<HoldLoad>(config), [&](HoldLoad* load, uint16_t id) {
      load->Attach(&pipeline.tcp(), id);
      return absl::OkStatus();
    });
  } else {
    dataplane::TcpLoadConfig config = plan.tcp;
    config.load = share;
    config.open_rate /= runtime.cores();
    add(std::make_unique<TcpLoad>(config), [&](TcpLoad* load, uint16_t id) {
      load->Attach(&pipeline.tcp(), id);
      return absl::OkStatus();
    });
  }
  if (!status.ok()) return status;
  driver->Watch(&runtime.core(core), core);
  return driver;
}

int Blast(const ServerOptions& options, const BlastPlan& plan) {
  const runtime::StopSignal stop;
  BlastBoard board(plan, std::max<size_t>(1, options.runtime.cores.size()));
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
  for (const auto& driver : drivers) {
    if (!driver->load().why().empty()) LogError(driver->load().why());
  }
  BlastResults results = board.Results();
  CountLost(plan, drivers.size(), results);
  if (const auto* search =
          dynamic_cast<const RateSearch*>(&drivers[0]->load())) {
    results.found = search->found();
  }
  if (const auto* replay =
          dynamic_cast<const ReplayLoad*>(&drivers[0]->load())) {
    FinishReplay(plan, *replay, results);
  }
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
      "input; 3 if it was ended before its time, or a file to replay is cut "
      "off (the results are partial).");
  BlastFlags blast(line);
  ServerFlags flags(line, 0,
                    "corelane blast echo --target 10.77.0.1:7 --rate 10k --dev "
                    "tap,iface=cl1 --addr 10.77.0.2/24",
                    ServerFlags::Role::kClient);
  if (auto code = line.Parse(arguments.flags)) return *code;
  absl::StatusOr<BlastPlan> plan = blast.Understand();
  if (!plan.ok()) return line.Refuse(plan.status().message());
  if (plan->what == "pps") flags.SetDefaultAddress(kPacketSource);
  if (plan->what == "replay") flags.SetAddressNeeded(false);
  absl::StatusOr<ServerOptions> options = flags.Understand(arguments.raw);
  if (!options.ok()) return line.Refuse(options.status().message());
  // A complete one, of our own.
  const bool tcp = plan->IsTcp() && !plan->stateless;
  const uint32_t concurrency = plan->udp.load.concurrency;
  if ((plan->stateless || plan->what == "replay") &&
      options->runtime.cores.size() > 1) {
    return line.Refuse(
        absl::StrCat(plan->stateless ? "--stateless" : plan->what,
                     " sends from one core only; give one CPU's number"));
  }
  absl::Status s = PlaceSources(plan->sources, plan->udp.load.target.address,
                                options->runtime);
  if (s.ok() && plan->what == "pps") s = CheckPackets(*plan, options->runtime);
  if (s.ok() && plan->what == "replay") s = LoadReplay(*plan, options->runtime);
  if (s.ok() && plan->what == "hold") {
    const size_t sources = SourcesOf(options->runtime).size();
    s = CheckHold(*plan, std::max<size_t>(sources, 1), options->runtime);
  }
  if (s.ok() && plan->stateless) s = CheckStateless(*plan, options->runtime);
  if (!s.ok()) return line.Refuse(s.message());
  if (tcp && options->runtime.max_connections < concurrency) {
    return line.Refuse(
        absl::StrCat("--concurrency ", concurrency,
                     ": more than there is "
                     "room for; give --max-connections as well"));
  }
  const bool closed = plan->udp.load.rate == 0 && plan->what != "pps";
  if ((tcp || closed) && concurrency < options->runtime.cores.size()) {
    return line.Refuse(
        absl::StrCat("--concurrency ", concurrency,
                     ": fewer than there are cores; give at least ",
                     options->runtime.cores.size()));
  }
  plan->command =
      absl::StrCat("corelane blast ", absl::StrJoin(arguments.flags, " "));
  if (auto code = PrintConfig(line, *options)) return *code;
  return Blast(*options, *plan);
}

}  // namespace corelane::cli
