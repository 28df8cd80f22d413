// How much memory a configuration needs: all of that arithmetic.
#ifndef CORELANE_DATAPLANE_RUNTIME_MEMORY_PLAN_H_
#define CORELANE_DATAPLANE_RUNTIME_MEMORY_PLAN_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "dataplane/pipeline/tcp_layer.h"

namespace corelane::runtime {

inline constexpr uint16_t kRxDescriptors = 1024;
inline constexpr uint16_t kTxDescriptors = 1024;
inline constexpr uint32_t kMaxConnections = 1u << 26;
inline constexpr uint16_t kMaxMtu = 9216;

struct MemoryDemand {
  uint16_t cores = 1;
  uint16_t ports = 1;
  uint16_t mtu = 1500;
  uint32_t max_connections = 65536;
  uint32_t memory_mb = 0;  // as asked for; 0: what is needed
  // On ordinary pages DPDK lets no packet cross from one to the next, which
  // takes a whole one for each.
  bool huge_pages = false;
};

struct MemoryPlan {
  uint32_t packets = 0;    // in a core's pool
  uint16_t data_room = 0;  // bytes behind each
  uint32_t memory_mb = 0;  // for the EAL
};

// InvalidArgument when what was asked for cannot work.
absl::StatusOr<MemoryPlan> PlanMemory(const MemoryDemand& demand);

// The sizes of TCP's tables. They are reserved, not touched: a table for a
// million connections costs nothing before there are any.
dataplane::TcpLimits LimitsFor(uint32_t max_connections);

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_MEMORY_PLAN_H_
