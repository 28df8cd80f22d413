#include "tests/sim/heap_packets.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace corelane::sim {
namespace {

using dataplane::kPacketBufferSize;
using dataplane::kPacketPrivateSize;
using dataplane::Packet;
using dataplane::PacketBackend;

constexpr size_t kAlignment = alignof(Packet);
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kStride =
    (sizeof(Packet) + kPacketPrivateSize + kPacketBufferSize + kAlignment - 1) /
    kAlignment * kAlignment;

uint8_t* BufferOf(Packet* packet) {
  return reinterpret_cast<uint8_t*>(packet + 1) + kPacketPrivateSize;
}

}  // namespace

HeapPackets::HeapPackets(uint32_t count, bool poison, Pages pages)
    : capacity_(count),
      poison_(poison),
      // Untouched memory costs nothing: worlds are made by the thousand.
      memory_(static_cast<uint8_t*>(::operator new (
          kStride*(count == 0 ? 1 : count),
          std::align_val_t{pages == Pages::kHuge ? kHugePage : kAlignment}))),
      alignment_(pages == Pages::kHuge ? kHugePage : kAlignment) {
  if (pages == Pages::kHuge) madvise(memory_, kStride * count, MADV_HUGEPAGE);
}

HeapPackets::~HeapPackets() {
  ::operator delete (memory_, std::align_val_t{alignment_});
}

PacketBackend HeapPackets::backend() {
  return {this, &Take, &Give, &Available};
}

Packet* HeapPackets::At(uint32_t index) const {
  return reinterpret_cast<Packet*>(memory_ + kStride * index);
}

// As rte_pktmbuf_init does it.
void HeapPackets::Init(Packet* packet) const {
  std::memset(static_cast<void*>(packet), 0,
              sizeof(Packet) + kPacketPrivateSize);
  packet->buf_addr = BufferOf(packet);
  packet->buf_iova = reinterpret_cast<uintptr_t>(packet->buf_addr);
  packet->buf_len = kPacketBufferSize;
  packet->priv_size = kPacketPrivateSize;
  packet->nb_segs = 1;
  packet->port = RTE_MBUF_PORT_INVALID;
  packet->refcnt = 1;
}

uint32_t HeapPackets::Take(void* self, Packet** out, uint32_t n) {
  auto& heap = *static_cast<HeapPackets*>(self);
  if (heap.failing_) return 0;
  uint32_t done = 0;
  for (; done < n && !heap.free_.empty(); ++done) {
    out[done] = heap.free_.back();
    heap.free_.pop_back();
  }
  for (; done < n && heap.fresh_ < heap.capacity_; ++done) {
    out[done] = heap.At(heap.fresh_++);
    heap.Init(out[done]);
  }
  heap.taken_ += done;
  return done;
}

void HeapPackets::GiveOne(Packet* packet) {
  const auto* at = reinterpret_cast<const uint8_t*>(packet);
  if (at < memory_ || at >= memory_ + kStride * capacity_) {
    problem_ = "a packet that is not ours was given back";
    return;
  }
  if (packet->refcnt != 1) problem_ = "a packet in use was given back";
  if (packet->next != nullptr || packet->nb_segs != 1) {
    problem_ = "a chain was given back";
  }
  if ((packet->ol_flags & RTE_MBUF_F_EXTERNAL) != 0) {
    rte_mbuf_ext_shared_info* owner = packet->shinfo;
    if (--owner->refcnt == 0) {
      owner->free_cb(packet->buf_addr, owner->fcb_opaque);
    }
    Init(packet);
  }
  if (poison_) std::memset(packet->buf_addr, 0xdb, kPacketBufferSize);
  free_.push_back(packet);
  if (taken_ == 0) {
    problem_ = "a packet was given back twice";
  } else {
    --taken_;
  }
}

void HeapPackets::Give(void* self, Packet** packets, uint32_t n) {
  auto& heap = *static_cast<HeapPackets*>(self);
  for (uint32_t i = 0; i < n; ++i) heap.GiveOne(packets[i]);
}

uint32_t HeapPackets::Available(void* self) {
  const auto& heap = *static_cast<const HeapPackets*>(self);
  return (heap.capacity_ - heap.taken_) / heap.sharers_;
}

}  // namespace corelane::sim
