#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "dataplane/flow/receive_queue.h"
#include "dataplane/flow/send_queue.h"
#include "proto/base/rng.h"
#include "proto/tcp/ranges.h"
#include "tests/sim/heap_packets.h"

namespace corelane::dataplane {
namespace {

// A stream's byte is a function of its sequence number.
uint8_t ByteAt(uint32_t seq) {
  return static_cast<uint8_t>(seq * 2654435761u >> 24);
}

class QueuesTest : public testing::Test {
 protected:
  QueuesTest() : heap_(2000), pool_(heap_.backend()) {}
  ~QueuesTest() override {
    EXPECT_EQ(pool_.available(), 2000u);
    EXPECT_EQ(heap_.problem(), nullptr);
  }

  Packet* Make(uint32_t seq, uint32_t length) {
    Packet* packet = pool_.Alloc();
    uint8_t* out = Append(packet, static_cast<uint16_t>(length));
    for (uint32_t i = 0; i < length; ++i) out[i] = ByteAt(seq + i);
    return packet;
  }

  // Checks that the queue's next bytes are the stream's from `seq` on, and
  // takes `n` of them one way or another.
  void Take(ReceiveQueue& queue, uint32_t& seq, uint32_t n, Rng& rng) {
    n = std::min(n, queue.bytes());
    while (n > 0) {
      const ByteView front = queue.Front();
      ASSERT_FALSE(front.empty());
      for (size_t i = 0; i < front.size(); ++i) {
        ASSERT_EQ(front[i], ByteAt(seq + static_cast<uint32_t>(i)));
      }
      if (rng.Below(4) == 0) {
        Packet* packet = queue.TakeFront();
        seq += packet->data_len;
        n -= std::min<uint32_t>(n, packet->data_len);
        pool_.Free(packet);
      } else {
        const uint32_t some = std::min<uint32_t>(n, rng.Between(1, 3000));
        const uint32_t k = std::min(some, queue.bytes());
        queue.Consume(k, pool_);
        seq += k;
        n -= std::min(n, k);
      }
    }
  }

  sim::HeapPackets heap_;
  PacketPool pool_;
};

TEST_F(QueuesTest, ReceiveQueueIsAStream) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    ReceiveQueue queue;
    uint32_t in = 0xffff'f000;
    uint32_t out = in;
    for (int step = 0; step < 500; ++step) {
      if (rng.Below(2) == 0) {
        const uint32_t n = rng.Between(1, rng.Below(2) == 0 ? 20 : 1460);
        Packet* packet = Make(in, n);
        // Sometimes somebody else still looks at it.
        if (rng.Below(10) == 0) {
          ++packet->refcnt;
          queue.Append(packet, pool_);
          pool_.Free(packet);
        } else {
          queue.Append(packet, pool_);
        }
        in += n;
      } else {
        ASSERT_NO_FATAL_FAILURE(Take(queue, out, rng.Below(4000), rng));
      }
      ASSERT_EQ(queue.bytes(), in - out);
      ASSERT_EQ(queue.empty(), in == out);
    }
    queue.Clear(pool_);
    EXPECT_TRUE(queue.empty());
  }
}

TEST_F(QueuesTest, SingleBytesDoNotPinAPacketEach) {
  ReceiveQueue queue;
  for (uint32_t i = 0; i < 1500; ++i) queue.Append(Make(i, 1), pool_);
  EXPECT_GE(pool_.available(), 1998u);
  queue.Clear(pool_);
}

TEST_F(QueuesTest, APacketInUseIsNotWrittenTo) {
  ReceiveQueue queue;
  Packet* held = Make(0, 100);
  ++held->refcnt;
  queue.Append(held, pool_);
  queue.Append(Make(100, 10), pool_);
  EXPECT_EQ(held->data_len, 100);
  EXPECT_EQ(queue.bytes(), 110u);
  queue.Clear(pool_);
  pool_.Free(held);
}

