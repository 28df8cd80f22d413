// Frames as devices hand them over: in chains, with sums vouched for or not.
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using dataplane::DropReason;
using dataplane::Packet;

class ReceiveTest : public NetworkTest {
 protected:
  void SetUp() override {
    AddHost("10.1.0.1");
    Make({"10.1.0.9/24"});
  }
  Frame Datagram(size_t size) {
    return UdpFrame(From("10.1.0.1", "10.1.0.9"), 5000, 7,
                    std::vector<uint8_t>(size, 0x5a));
  }
  // As a chain of buffers of so many bytes.
  Packet* Chain(const Frame& frame, size_t piece) {
    Packet* head = nullptr;
    Packet** link = &head;
    for (size_t at = 0; at < frame.size(); at += piece) {
      Packet* p = node_->pipeline().core().pool.Alloc();
      const size_t n = std::min(piece, frame.size() - at);
      std::memcpy(dataplane::Append(p, static_cast<uint16_t>(n)),
                  frame.data() + at, n);
      *link = p;
      link = &p->next;
      if (p != head) {
        ++head->nb_segs;
        head->pkt_len += static_cast<uint32_t>(n);
      }
    }
    return head;
  }
  void Receive(Packet* packet) {
    node_->pipeline().BeginTurn(now_);
    node_->pipeline().Receive(0, {&packet, 1});
    Turn();
    Pass(100ms);
  }
  uint64_t linearized() { return node_->pipeline().core().counters.linearized; }
};

TEST_F(ReceiveTest, AChainIsOnePacketWhereverItIsCut) {
  const Frame frame = Datagram(1000);
  uint64_t chains = 0;
  for (const size_t piece : {1, 7, 13, 14, 20, 33, 34, 42, 100, 999, 2000}) {
    sent_.clear();
    chains += piece < frame.size() ? 1 : 0;
    Receive(Chain(frame, piece));
    ASSERT_EQ(sent_.size(), 1u) << piece;
    EXPECT_EQ(sent_[0].parsed.payload.size(), 1000u);
    EXPECT_EQ(sent_[0].parsed.payload[999], 0x5a);
  }
  EXPECT_EQ(linearized(), chains);
  sent_.clear();
  Receive(Chain(TcpFrame(From("10.1.0.1", "10.1.0.9"), Syn(1000)), 30));
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(ReceiveTest, AChainThatFitsNoBufferIsDroppedByName) {
  const uint32_t before = node_->FreePackets();
  Receive(Chain(Datagram(9000), 1500));
  EXPECT_EQ(Drops(DropReason::kScattered), 1u);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(node_->FreePackets(), before);
}

// RTE_MBUF_F_RX_L4_CKSUM_NONE: what virtio hands over from this very host has
// no sum yet and needs none.
TEST_F(ReceiveTest, SumsThatTheDeviceVouchesForAreNotLookedAt) {
  Frame datagram = Datagram(10);
  datagram[40] ^= 0xff;
  Frame syn = TcpFrame(From("10.1.0.1", "10.1.0.9"), Syn(1000));
  syn[50] ^= 0xff;
  for (const Frame& frame : {datagram, syn}) {
    for (const uint64_t flag :
         {RTE_MBUF_F_RX_L4_CKSUM_NONE, RTE_MBUF_F_RX_L4_CKSUM_GOOD}) {
      sent_.clear();
      Packet* packet = Chain(frame, 2000);
      packet->ol_flags = flag;
      Receive(packet);
      EXPECT_GE(sent_.size(), 1u) << flag;
    }
    for (const uint64_t flag : {uint64_t{RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN},
                                uint64_t{RTE_MBUF_F_RX_L4_CKSUM_BAD}}) {
      Packet* packet = Chain(frame, 2000);
      packet->ol_flags = flag;
      Receive(packet);
    }
  }
  EXPECT_EQ(Drops(DropReason::kUdpBadChecksum), 2u);
  EXPECT_EQ(Drops(DropReason::kTcpBadChecksum), 2u);
}

}  // namespace
}  // namespace corelane::sim
