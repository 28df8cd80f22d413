// One core's supply of packets.
#ifndef CORELANE_DATAPLANE_PACKET_PACKET_POOL_H_
#define CORELANE_DATAPLANE_PACKET_PACKET_POOL_H_

#include <array>
#include <cstdint>

#include "dataplane/packet/packet.h"

namespace corelane::dataplane {

// Where a pool gets packets in bulk and returns them: a DPDK mempool or, in
// simulations, the heap. Called once per 64 packets, not per packet.
struct PacketBackend {
  void* self = nullptr;
  // Fills `out` with up to `n` packets and returns how many. Each has refcnt 1
  // and no chain; its other fields are Alloc's to set.
  uint32_t (*take)(void* self, Packet** out, uint32_t n) = nullptr;
  // Takes back single segments whose last reference was dropped (refcnt is 1).
  // One may still view external bytes: the backend then lets go of those.
  void (*give)(void* self, Packet** packets, uint32_t n) = nullptr;
  // How many packets are left, roughly. May be slow.
  uint32_t (*available)(void* self) = nullptr;
};

// A stack of free packets in front of a backend. Used by one core only.
class PacketPool {
 public:
  explicit PacketPool(const PacketBackend& backend) : backend_(backend) {}
  ~PacketPool() { backend_.give(backend_.self, stack_.data(), depth_); }
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // An empty packet with kPacketHeadroom in front, or nullptr when there is
  // none left. refcnt 1, one segment.
  Packet* Alloc() {
    if (depth_ == 0 && !Refill()) [[unlikely]] {
      return nullptr;
    }
    Packet* p = stack_[--depth_];
    p->data_off = kPacketHeadroom;
    p->data_len = 0;
    p->pkt_len = 0;
    p->ol_flags = 0;
    p->tx_offload = 0;
    return p;
  }

  // Makes sure that the next `n` (at most 32) calls of Alloc succeed; false if
  // there are not that many packets left.
  bool Reserve(uint32_t n) { return depth_ >= n || (Refill() && depth_ >= n); }

  // Drops one reference of every segment of the chain.
  void Free(Packet* p) {
    while (p != nullptr) {
      Packet* next = p->next;
      FreeSegment(p);
      p = next;
    }
  }

  // Free packets here and in the backend. Slow; for statistics.
  uint32_t available() const {
    return depth_ + backend_.available(backend_.self);
  }

 private:
  static constexpr uint32_t kCapacity = 256;
  static constexpr uint32_t kBulk = 64;

  void FreeSegment(Packet* p) {
    if (p->refcnt > 1) {
      --p->refcnt;
      return;
    }
    p->next = nullptr;
    p->nb_segs = 1;
    if ((p->ol_flags & (RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT)) != 0)
        [[unlikely]] {
      backend_.give(backend_.self, &p, 1);
      return;
    }
    if (depth_ == kCapacity) [[unlikely]] {
      Spill();
    }
    stack_[depth_++] = p;
  }

  bool Refill();
  void Spill();

  PacketBackend backend_;
  uint32_t depth_ = 0;
  std::array<Packet*, kCapacity> stack_{};
};

// Turns `p`, fresh from its pool, into a view of bytes that it does not own.
// `owner` counts the views; its free_cb runs when the last one goes.
// `iova` is the bytes' bus address, for devices that need one.
void AttachExternal(Packet* p, ByteView bytes, uint64_t iova,
                    rte_mbuf_ext_shared_info* owner);

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PACKET_PACKET_POOL_H_
