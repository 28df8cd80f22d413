#include "dataplane/runtime/runtime.h"

#include <rte_launch.h>
#include <rte_pdump.h>
#include <sched.h>

#include <algorithm>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dataplane/runtime/host_addresses.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/memory_plan.h"
#include "dataplane/runtime/plan_for.h"
#include "dataplane/runtime/secrets.h"
#include "dataplane/runtime/stderr_hold.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::runtime {
namespace {

// af_packet makes its queues when DPDK starts, and one if nobody asks for more.
void AskForQueues(std::vector<pmd::DeviceSpec>& devices, size_t queues) {
  for (pmd::DeviceSpec& device : devices) {
    if (device.kind == pmd::DeviceKind::kAfPacket &&
        device.arguments.find("qpairs=") == std::string::npos) {
      absl::StrAppend(&device.arguments,
                      ",qpairs=", std::min<size_t>(queues, 16));
    }
  }
}

pmd::EalOptions EalOptionsFor(const RuntimeOptions& options,
                              const MemoryPlan& plan) {
  pmd::EalOptions eal;
  eal.file_prefix = options.name;
  eal.devices = options.devices;
  eal.huge_pages = options.huge_pages;
  eal.memory_mb = plan.memory_mb;
  // One lcore for each core: more would be threads that wait for ever.
  eal.cores = options.cores;
  if (eal.cores.empty()) eal.cores = {sched_getcpu()};
  if (eal.cores.size() > 1) AskForQueues(eal.devices, eal.cores.size());
  eal.raw_args = options.raw_eal_args;
  return eal;
}

// Starts DPDK, which binds the thread to its CPU; a loop that sleeps had better
// be put where there is room, so it gets its freedom back.
absl::StatusOr<pmd::Eal> StartEal(const RuntimeOptions& options,
                                  const MemoryPlan& plan) {
  cpu_set_t before;
  const bool known = sched_getaffinity(0, sizeof(before), &before) == 0;
  absl::StatusOr<pmd::Eal> eal = pmd::Eal::Start(EalOptionsFor(options, plan));
  const bool free =
      options.cores.empty() && IdleModeOf(options) == pmd::IdleMode::kAdaptive;
  if (eal.ok() && known && free) {
    sched_setaffinity(0, sizeof(before), &before);
  }
  return eal;
}

// Nobody can be behind a tap that has just been made, nor inside the process.
bool MayHaveNeighbors(const pmd::DeviceSpec& device) {
  return device.kind != pmd::DeviceKind::kTap &&
         device.kind != pmd::DeviceKind::kNull &&
         device.kind != pmd::DeviceKind::kRing;
}

// RFC 5227's probing, at a pace that a server's start can bear. A host on the
// same link answers within a millisecond; the RFC's seconds are for clients
// that come up all at once after a power failure.
arp::AnnouncerTiming FastProbing() {
  arp::AnnouncerTiming timing;
  timing.probe = true;
  timing.probes = 3;
  timing.probe_wait = 20ms;
  timing.probe_min = 50ms;
  timing.probe_max = 100ms;
  timing.announce_wait = 100ms;
  return timing;
}

dataplane::DeviceCaps CapsOf(const pmd::PortCaps& port) {
  const pmd::Offloads& offloads = port.offloads;
  dataplane::DeviceCaps caps;
  caps.tx_ipv4_checksum = offloads.tx_ipv4_checksum;
  caps.tx_tcp_checksum = offloads.tx_tcp_checksum;
  caps.tx_udp_checksum = offloads.tx_udp_checksum;
  caps.tx_multi_segs = offloads.tx_multi_segs;
  caps.tx_any_memory = pmd::SendsAnyMemory(port.driver);
  caps.tso_piece = port.tso_piece;
  caps.tso_buffers = port.tso_buffers;
  return caps;
}

}  // namespace

Runtime::Runtime(const RuntimeOptions& options, pmd::Eal eal)
    : options_(options), eal_(std::move(eal)), network_(this), capture_(this) {}

