// DPDK and the engine, bound together: from options to a running stack.
#ifndef CORELANE_DATAPLANE_RUNTIME_RUNTIME_H_
#define CORELANE_DATAPLANE_RUNTIME_RUNTIME_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/runtime/capture_session.h"
#include "dataplane/runtime/core_loop.h"
#include "dataplane/runtime/live_network.h"
#include "dataplane/runtime/options.h"
#include "dataplane/runtime/port_spread.h"
#include "pmd/clock.h"
#include "pmd/eal.h"
#include "pmd/packet_mempool.h"
#include "pmd/port.h"

namespace corelane::runtime {

// One per process. Start, then register applications and open sockets on
// pipeline(), then Run.
class Runtime {
 public:
  // Checks the options, starts DPDK, opens the devices. What fails leaves
  // nothing behind; the message is one line.
  //
  // The first core's loop runs on the calling thread, each other one on a
  // thread of its own. They stay on the CPUs that were asked for; else there is
  // one core: a spinning loop stays on the CPU that it started on, and a loop
  // that sleeps goes where the kernel puts it.
  static absl::StatusOr<std::unique_ptr<Runtime>> Start(
      const RuntimeOptions& options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Asks on the wire whether our addresses are free: about 0.3 s. A device that
  // was made just now, with nobody behind it yet, is not asked. The error names
  // the other host.
  absl::Status ClaimAddresses();

  // Until a stop is asked for by a signal (StopSignal), on all cores.
  void Run();

  // Everything above asks core by core.
  uint32_t cores() const { return static_cast<uint32_t>(cores_.size()); }
  CoreLoop& core(uint32_t i) { return *cores_[i]; }
  dataplane::Pipeline& pipeline() { return cores_[0]->pipeline(); }

  // As they are now. Control threads take turns: the network may change.
  const RuntimeOptions& options() const { return options_; }
  LiveNetwork& network() { return network_; }
  CaptureSession& capture() { return capture_; }
  // For LiveNetwork, after every core has changed.
  void SetNetwork(const std::vector<DeviceAddress>& addresses,
                  const std::vector<dataplane::StaticRoute>& routes) {
    options_.addresses = addresses;
    options_.routes = routes;
  }
  const pmd::Eal& eal() const { return eal_; }
  const std::vector<std::unique_ptr<pmd::Port>>& ports() const {
    return ports_;
  }
  // How packets get from each port to their cores; fixed at start.
  const std::vector<PortSpread>& spread() const { return spread_.ports; }
  // Fixed at start, readable from any thread: the packets of all pools.
  uint64_t packets() const;

 private:
  Runtime(const RuntimeOptions& options, pmd::Eal eal);

  absl::Status CreatePools(uint32_t packets, uint16_t data_room);
  absl::Status OpenPorts();
  bool AddressesAreFree();
  void PlanCores();
  absl::Status CreateCores();
  dataplane::PipelineConfig MakePipelineConfig();
  static void WriteNotice(void* self, std::string_view line);

  // In the order of dependence: destroyed from the last to the first.
  RuntimeOptions options_;
  pmd::Eal eal_;
  LiveNetwork network_;
  CaptureSession capture_;
  bool claiming_ = false;
  std::string last_notice_;                   // while claiming
  std::vector<pmd::PacketMempool> mempools_;  // one per core
  std::vector<std::unique_ptr<pmd::Port>> ports_;
  std::vector<uint8_t> rss_key_;
  SpreadPlan spread_;
  std::unique_ptr<pmd::SharedClock> shared_clock_;  // nullptr: one core
  std::unique_ptr<dataplane::CoreGroup> group_;     // nullptr: one core
  std::vector<std::unique_ptr<CoreLoop>> cores_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_RUNTIME_H_
