// The packet: DPDK's mbuf, seen without DPDK's functions.
//
// The engine works on `struct rte_mbuf` (its plain layout, rte_mbuf_core.h), so
// that a driver's bursts need no conversion. It never calls DPDK, so the same
// compiled code runs in the simulator on packets that came from the heap.
//
// Ownership: a Packet* is owned by exactly one place (a burst, a queue, a
// neighbour's waiting room, an application that took it) except while a device
// transmits it; then the reference count is raised, and whoever holds it must
// not edit a header until the count is 1 again.
#ifndef CORELANE_DATAPLANE_PACKET_PACKET_H_
#define CORELANE_DATAPLANE_PACKET_PACKET_H_

#include <rte_mbuf_core.h>

#include <cstddef>
#include <cstdint>
#include <new>

#include "proto/base/bytes.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

using Packet = rte_mbuf;

// Room in front of a fresh packet's data: Ethernet with a VLAN tag, IPv4 or
// IPv6 and the largest TCP header fit.
inline constexpr uint16_t kPacketHeadroom = 128;
// The buffer behind each packet. 2,048 bytes of data room is what the drivers
// expect of a pool that takes 1,518-byte frames in one piece.
inline constexpr uint16_t kPacketBufferSize = kPacketHeadroom + 2048;

// A run of bytes waiting in a send queue. It lies in the private area of the
// packet that holds the bytes, or in a slab when the bytes are static.
struct SendChunk {
  SendChunk* next;
  const uint8_t* data;
  Packet* packet;  // nullptr: the bytes outlive the connection (static)
  uint32_t length;
};

// The private area behind each mbuf. A packet is in one queue at a time.
struct PacketMeta {
  Packet* link;       // the next packet of the queue it is in
  uint32_t sequence;  // of its first byte, in receive and reassembly queues
  uint32_t length;    // of its payload, likewise
  SendChunk chunk;
  tcp::FlowKey flow;  // of a segment on its way to another core
};
inline constexpr uint16_t kPacketPrivateSize = 64;
static_assert(sizeof(PacketMeta) <= kPacketPrivateSize);

inline PacketMeta& MetaOf(Packet* p) {
  return *reinterpret_cast<PacketMeta*>(p + 1);
}

inline uint8_t* DataOf(Packet* p) {
  return static_cast<uint8_t*>(p->buf_addr) + p->data_off;
}
inline const uint8_t* DataOf(const Packet* p) {
  return static_cast<const uint8_t*>(p->buf_addr) + p->data_off;
}
// The bytes of the first segment.
inline ByteView BytesOf(const Packet* p) { return {DataOf(p), p->data_len}; }

inline uint16_t HeadroomOf(const Packet* p) { return p->data_off; }
inline uint16_t TailroomOf(const Packet* p) {
  return static_cast<uint16_t>(p->buf_len - p->data_off - p->data_len);
}

// Grow and shrink at the ends of a single-segment packet. The caller has
// checked that there is room.
// Whether the device vouches for the sums: they are good, or (both bits, NONE)
// not in the packet at all because it comes from another process of this host,
// as over virtio. Without either bit, or with BAD alone, it is up to us.
inline bool IpSumVerified(const Packet* p) {
  return (p->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) != 0;
}
inline bool L4SumVerified(const Packet* p) {
  return (p->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD) != 0;
}

inline uint8_t* Prepend(Packet* p, uint16_t n) {
  p->data_off = static_cast<uint16_t>(p->data_off - n);
  p->data_len = static_cast<uint16_t>(p->data_len + n);
  p->pkt_len += n;
  return DataOf(p);
}
inline uint8_t* Append(Packet* p, uint16_t n) {
  uint8_t* tail = DataOf(p) + p->data_len;
  p->data_len = static_cast<uint16_t>(p->data_len + n);
  p->pkt_len += n;
  return tail;
}
inline void TrimFront(Packet* p, uint16_t n) {
  p->data_off = static_cast<uint16_t>(p->data_off + n);
  p->data_len = static_cast<uint16_t>(p->data_len - n);
  p->pkt_len -= n;
}
inline void TrimTo(Packet* p, uint16_t length) {
  p->data_len = length;
  p->pkt_len = length;
}

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PACKET_PACKET_H_