Runtime::~Runtime() {
  // Some drivers' libraries have something to say at the end, too.
  std::optional<StderrHold> hold;
  if (!options_.verbose) hold.emplace();
  if (eal_.uses_huge_pages()) rte_pdump_uninit();
  // Mail between them goes back first, while all of them are there.
  for (auto& core : cores_) core->LetGoOfMail();
  cores_.clear();
  ports_.clear();
}

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Start(
    const RuntimeOptions& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  if (absl::Status s = CheckHostAddresses(options); !s.ok()) return s;
  absl::StatusOr<MemoryPlan> plan = PlanFor(options);
  if (!plan.ok()) return plan.status();
  std::optional<StderrHold> hold;
  if (!options.verbose) hold.emplace();
  absl::StatusOr<pmd::Eal> eal = StartEal(options, *plan);
  if (!eal.ok()) {
    // getopt names the argument that DPDK's own message leaves out.
    const std::string said = hold.has_value() ? hold->FirstLine() : "";
    if (options.raw_eal_args.empty() ||
        said.find("option") == std::string::npos) {
      return eal.status();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("DPDK does not take what follows --: ",
                     said.substr(said.find(": ") + 2)));
  }
  std::unique_ptr<Runtime> runtime(new Runtime(options, *std::move(eal)));
  absl::Status s = runtime->CreatePools(plan->packets, plan->data_room);
  if (s.ok()) s = runtime->OpenPorts();
  // dpdk-dumpcap attaches as a secondary process, which shares huge pages only.
  // What it cannot have it does without: `corelane capture` needs none of it.
  if (s.ok() && runtime->eal().uses_huge_pages()) rte_pdump_init();
  if (s.ok()) s = runtime->CreateCores();
  if (!s.ok()) return s;
  return runtime;
}

absl::Status Runtime::CreatePools(uint32_t packets, uint16_t data_room) {
  const size_t cores = std::max<size_t>(1, options_.cores.size());
  for (size_t i = 0; i < cores; ++i) {
    pmd::PacketMempoolOptions pool;
    pool.name = absl::StrCat("corelane_core", i);
    pool.packets = packets;
    pool.private_size = dataplane::kPacketPrivateSize;
    pool.data_room = data_room;
    auto mempool = pmd::PacketMempool::Create(pool);
    if (!mempool.ok()) return mempool.status();
    mempools_.push_back(*std::move(mempool));
  }
  return absl::OkStatus();
}

absl::Status Runtime::OpenPorts() {
  pmd::PortOptions port_options;
  port_options.queues = static_cast<uint16_t>(mempools_.size());
  absl::StatusOr<dataplane::Secrets> secrets = DrawSecrets();
  if (!secrets.ok()) return secrets.status();
  Rng rng(secrets->rng, 0);
  rss_key_ = port_options.rss_key = pmd::RandomRssKey(rng);
  port_options.rx_descriptors = kRxDescriptors;
  port_options.tx_descriptors = kTxDescriptors;
  port_options.mtu = options_.mtu;
  port_options.rx_interrupt = IdleModeOf(options_) == pmd::IdleMode::kAdaptive;
  std::vector<pmd::PacketMempool*> pools;
  for (pmd::PacketMempool& pool : mempools_) pools.push_back(&pool);
  for (const pmd::DeviceSpec& device : options_.devices) {
    auto port = pmd::Port::Open(device, port_options, pools);
    if (!port.ok()) return port.status();
    ports_.push_back(*std::move(port));
  }
  return absl::OkStatus();
}

// While addresses are claimed, what is noticed becomes the error.
void Runtime::WriteNotice(void* self, std::string_view line) {
  auto* runtime = static_cast<Runtime*>(self);
  if (runtime->claiming_) {
    runtime->last_notice_ = std::string(line);
  } else {
    LogError(absl::string_view(line.data(), line.size()));
  }
}

dataplane::PipelineConfig Runtime::MakePipelineConfig() {
  dataplane::PipelineConfig config;
  for (const auto& port : ports_) {
    const pmd::PortCaps& caps = port->caps();
    dataplane::InterfaceConfig interface;
    interface.name = caps.label.empty() ? caps.name : caps.label;
    interface.mac = caps.mac;
    interface.mtu = caps.mtu;
    interface.caps = CapsOf(caps);
    config.interfaces.push_back(std::move(interface));
  }
  for (const DeviceAddress& vlan : VlansOf(options_.addresses)) {
    dataplane::InterfaceConfig interface = config.interfaces[vlan.device];
    absl::StrAppend(&interface.name, ".vlan", vlan.vlan);
    interface.vlan = vlan.vlan;
    interface.device = vlan.device;
    config.interfaces.push_back(std::move(interface));
  }
  auto interface_of = [&](const DeviceAddress& a) {
    return std::find_if(
        config.interfaces.begin(), config.interfaces.end(),
        [&](const dataplane::InterfaceConfig& interface) {
          const auto i =
              static_cast<size_t>(&interface - &config.interfaces[0]);
          const size_t device =
              interface.device == dataplane::kOwnDevice ? i : interface.device;
          return device == a.device && interface.vlan == a.vlan;
        });
  };
  for (const DeviceAddress& a : options_.addresses) {
    interface_of(a)->addresses.push_back(a.prefix);
  }
  for (const DeviceAddress& a : options_.ranges) {
    interface_of(a)->ranges.push_back(a.prefix);
  }
  config.routes = options_.routes;
  config.weak_host = options_.weak_host;
  config.tcp = options_.tcp;
  config.limits = LimitsFor(options_.max_connections);
  config.arp.announcer = FastProbing();
  config.arp.announcer.probe = std::any_of(
      options_.devices.begin(), options_.devices.end(), MayHaveNeighbors);
  config.notices.self = this;
  config.notices.write = WriteNotice;
  return config;
}

