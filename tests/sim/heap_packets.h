// Packets from the heap: what a DPDK mempool is to the runtime. A fixed number
// of them, every one accounted for.
#ifndef CORELANE_TESTS_SIM_HEAP_PACKETS_H_
#define CORELANE_TESTS_SIM_HEAP_PACKETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/packet_pool.h"

namespace corelane::sim {

class HeapPackets {
 public:
  // Huge pages cost a thousand times as much to clear: for benchmarks, where
  // they are what a DPDK mempool lies in.
  enum class Pages : uint8_t { kOrdinary, kHuge };

  // With `poison`, a packet that comes back is overwritten, so that whoever
  // still looks at it sees rubbish.
  explicit HeapPackets(uint32_t count, bool poison = false)
      : HeapPackets(count, poison, Pages::kOrdinary) {}
  HeapPackets(uint32_t count, Pages pages) : HeapPackets(count, false, pages) {}
  ~HeapPackets();
  HeapPackets(const HeapPackets&) = delete;
  HeapPackets& operator=(const HeapPackets&) = delete;

  dataplane::PacketBackend backend();

  // How many cores take from here. Each is told that its share of what is left
  // is there, so that together they do not count on more than there is: in a
  // runtime every core has a pool of its own.
  void set_sharers(uint32_t sharers) { sharers_ = sharers; }

  uint32_t capacity() const { return capacity_; }
  // Packets that were taken and have not come back.
  uint32_t outstanding() const { return taken_; }
  // From now on nothing can be taken: the pool looks exhausted.
  void set_failing(bool failing) { failing_ = failing; }
  // Whether a packet came back in a state in which it must not (refcnt above 1,
  // part of a chain, not ours); nullptr if not.
  const char* problem() const { return problem_; }

 private:
  HeapPackets(uint32_t count, bool poison, Pages pages);

  static uint32_t Take(void* self, dataplane::Packet** out, uint32_t n);
  static void Give(void* self, dataplane::Packet** packets, uint32_t n);
  static uint32_t Available(void* self);

  dataplane::Packet* At(uint32_t index) const;
  void Init(dataplane::Packet* packet) const;
  void GiveOne(dataplane::Packet* packet);

  uint32_t capacity_;
  uint32_t sharers_ = 1;
  bool poison_;
  bool failing_ = false;
  uint32_t taken_ = 0;
  uint32_t fresh_ = 0;  // packets from here on were never taken
  uint8_t* memory_;
  size_t alignment_;
  const char* problem_ = nullptr;
  std::vector<dataplane::Packet*> free_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_HEAP_PACKETS_H_
