// Few packets are left: whoever holds them must not starve the others, nor what
// comes in starve for what is to go out.
#include "tests/dataplane/node_test.h"

namespace corelane::sim {
namespace {

class MemoryTest : public NodeTest {
 protected:
  void SetUp() override { app_->set_reading(ScriptApp::Reading::kWhenTold); }

  ScriptApp::Stream& StreamOf(uint16_t port) {
    return app_->stream({ends_.source.value(), port, kPort});
  }
  // A peer that takes segments of 100 bytes.
  void OpenSmall(uint16_t port) {
    options_[port] = {2, 4, 0, 100};
    ASSERT_TRUE(Open(port));
    options_.erase(port);
  }
  // The peer sends so many bytes of its script; returns how many of them are
  // acknowledged.
  uint32_t PeerSends(uint16_t port, uint32_t n) {
    TcpFields f = Fields(port);
    for (uint32_t i = 0; i < n; ++i) {
      f.payload.push_back(ScriptByte(f.seq - 5001 + i));
    }
    sent_.clear();
    Deliver(TcpFrame(ends_, f));
    Pass(1s);
    uint32_t acked = 0;
    for (const Frame& frame : sent_) {
      const ParsedFrame p = ParseFrame(frame);
      if (p.is_tcp && p.tcp.destination_port == port) {
        acked = std::max(acked, p.tcp.ack.value() - numbers_[port].seq);
      }
    }
    numbers_[port].seq += acked;
    return acked;
  }
  bool Low() { return node_->pipeline().core().low_memory; }
};

TEST_F(MemoryTest, WhoHasFilledItWithWhatIsToBeSentStillReceives) {
  for (uint16_t port = 1000; port < 1008; ++port) OpenSmall(port);
  for (uint16_t port = 1000; port < 1008; ++port) {
    ScriptApp::Send(StreamOf(port), 1 << 20);
  }
  Pass(1s);
  EXPECT_GT(PacketsHeld(), 2000u);
  for (int round = 0; round < 5; ++round) {
    for (uint16_t port = 1000; port < 1008; ++port) {
      ASSERT_EQ(PeerSends(port, 100), 100u) << port;
      EXPECT_TRUE(ScriptApp::Read(StreamOf(port), 100));
    }
  }
}

TEST_F(MemoryTest, OneSenderLeavesRoomForAnother) {
  OpenSmall(1000);
  OpenSmall(1001);
  OpenSmall(1002);
  for (int i = 0; i < 100; ++i) {
    ScriptApp::Send(StreamOf(1000), 200);
    ScriptApp::Send(StreamOf(1001), 200);
  }
  for (uint16_t port = 1000; port < 1002; ++port) {
    for (int i = 0; i < 10; ++i) {
      ScriptApp::Send(StreamOf(port), 1 << 20);
      Pass(1ms);
    }
  }
  EXPECT_FALSE(Low());
  EXPECT_EQ(ScriptApp::Send(StreamOf(1002), 20000), 20000u);
}

// Seed 133113: it was told at once that it could write, and could not.
TEST_F(MemoryTest, TheLastFewPacketsAboveTheMarkAreSomebodys) {
  ASSERT_TRUE(Open(1000));
  dataplane::Core& core = node_->pipeline().core();
  std::vector<dataplane::Packet*> held;
  while (core.pool.available() > core.low_memory_mark + 3) {
    held.push_back(core.pool.Alloc());
  }
  core.CheckMemory();
  EXPECT_EQ(core.packets_left, 3u);
  EXPECT_EQ(ScriptApp::Send(StreamOf(1000), 5000), 536u);
  for (dataplane::Packet* packet : held) core.pool.Free(packet);
}

TEST_F(MemoryTest, ManySlowReadersDoNotStarveTheOneThatReads) {
  // What a peer sends is kept as it came if it is worth it.
  constexpr uint32_t kPiece = 600;
  ASSERT_TRUE(Open(999));
  for (uint16_t port = 1000; port < 1060; ++port) {
    ASSERT_TRUE(Open(port));
    while (PeerSends(port, kPiece) == kPiece && !Low()) {
    }
  }
  ASSERT_TRUE(Low());
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(PeerSends(999, kPiece), kPiece);
    ASSERT_TRUE(ScriptApp::Read(StreamOf(999), kPiece));
    EXPECT_EQ(ScriptApp::Send(StreamOf(999), 100), 100u);
    Pass(1ms);
    numbers_[999].ack += 100;
    Deliver(TcpFrame(ends_, Fields(999)));
  }
  // Those that hold it get no more.
  EXPECT_EQ(PeerSends(1000, kPiece), 0u);
}

}  // namespace
}  // namespace corelane::sim
