#include "dataplane/cli/server_flags.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dataplane/cli/blast_objective.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/memory_plan.h"
#include "pmd/instance.h"

namespace corelane::cli {
namespace {

// IPv4 hosts must take 576 bytes (RFC 1122 section 3.3.3); no link is smaller.
constexpr uint16_t kMinMtu = 576;
// Less than a few segments makes no stream; no window is larger than 1 GiB.
constexpr uint64_t kMinBuffer = 4096;
constexpr uint64_t kMaxBuffer = 1u << 30;
// DPDK's own limit of ports is 32.
constexpr size_t kMaxDevices = 16;

}  // namespace

ServerFlags::ServerFlags(CommandLine& line, uint16_t default_port,
                         const std::string& example, Role role)
    : default_port_(default_port) {
  line.AddValues("--dev", devices_, "SPEC",
                 "A device, see below; may be repeated (default: tap)");
  line.AddValues("--addr", addresses_, "A.B.C.D/N[@DEV[.vlanN]]",
                 "An address of ours; may be repeated. @DEV is the number of "
                 "its --dev, 0 for the first (default: 0); @vlan3 or @0.vlan3 "
                 "puts it on that VLAN of the device (802.1Q)");
  line.AddValues("--gateway", gateways_, "A.B.C.D",
                 "Where packets for other networks go; if repeated, each flow "
                 "takes one of them");
  line.AddValues("--route", routes_, "A.B.C.D/N,GATEWAY",
                 "A network behind another gateway; may be repeated, for one "
                 "network too: each flow then takes one of its gateways");
  line.AddSwitch("--weak-host", weak_host_,
                 "Take what comes for an address of ours by another device "
                 "than the one that has it, and answer ARP for it there");
  line.AddSwitch("--rebalance", rebalance_,
                 "With several --cores: move connections from a core that has "
                 "much more to do than others");
  if (role == Role::kServer) AddListening(line);
  line.AddValue("--name", name_, "NAME",
                "Name of this instance (default: corelane)");
  line.AddValue("--max-connections", max_connections_, "N",
                "TCP connections at once, on each core (default: 65536)");
  line.AddValue("--idle", idle_, "spin|adaptive",
                "Poll without end, or sleep until a packet comes (default: "
                "adaptive on virtual devices, spin on a NIC)");
  line.AddValue("--mtu", mtu_, "BYTES", "Largest IP packet (default: 1500)");
  line.AddValue("--congestion", congestion_, "newreno|cubic|dctcp|bbr",
                "How TCP finds out what it may send (default: cubic)");
  line.AddValue("--send-buffer", send_buffer_, "BYTES",
                "What a TCP connection may have queued and in flight (default: "
                "262144)");
  line.AddValue("--receive-buffer", receive_buffer_, "BYTES",
                "Largest TCP window to offer; it starts at 64 KiB and grows "
                "with use (default: 262144)");
  line.AddValue("--huge", huge_, "auto|require|off",
                "Use huge pages if there, or always, or never (default: auto)");
  line.AddValue("--memory", memory_, "MIB",
                "Packet memory (default: by --max-connections)");
  line.AddValue("--cores", cores_, "LIST",
                "The CPUs to work on, such as 2-5 or 0,1: each has a stack of "
                "its own (default: one, the kernel's choice)");
  line.AddValue("--grace", grace_, "TIME",
                "How long a stop waits for connections (default: 3s)");
  line.AddSwitch("--quiet", quiet_, "Log mistakes and conflicts only");
  line.AddSwitch("--verbose", verbose_, "Log what DPDK is started with");
  line.AddConfig();
  line.SetFooter(absl::StrCat(
      "Devices:\n", pmd::DeviceHelp(),
      "What follows -- goes to DPDK's EAL as it is.\n\n"
      "Example:\n  ",
      example, "\n  ip addr add 10.77.0.1/24 dev cl0   # the kernel's side\n"));
}

void ServerFlags::AddListening(CommandLine& line) {
  line.AddValue("--port", port_, "PORT",
                absl::StrCat("Where to listen (default: ", default_port_, ")"));
  line.AddValue("--listen", listen_, "A.B.C.D",
                "One --addr to listen on (default: 0.0.0.0, all of them)");
  line.AddValue("--metrics-port", metrics_port_, "PORT",
                "Answer GET /metrics there, for Prometheus (default: nowhere)");
  line.AddValues("--connect", connect_, "A.B.C.D:PORT",
                 "Also connect there over TCP and serve the peer; may be "
                 "repeated");
}

absl::StatusOr<ServerOptions> ServerFlags::Understand(
    const std::vector<std::string>& raw_eal_args) const {
  runtime::SetQuiet(quiet_);
  ServerOptions options;
  options.runtime.verbose = verbose_;
  options.port = default_port_;
  options.runtime.weak_host = weak_host_;
  options.runtime.rebalance = rebalance_;
  options.runtime.raw_eal_args = raw_eal_args;
  options.runtime.address_needed = address_needed_;
  if (absl::Status s = UnderstandNetwork(options); !s.ok()) return s;
  if (absl::Status s = UnderstandLimits(options.runtime); !s.ok()) return s;
  if (absl::Status s = runtime::CheckOptions(options.runtime); !s.ok()) {
    return s;
  }
  const auto& ours = options.runtime.addresses;
  if (!options.listen.IsAny() &&
      std::none_of(ours.begin(), ours.end(),
                   [&](const runtime::DeviceAddress& a) {
                     return a.prefix.address == options.listen;
                   })) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen ", ToString(options.listen),
                     ": this is no --addr of ours; give ",
                     ToString(ours[0].prefix.address), " or 0.0.0.0"));
  }
  return options;
}