// Segments in any order, with overlaps and repeats, around the wrap of sequence
// space: what the protocol says is in order comes out once, as it is.
TEST_F(QueuesTest, ReorderQueueSortsOverlaps) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    ReceiveQueue queue;
    ReorderQueue reorder;
    tcp::RangeSet ranges;
    SeqNum next(0xffff'ffff - rng.Below(20'000));
    uint32_t out = next.value();
    const uint32_t window = 20'000;
    for (int step = 0; step < 300; ++step) {
      const uint32_t ahead = rng.Below(2) == 0 ? 0 : rng.Below(window - 1500);
      const SeqNum seq = next + ahead;
      const uint32_t n = rng.Between(1, 1460);
      if (ahead == 0) {
        queue.Append(Make(seq.value(), n), pool_);
        const SeqNum end = seq + n;
        next = ranges.TakeUpTo(end);
        reorder.Drain(end, next, queue, pool_);
      } else if (ranges.Insert(seq, seq + n) ==
                 tcp::RangeSet::Insertion::kAdded) {
        reorder.Insert(Make(seq.value(), n), seq);
      }
      ASSERT_EQ(queue.bytes(), next.value() - out);
      ASSERT_EQ(reorder.empty(), ranges.empty());
      if (rng.Below(3) == 0) {
        ASSERT_NO_FATAL_FAILURE(Take(queue, out, rng.Below(5000), rng));
      }
    }
    ASSERT_NO_FATAL_FAILURE(Take(queue, out, queue.bytes(), rng));
    reorder.Clear(pool_);
    EXPECT_EQ(reorder.pinned_bytes(), 0u);
  }
}

class SendQueueTest : public QueuesTest {
 protected:
  // Static bytes for a run of sequence numbers; they live until the test ends.
  ByteView Static(uint32_t seq, uint32_t n) {
    statics_.emplace_back();
    for (uint32_t i = 0; i < n; ++i) {
      statics_.back().push_back(ByteAt(seq + i));
    }
    return statics_.back();
  }
  std::vector<std::vector<uint8_t>> statics_;
};

TEST_F(SendQueueTest, AnyRunCanBeReadUntilItIsReleased) {
  ChunkPool chunks(1000);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    SendQueue queue;
    SeqNum una(0xffff'fff0 - rng.Below(30'000));
    SeqNum end = una;
    for (int step = 0; step < 600; ++step) {
      const uint32_t in_queue = end - una;
      const uint32_t what = rng.Below(10);
      if (what < 3) {
        const uint32_t n = rng.Between(1, 1460);
        SendChunk* chunk = nullptr;
        if (rng.Below(3) == 0) {
          chunk = chunks.Allocate();
          const ByteView bytes = Static(end.value(), n);
          *chunk = {nullptr, bytes.data(), nullptr, n};
        } else {
          Packet* packet = Make(end.value(), n);
          chunk = &MetaOf(packet).chunk;
          *chunk = {nullptr, DataOf(packet), packet, n};
        }
        queue.Append(chunk, end);
        end += n;
      } else if (what < 5) {
        const uint32_t n = rng.Below(std::min(in_queue, 2500u) + 1);
        queue.Release(n, pool_, chunks);
        una += n;
      } else if (in_queue > 0) {
        const uint32_t at = rng.Below(in_queue);
        const uint32_t n = rng.Between(1, std::min(in_queue - at, 3000u));
        std::vector<uint8_t> bytes(n);
        queue.Copy(una + at, n, bytes.data());
        for (uint32_t i = 0; i < n; ++i) {
          ASSERT_EQ(bytes[i], ByteAt(una.value() + at + i)) << seed;
        }
      }
      ASSERT_EQ(queue.empty(), una == end);
    }
    queue.Clear(pool_, chunks);
  }
}

TEST_F(SendQueueTest, StaticChunksRunOutAndComeBack) {
  ChunkPool chunks(2);
  SendChunk* a = chunks.Allocate();
  SendChunk* b = chunks.Allocate();
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(chunks.Allocate(), nullptr);
  const ByteView bytes = Static(0, 10);
  *a = {nullptr, bytes.data(), nullptr, 10};
  SendQueue queue;
  queue.Append(a, SeqNum(0));
  queue.Release(10, pool_, chunks);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(chunks.Allocate(), a);
}

}  // namespace
}  // namespace corelane::dataplane
