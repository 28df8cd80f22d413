#include "dataplane/cli/print_config.h"

#include <cstdio>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dataplane/runtime/plan_for.h"
#include "proto/tcp/congestion_control.h"

namespace corelane::cli {
namespace {

// Of the flags that may be left out, what they then are.
std::map<std::string, std::string> DefaultsOf(const ServerOptions& options) {
  const runtime::RuntimeOptions& r = options.runtime;
  return {
      {"dev", "tap"},
      {"port", absl::StrCat(options.port)},
      {"listen", ToString(options.listen)},
      {"name", r.name},
      {"max-connections", absl::StrCat(r.max_connections)},
      {"idle",
       runtime::IdleModeOf(r) == pmd::IdleMode::kSpin ? "spin" : "adaptive"},
      {"congestion", std::string(tcp::NameOf(r.tcp.congestion))},
      {"send-buffer", absl::StrCat(r.tcp.send_buffer)},
      {"receive-buffer", absl::StrCat(r.tcp.receive_buffer)},
      {"huge", "auto"},
      {"grace", absl::StrCat(r.grace / 1ms, "ms")},
  };
}

std::string Arithmetic(const runtime::RuntimeOptions& options,
                       const runtime::MemoryPlan& plan) {
  const dataplane::TcpLimits limits =
      runtime::LimitsFor(options.max_connections);
  return absl::StrCat(
      "# Each core: ", plan.packets, " packets of ", plan.data_room,
      " bytes\n# Packet memory: ", plan.memory_mb, " MiB",
      options.memory_mb == 0 ? " (by max-connections, mtu and dev)" : "",
      "\n# Connections: ", limits.max_connections,
      ", half open: ", limits.max_requests,
      ", in TIME-WAIT: ", limits.max_time_wait,
      ", of each listener half open: ", limits.backlog, "\n",
      options.mtu == 0 ? "# MTU: the devices' own\n" : "",
      options.raw_eal_args.empty()
          ? ""
          : absl::StrCat("# For DPDK, to be typed behind --: ",
                         absl::StrJoin(options.raw_eal_args, " "), "\n"));
}

}  // namespace

std::optional<int> PrintConfig(const CommandLine& line,
                               const ServerOptions& options) {
  if (!line.print_config()) return std::nullopt;
  const auto plan = runtime::PlanFor(options.runtime);
  if (!plan.ok()) return line.Refuse(plan.status().message());
  const std::string text = absl::StrCat(line.ConfigText(DefaultsOf(options)),
                                        Arithmetic(options.runtime, *plan));
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? kExitOk : kExitFailed;
}

}  // namespace corelane::cli