absl::Status ServerFlags::UnderstandNetwork(ServerOptions& options) const {
  std::vector<std::string> texts = devices_;
  if (texts.empty()) texts.emplace_back("tap");
  if (texts.size() > kMaxDevices) {
    return absl::InvalidArgumentError(absl::StrCat(
        texts.size(), " devices: give at most ", kMaxDevices, " --dev"));
  }
  auto devices = pmd::ParseDevices(texts);
  if (!devices.ok()) return devices.status();
  options.runtime.devices = *std::move(devices);
  std::vector<std::string> addresses = addresses_;
  if (addresses.empty() && !default_address_.empty()) {
    addresses.push_back(default_address_);
  }
  for (const std::string& text : addresses) {
    auto address = ParseDeviceAddress(text);
    if (!address.ok()) return address.status();
    options.runtime.addresses.push_back(*address);
  }
  for (const std::string& text : routes_) {
    auto route = ParseRoute(text);
    if (!route.ok()) return route.status();
    options.runtime.routes.push_back(*route);
  }
  for (const std::string& text : connect_) {
    auto endpoint = ParseEndpoint("--connect", text);
    if (!endpoint.ok()) return endpoint.status();
    options.connect.push_back(*endpoint);
  }
  for (const std::string& text : gateways_) {
    auto gateway = ParseAddress("--gateway", text);
    if (!gateway.ok()) return gateway.status();
    options.runtime.routes.push_back({{Ipv4Address(), 0}, *gateway});
  }
  absl::Status s;
  Take(listen_, options.listen, s,
       [](const std::string& t) { return ParseAddress("--listen", t); });
  Take(port_, options.port, s,
       [](const std::string& t) { return ParsePort("--port", t); });
  Take(metrics_port_, options.metrics_port, s,
       [](const std::string& t) { return ParsePort("--metrics-port", t); });
  if (s.ok() && options.metrics_port != 0 &&
      options.metrics_port == options.port) {
    s = absl::InvalidArgumentError(absl::StrCat(
        "--metrics-port ", options.metrics_port,
        ": the service listens there (--port); give another port"));
  }
  return s;
}

absl::Status ServerFlags::UnderstandLimits(
    runtime::RuntimeOptions& options) const {
  auto number = [](const char* flag, uint64_t low, uint64_t high,
                   const char* unit) {
    return [=](const std::string& text) {
      return ParseNumber(flag, text, low, high, unit);
    };
  };
  if (name_.has_value()) options.name = *name_;
  absl::Status s = pmd::CheckInstanceName(options.name);
  Take(max_connections_, options.max_connections, s,
       [](const std::string& text) {
         return ParseCountFlag("--max-connections", text,
                               runtime::kMaxConnections);
       });
  Take(idle_, options.idle, s, ParseIdle);
  Take(mtu_, options.mtu, s,
       number("--mtu", kMinMtu, runtime::kMaxMtu, "bytes"));
  if (s.ok()) s = UnderstandTcp(options.tcp);
  Take(huge_, options.huge_pages, s, ParseHugePages);
  Take(memory_, options.memory_mb, s, number("--memory", 1, 1u << 20, "MiB"));
  Take(cores_, options.cores, s, ParseCores);
  Take(grace_, options.grace, s, [](const std::string& text) {
    return ParseDuration("--grace", text, 0s, 1h);
  });
  return s;
}

absl::Status ServerFlags::UnderstandTcp(tcp::Config& config) const {
  auto bytes = [](const char* flag) {
    return [=](const std::string& text) {
      return ParseNumber(flag, text, kMinBuffer, kMaxBuffer, "bytes");
    };
  };
  absl::Status s;
  Take(congestion_, config.congestion, s, ParseCongestion);
  Take(send_buffer_, config.send_buffer, s, bytes("--send-buffer"));
  Take(receive_buffer_, config.receive_buffer, s, bytes("--receive-buffer"));
  return s;
}

}  // namespace corelane::cli
