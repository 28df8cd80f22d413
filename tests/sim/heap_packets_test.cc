#include "tests/sim/heap_packets.h"

#include <gtest/gtest.h>

namespace corelane::sim {
namespace {

using dataplane::Packet;
using dataplane::PacketPool;

TEST(HeapPackets, GivesEachPacketOnceAndTakesAllBack) {
  HeapPackets heap(100);
  PacketPool pool(heap.backend());
  std::vector<Packet*> taken;
  while (Packet* packet = pool.Alloc()) taken.push_back(packet);
  EXPECT_EQ(taken.size(), 100u);
  EXPECT_EQ(pool.available(), 0u);
  for (Packet* packet : taken) {
    EXPECT_EQ(packet->refcnt, 1);
    EXPECT_EQ(dataplane::HeadroomOf(packet), dataplane::kPacketHeadroom);
    EXPECT_EQ(dataplane::TailroomOf(packet), 2048);
    pool.Free(packet);
  }
  EXPECT_EQ(pool.available(), 100u);
  EXPECT_EQ(heap.problem(), nullptr);
}

TEST(HeapPackets, NothingIsLeftWhenThePoolIsGone) {
  HeapPackets heap(100);
  {
    PacketPool pool(heap.backend());
    Packet* packet = pool.Alloc();
    EXPECT_EQ(heap.outstanding(), 64u);  // the pool takes 64 at a time
    pool.Free(packet);
  }
  EXPECT_EQ(heap.outstanding(), 0u);
}

TEST(HeapPackets, ReportsWhoeverForgetsOne) {
  HeapPackets heap(100);
  PacketPool pool(heap.backend());
  Packet* forgotten = pool.Alloc();
  EXPECT_EQ(pool.available(), 99u);
  pool.Free(forgotten);
}

TEST(HeapPackets, CanBeExhaustedOnDemand) {
  HeapPackets heap(100);
  PacketPool pool(heap.backend());
  heap.set_failing(true);
  EXPECT_EQ(pool.Alloc(), nullptr);
  heap.set_failing(false);
  Packet* packet = pool.Alloc();
  ASSERT_NE(packet, nullptr);
  pool.Free(packet);
}

TEST(HeapPackets, LetsGoOfExternalBytes) {
  static int released = 0;
  static const uint8_t bytes[100] = {};
  rte_mbuf_ext_shared_info owner{[](void*, void*) { ++released; }, nullptr, 1};
  HeapPackets heap(4);
  PacketPool pool(heap.backend());
  Packet* packet = pool.Alloc();
  dataplane::AttachExternal(packet, bytes, 0, &owner);
  EXPECT_EQ(owner.refcnt, 2);
  pool.Free(packet);
  EXPECT_EQ(owner.refcnt, 1);
  EXPECT_EQ(released, 0);
  for (int i = 0; i < 8; ++i) {
    packet = pool.Alloc();
    EXPECT_NE(packet->buf_addr, bytes);
    EXPECT_EQ(packet->buf_len, dataplane::kPacketBufferSize);
    pool.Free(packet);
  }
}

TEST(HeapPackets, NoticesAPacketThatComesBackInUse) {
  HeapPackets heap(4);
  const auto backend = heap.backend();
  Packet* packet = nullptr;
  ASSERT_EQ(backend.take(backend.self, &packet, 1), 1u);
  packet->refcnt = 2;
  backend.give(backend.self, &packet, 1);
  EXPECT_STREQ(heap.problem(), "a packet in use was given back");
}

}  // namespace
}  // namespace corelane::sim
