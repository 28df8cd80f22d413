// One core's packet memory: a DPDK mempool with a scope.
#ifndef CORELANE_PMD_PACKET_MEMPOOL_H_
#define CORELANE_PMD_PACKET_MEMPOOL_H_

#include <rte_mbuf_core.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

struct rte_mempool;

namespace corelane::pmd {

struct PacketMempoolOptions {
  std::string name;      // unique in the process, at most 25 characters
  uint32_t packets = 0;  // how many; DPDK likes 2^n - 1 best
  // Bytes behind each packet's header for the stack's own notes.
  uint16_t private_size = 64;
  // Bytes behind each packet, its 128 of headroom among them.
  uint16_t data_room = 2176;
  int numa_node = -1;  // -1: any
};

// Fills receive queues and feeds the core's packet stack. The calls may come
// from any thread; they are fast from an EAL thread, which has a cache here.
// Must outlive every port that was opened with it, and go before the Eal.
class PacketMempool {
 public:
  // ResourceExhausted says how much memory would have been needed.
  static absl::StatusOr<PacketMempool> Create(
      const PacketMempoolOptions& options);

  ~PacketMempool();
  PacketMempool(PacketMempool&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)) {}
  PacketMempool& operator=(PacketMempool&& other) noexcept {
    std::swap(pool_, other.pool_);
    return *this;
  }
  PacketMempool(const PacketMempool&) = delete;
  PacketMempool& operator=(const PacketMempool&) = delete;

  // Fills `out` with up to `n` packets and returns how many. Each is empty,
  // with the headroom in front, refcnt 1, no chain, no flags.
  uint32_t Take(rte_mbuf** out, uint32_t n);

  // Takes back single segments whose last reference was dropped (refcnt 1).
  // One that views external bytes lets go of them first.
  void Give(rte_mbuf** packets, uint32_t n);

  // How many packets are in the pool now. Slow; for statistics.
  uint32_t Available() const;
  uint32_t Capacity() const;

  rte_mempool* raw() const { return pool_; }

  // Bytes of memory that a pool of this shape takes, about.
  static uint64_t BytesNeeded(const PacketMempoolOptions& options);

 private:
  explicit PacketMempool(rte_mempool* pool) : pool_(pool) {}

  rte_mempool* pool_ = nullptr;
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_PACKET_MEMPOOL_H_
