#include "dataplane/runtime/memory_plan.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dataplane/packet/packet.h"
#include "pmd/packet_mempool.h"

namespace corelane::runtime {
namespace {

constexpr uint64_t kMib = uint64_t{1} << 20;
constexpr uint64_t kPage = 4096;

// What lies in caches and on its way, per core: the pool's stack (256), DPDK's
// cache and its overflow (384), a burst, a turn's frames.
constexpr uint32_t kInCaches = 1024;
// Below this, a handful of connections would starve each other.
constexpr uint32_t kFewestForPayload = 2048;
// DPDK's own: rings of the devices, tables, and what is lost to alignment.
constexpr uint64_t kOwnBytes = 24 * kMib;
constexpr uint64_t kPerPortBytes = 4 * kMib;

// Ethernet with a VLAN tag in front of the packet, FCS behind it.
constexpr uint32_t kFraming = 14 + 4 + 4;

uint16_t DataRoom(uint16_t mtu) {
  const uint32_t needed = dataplane::kPacketHeadroom + mtu + kFraming;
  const uint32_t rounded = (needed + 127) / 128 * 128;
  return static_cast<uint16_t>(
      std::max<uint32_t>(rounded, dataplane::kPacketBufferSize));
}

// Packets that payload may hold at once, by default: half a packet for each
// possible connection, since most are idle at any time.
uint32_t ForPayload(uint32_t max_connections) {
  return std::clamp<uint32_t>(max_connections / 2, 8192, 262144);
}

}  // namespace

absl::StatusOr<MemoryPlan> PlanMemory(const MemoryDemand& demand) {
  const uint32_t in_devices = demand.ports * (kRxDescriptors + kTxDescriptors);
  // Every core's pool may have packets in every core's caches.
  const uint32_t fixed = in_devices + demand.cores * kInCaches;
  const uint64_t own = kOwnBytes + demand.ports * kPerPortBytes;
  pmd::PacketMempoolOptions pool;
  pool.private_size = dataplane::kPacketPrivateSize;
  pool.data_room = DataRoom(demand.mtu);
  pool.packets = 1;
  const uint64_t one = pmd::PacketMempool::BytesNeeded(pool);
  const uint64_t rounded = (one + kPage - 1) / kPage * kPage;
  // A thousandth more for the headers of the memory's chunks.
  auto bytes_for = [&](uint32_t packets) {
    pool.packets = packets;
    uint64_t bytes = pmd::PacketMempool::BytesNeeded(pool);
    if (!demand.huge_pages) bytes += packets * (rounded - one);
    return own + demand.cores * (bytes + bytes / 1000);
  };

  MemoryPlan plan;
  plan.data_room = pool.data_room;
  if (demand.memory_mb == 0) {
    plan.packets = fixed + ForPayload(demand.max_connections / demand.cores);
    plan.memory_mb = static_cast<uint32_t>(bytes_for(plan.packets) / kMib + 1);
    return plan;
  }
  const uint64_t least = bytes_for(fixed + kFewestForPayload) / kMib + 1;
  if (demand.memory_mb < least) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--memory ", demand.memory_mb, ": too little for ", demand.ports,
        demand.ports == 1 ? " device" : " devices", " with packets of ",
        demand.mtu, " bytes; give at least ", least, " (MiB)"));
  }
  // More than 16 million packets serve nobody, and the count is 32 bits.
  constexpr uint32_t kMostPackets = 1u << 24;
  uint32_t low = fixed + kFewestForPayload;
  uint32_t high = kMostPackets;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (bytes_for(middle) <= demand.memory_mb * kMib) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  plan.packets = low;
  plan.memory_mb = demand.memory_mb;
  return plan;
}

dataplane::TcpLimits LimitsFor(uint32_t max_connections) {
  dataplane::TcpLimits limits;
  limits.max_connections = max_connections;
  limits.max_requests = std::clamp<uint32_t>(max_connections / 4, 256, 65536);
  // A server that closes first leaves a record per connection for a minute.
  limits.max_time_wait = std::clamp<uint32_t>(max_connections, 1024, 1u << 20);
  limits.static_chunks = std::clamp<uint32_t>(max_connections, 1024, 1u << 20);
  limits.backlog = std::min<uint32_t>(limits.max_requests, 4096);
  return limits;
}

}  // namespace corelane::runtime
