#include "dataplane/cli/serve.h"

#include <rte_version.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dataplane/app/metrics_app.h"
#include "dataplane/cli/dialer.h"
#include "dataplane/cli/version.h"
#include "dataplane/inspect/metrics_collector.h"
#include "dataplane/inspect/telemetry.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/runtime.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::cli {
namespace {

using runtime::LogError;
using runtime::LogInfo;

void LogStart(const ServerOptions& options, const runtime::Runtime& runtime) {
  LogInfo(absl::StrCat("version ", Version(), ", ", rte_version(), ", pid ",
                       getpid()));
  if (options.runtime.verbose) {
    LogInfo(absl::StrCat("EAL: ", absl::StrJoin(runtime.eal().arguments(), " "),
                         "; ", runtime.packets(), " packets"));
  }
  if (!runtime.eal().notice().empty()) {
    LogInfo(absl::StrCat("huge pages: ", runtime.eal().notice()));
  }
  for (size_t i = 0; i < runtime.ports().size(); ++i) {
    LogInfo(pmd::ToString(runtime.ports()[i]->caps()));
    std::vector<std::string> addresses;
    for (const runtime::DeviceAddress& a : options.runtime.addresses) {
      if (a.device != i) continue;
      addresses.push_back(
          a.vlan == dataplane::kNoVlan
              ? ToString(a.prefix)
              : absl::StrCat(ToString(a.prefix), " (VLAN ", a.vlan, ")"));
    }
    LogInfo(absl::StrCat(
        "port ", i, " addresses: ",
        addresses.empty() ? "none" : absl::StrJoin(addresses, ", ")));
    if (runtime.cores() > 1) {
      LogInfo(absl::StrCat("port ", i, " flows go to their cores ",
                           runtime.spread()[i].text));
    }
  }
  for (const dataplane::StaticRoute& route : options.runtime.routes) {
    LogInfo(absl::StrCat("route to ", ToString(route.destination), " by ",
                         ToString(route.gateway)));
  }
}

void LogListening(const ServerOptions& options, const Service& service) {
  const std::string name = options.runtime.name;
  const size_t cores = options.runtime.cores.size();
  LogInfo(absl::StrCat(service.name, " on TCP ", service.udp ? "and UDP " : "",
                       ToString(options.listen), ":", options.port,
                       cores > 1 ? absl::StrCat(", ", cores, " cores") : "",
                       "; to look inside: corelane netstat",
                       name == runtime::RuntimeOptions().name
                           ? ""
                           : absl::StrCat(" --name ", name)));
}

// Opens the service's sockets.
absl::Status Open(const ServerOptions& options, const Service& service,
                  dataplane::Pipeline& pipeline, uint16_t id) {
  auto listener = pipeline.tcp().Listen(options.listen, options.port, id);
  if (!listener.ok()) return listener.status();
  if (!service.udp) return absl::OkStatus();
  return pipeline.udp().Bind(options.listen, options.port, id).status();
}

// Metrics on every core, for as long as it lives.
class Metrics {
 public:
  absl::Status Open(const ServerOptions& options, runtime::Runtime& runtime) {
    for (uint32_t i = 0; i < runtime.cores(); ++i) {
      dataplane::Pipeline& pipeline = runtime.core(i).pipeline();
      apps_.push_back(std::make_unique<dataplane::MetricsApp>(&page_));
      const uint16_t id = pipeline.AddApplication(apps_.back().get());
      auto listener =
          pipeline.tcp().Listen(options.listen, options.metrics_port, id);
      if (!listener.ok()) return listener.status();
    }
    return absl::OkStatus();
  }
  dataplane::MetricsPage& page() { return page_; }

 private:
  dataplane::MetricsPage page_;
  std::vector<std::unique_ptr<dataplane::MetricsApp>> apps_;
};

// The service on every core, for as long as it lives.
class Services {
 public:
  // What stands in front of applications has to outlive the stack.
  Services(const Service& service, size_t cores) : service_(service) {
    for (size_t i = 0; i < cores; ++i) {
      apps_.push_back(service.make());
      dialers_.push_back(std::make_unique<Dialer>(apps_.back().get()));
    }
  }

  absl::Status Open(const ServerOptions& options, runtime::Runtime& runtime) {
    for (uint32_t i = 0; i < runtime.cores(); ++i) {
      dataplane::Pipeline& pipeline = runtime.core(i).pipeline();
      ids_.push_back(pipeline.AddApplication(dialers_[i].get()));
      absl::Status s = cli::Open(options, service_, pipeline, ids_.back());
      if (!s.ok()) return s;
    }
    return absl::OkStatus();
  }