void Runtime::PlanCores() {
  const auto cores = static_cast<uint16_t>(mempools_.size());
  std::vector<pmd::PortCaps> caps;
  for (const auto& port : ports_) caps.push_back(port->caps());
  spread_ = PlanSpread(caps, cores, rss_key_);
  if (cores == 1) return;
  group_ = std::make_unique<dataplane::CoreGroup>(cores, spread_.Map());
  shared_clock_ = std::make_unique<pmd::SharedClock>();
}

absl::Status Runtime::CreateCores() {
  PlanCores();
  dataplane::PipelineConfig config = MakePipelineConfig();
  absl::StatusOr<dataplane::Secrets> secrets = DrawSecrets();
  if (!secrets.ok()) return secrets.status();
  config.secrets = *secrets;
  try {
    const auto count = static_cast<uint16_t>(mempools_.size());
    for (uint16_t i = 0; i < count; ++i) {
      // What peers see is the same on every core, but no two draw alike.
      config.secrets.rng.k0 = secrets->rng.k0 + i;
      auto core = CoreLoop::Create(config,
                                   {i, group_.get(), spread_.SharesOf(i),
                                    options_.rebalance, shared_clock_.get()},
                                   ports_, mempools_, IdleModeOf(options_),
                                   options_.grace);
      if (!core.ok()) return core.status();
      cores_.push_back(*std::move(core));
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("--max-connections ", options_.max_connections,
                     ": this machine does not give the address space for its "
                     "tables; give less"));
  }
  return absl::OkStatus();
}

absl::Status Runtime::ClaimAddresses() {
  claiming_ = true;
  const bool free = AddressesAreFree();
  claiming_ = false;
  if (free || StopSignal::Requests() > 0) return absl::OkStatus();
  return absl::AlreadyExistsError(last_notice_);
}

// Turns all cores, as an answer may come to any; on this thread, as there is
// nothing else to do yet.
bool Runtime::AddressesAreFree() {
  constexpr Duration kPatience = 1s;
  constexpr Duration kNap = 100us;
  const Time give_up = cores_[0]->Now() + kPatience;
  while (StopSignal::Requests() == 0) {
    uint32_t work = 0;
    bool usable = true;
    for (auto& core : cores_) {
      work += core->ClaimTurn(core->Now());
      const dataplane::ArpLayer& arp = core->pipeline().arp();
      if (!arp.Contested().IsAny()) return false;
      usable = usable && arp.AllUsable();
    }
    if (usable || cores_[0]->Now() > give_up) return true;
    if (work == 0) std::this_thread::sleep_for(kNap);
  }
  return false;
}

void Runtime::Run() {
  for (size_t i = 1; i < cores_.size(); ++i) {
    cores_[i]->HandOver();
    rte_eal_remote_launch(
        [](void* core) {
          static_cast<CoreLoop*>(core)->RunHandedOver();
          return 0;
        },
        cores_[i].get(), static_cast<unsigned>(options_.cores[i]));
  }
  cores_[0]->Run();
  for (size_t i = 1; i < cores_.size(); ++i) {
    rte_eal_wait_lcore(static_cast<unsigned>(options_.cores[i]));
    cores_[i]->TakeBack();
  }
  // Connections on their way between cores arrive first.
  if (cores_.size() > 1) {
    for (auto& core : cores_) core->LastTurn();
  }
  for (auto& core : cores_) core->AbortRemaining();
  // Once more for those whose frames others send.
  if (cores_.size() > 1) {
    for (auto& core : cores_) core->LastTurn();
  }
}

uint64_t Runtime::packets() const {
  uint64_t sum = 0;
  for (const pmd::PacketMempool& pool : mempools_) sum += pool.Capacity();
  return sum;
}

}  // namespace corelane::runtime