  // Opens the connections of --connect, from one core after the other. What
  // becomes of them the dialers log.
  absl::Status Dial(const ServerOptions& options, runtime::Runtime& runtime) {
    uint32_t core = 0;
    for (const dataplane::UdpEndpoint& to : options.connect) {
      auto connection = runtime.core(core).pipeline().tcp().Connect(
          to.address, to.port, ids_[core]);
      if (!connection.ok()) return connection.status();
      core = (core + 1) % runtime.cores();
    }
    return absl::OkStatus();
  }

  dataplane::Application* app(uint32_t core) { return apps_[core].get(); }

 private:
  const Service& service_;
  std::vector<std::unique_ptr<dataplane::Application>> apps_;
  std::vector<std::unique_ptr<Dialer>> dialers_;
  std::vector<uint16_t> ids_;  // of the dialers, by core
};

// The host's clock may be set while we run, hence now and then.
void KeepWallClock(const Service& service, dataplane::Application* application,
                   runtime::CoreLoop& core) {
  if (!service.set_wall_clock) return;
  core.SetHousekeeping([&service, application](Time now) {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    service.set_wall_clock(*application, int64_t{wall.tv_sec} * 1'000'000'000 +
                                             wall.tv_nsec -
                                             now.time_since_epoch().count());
  });
}

// After the cores have stopped.
void LogTotals(runtime::Runtime& runtime) {
  dataplane::Counters sum;
  uint64_t dropped = 0;
  for (uint32_t i = 0; i < runtime.cores(); ++i) {
    const dataplane::Counters& c = runtime.core(i).pipeline().core().counters;
    sum.tcp.passive_opens += c.tcp.passive_opens;
    sum.tcp.retransmits += c.tcp.retransmits;
    sum.rx_packets += c.rx_packets;
    sum.rx_bytes += c.rx_bytes;
    sum.tx_packets += c.tx_packets;
    sum.tx_bytes += c.tx_bytes;
    dropped += c.Drops();
  }
  LogInfo(absl::StrCat("stopped: ", sum.tcp.passive_opens,
                       " connections accepted, ", sum.rx_packets, " packets (",
                       sum.rx_bytes, " bytes) in, ", sum.tx_packets,
                       " packets (", sum.tx_bytes, " bytes) out, ", dropped,
                       " dropped, ", sum.tcp.retransmits, " retransmissions"));
}

}  // namespace

int Serve(const ServerOptions& options, const Service& service) {
  const runtime::StopSignal stop;
  // Declared first: the stack refers to it until the end.
  Services services(service, std::max<size_t>(1, options.runtime.cores.size()));
  Metrics metrics;
  auto started = runtime::Runtime::Start(options.runtime);
  if (!started.ok()) {
    LogError(started.status().message());
    return kExitBadInput;
  }
  runtime::Runtime& runtime = **started;
  if (absl::Status s = services.Open(options, runtime); !s.ok()) {
    LogError(s.message());
    return kExitBadInput;
  }
  if (options.metrics_port != 0) {
    if (absl::Status s = metrics.Open(options, runtime); !s.ok()) {
      LogError(s.message());
      return kExitBadInput;
    }
  }
  if (absl::Status s = runtime.ClaimAddresses(); !s.ok()) {
    LogError(s.message());
    return kExitBadInput;
  }
  if (absl::Status s = services.Dial(options, runtime); !s.ok()) {
    LogError(s.message());
    return kExitBadInput;
  }
  // Only now, so that what does not work out is one line.
  LogStart(options, runtime);
  auto telemetry = inspect::Telemetry::Start(&runtime);
  if (!telemetry.ok()) {
    // Not worth refusing to work for.
    LogError(telemetry.status().message());
  }
  std::optional<inspect::MetricsCollector> collector;
  if (options.metrics_port != 0) {
    collector.emplace(&runtime, &metrics.page());
    LogInfo(absl::StrCat("metrics on TCP ", ToString(options.listen), ":",
                         options.metrics_port, "/metrics"));
  }
  LogListening(options, service);
  for (uint32_t i = 0; i < runtime.cores(); ++i) {
    KeepWallClock(service, services.app(i), runtime.core(i));
  }
  runtime.Run();
  LogTotals(runtime);
  return kExitOk;
}

}  // namespace corelane::cli
