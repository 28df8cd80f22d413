// VLANs on a card: each a link of its own.
#include <set>

#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using dataplane::DropReason;

constexpr uint16_t kNone = ethernet::kNoVlan;

class VlanTest : public NetworkTest {
 protected:
  void SetUp() override {
    AddVlan(0, 3, "10.3.0.9/24");
    AddVlan(0, 4, "10.4.0.9/24");
    AddVlan(1, 3, "10.5.0.9/24");
    AddRoute("198.18.0.0/15", "10.4.0.1");
    for (const char* host : {"10.1.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1"}) {
      AddHost(host);
    }
    Make({"10.1.0.9/24", "10.2.0.9/24"});
  }
  // Asks a service of ours from a host on a VLAN; sent_ has what came of it.
  void Ask(const char* host, const char* ours, size_t card, uint16_t vlan) {
    sent_.clear();
    const Ends ends = From(host, ours, card, vlan);
    Deliver(card, ArpFrame(ends, Request(ends)));
    Deliver(card, TcpFrame(ends, Syn(next_)));
    Deliver(card, UdpFrame(ends, next_, 7, ByteView(kBytes)));
    Deliver(card, IcmpFrame(ends, {8, 0, 0, 0, 0, 0, 0, 0}));
    ++next_;
  }
  void ExpectAnswers(size_t card, uint16_t vlan) {
    EXPECT_EQ(sent_.size(), 4u);
    for (const Sent& s : sent_) {
      EXPECT_EQ(s.card, card);
      EXPECT_EQ(s.parsed.ethernet.vlan, vlan);
      EXPECT_EQ(s.parsed.ethernet.source, CardMac(card));
    }
  }

  static constexpr uint8_t kBytes[3] = {1, 2, 3};
  uint16_t next_ = 5000;
};

TEST_F(VlanTest, EachIsServedOnItsOwnLink) {
  Ask("10.1.0.1", "10.1.0.9", 0, kNone);
  ExpectAnswers(0, kNone);
  Ask("10.3.0.1", "10.3.0.9", 0, 3);
  ExpectAnswers(0, 3);
  Ask("10.4.0.1", "10.4.0.9", 0, 4);
  ExpectAnswers(0, 4);
  Ask("10.5.0.1", "10.5.0.9", 1, 3);
  ExpectAnswers(1, 3);
  // Whoever is asked for is asked for there.
  const auto c =
      node_->pipeline().tcp().Connect(Ipv4Address(198, 18, 0, 1), 80, app_);
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->key().local(), Ipv4Address(10, 4, 0, 9));
  sent_.clear();
  Pass(0s);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].parsed.ethernet.vlan, 4);
  EXPECT_EQ(sent_[0].parsed.ethernet.destination,
            HostMac(Ipv4Address(10, 4, 0, 1)));
}

TEST_F(VlanTest, NothingGetsFromOneIntoAnother) {
  Ask("10.3.0.1", "10.3.0.9", 0, kNone);
  EXPECT_TRUE(sent_.empty());
  Ask("10.1.0.1", "10.1.0.9", 0, 3);
  EXPECT_TRUE(sent_.empty());
  Ask("10.3.0.1", "10.3.0.9", 0, 4);
  EXPECT_TRUE(sent_.empty());
  Ask("10.3.0.1", "10.3.0.9", 1, 3);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(Drops(DropReason::kIpv4OtherPort), 12u);
  EXPECT_EQ(Drops(DropReason::kArpNotForUs), 4u);
  EXPECT_EQ(node_->pipeline().tcp().requests().in_use(), 0u);
}

TEST_F(VlanTest, UnknownAndDoubleTagsAreDroppedByName) {
  for (const uint16_t vlan : {uint16_t{5}, uint16_t{0xfff}}) {
    Deliver(0, TcpFrame(From("10.3.0.1", "10.3.0.9", 0, vlan), Syn(1000)));
  }
  Deliver(1, TcpFrame(From("10.4.0.1", "10.4.0.9", 1, 4), Syn(1000)));
  Frame twice = TcpFrame(From("10.3.0.1", "10.3.0.9", 0, 3), Syn(1000));
  twice.insert(twice.begin() + 12, {0x81, 0x00, 0x00, 0x03});
  Deliver(0, twice);
  twice[12] = 0x88;
  twice[13] = 0xa8;
  Deliver(0, twice);
  EXPECT_EQ(Drops(DropReason::kEthernetVlan), 5u);
  EXPECT_TRUE(sent_.empty());
}

// IEEE 802.1Q section 6.9: a priority tag names no VLAN; priority and the
// drop-eligible bit do not matter.
TEST_F(VlanTest, APriorityTagBelongsToTheUntaggedLink) {
  Ask("10.1.0.1", "10.1.0.9", 0, 0);
  ExpectAnswers(0, kNone);
  sent_.clear();
  Frame frame = TcpFrame(From("10.3.0.1", "10.3.0.9", 0, 3), Syn(1000));
  frame[14] |= 0xf0;
  AddHost("10.3.0.1");
  Deliver(0, frame);
  Pass(0s);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].parsed.ethernet.vlan, 3);
}

// A neighbour is one of its link: nobody on another can claim its address.
TEST_F(VlanTest, ArpOfOneLinkIsNotHeardOnAnother) {
  Ask("10.3.0.1", "10.3.0.9", 0, 3);
  ExpectAnswers(0, 3);
  Pass(5s);
  for (const uint16_t vlan : {kNone, uint16_t{4}}) {
    arp::Packet lie;
    lie.operation = arp::kReply;
    lie.sender_mac = MacAddress({6, 6, 6, 6, 6, 6});
    lie.sender = Ipv4Address(10, 3, 0, 1);
    lie.target_mac = CardMac(0);
    lie.target = Ipv4Address(10, 3, 0, 9);
    Deliver(0, ArpFrame({lie.sender_mac, CardMac(0), {}, {}, vlan}, lie));
    // And no address of ours can be contested from there.
    lie.sender = Ipv4Address(10, 3, 0, 9);
    Deliver(0, ArpFrame({lie.sender_mac, CardMac(0), {}, {}, vlan}, lie));
  }
  sent_.clear();
  Deliver(0, TcpFrame(From("10.3.0.1", "10.3.0.9", 0, 3), Syn(1000)));
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].parsed.ethernet.destination,
            HostMac(Ipv4Address(10, 3, 0, 1)));
  EXPECT_EQ(node_->pipeline().core().counters.arp_conflicts, 0u);
}

class VlanCoresTest : public VlanTest {
 protected:
  void SetUp() override {
    config_.cores = 3;
    config_.queues = 2;
    VlanTest::SetUp();
  }
};

TEST_F(VlanCoresTest, AllCoresServeAll) {
  uint64_t by_core[3] = {};
  for (int i = 0; i < 30; ++i) {
    Ask("10.3.0.1", "10.3.0.9", 0, 3);
    ExpectAnswers(0, 3);
    Ask("10.5.0.1", "10.5.0.9", 1, 3);
    ExpectAnswers(1, 3);
  }
  for (uint16_t core = 0; core < 3; ++core) {
    by_core[core] = node_->pipeline(core).tcp().requests().in_use();
    EXPECT_GT(by_core[core], 0u);
  }
  EXPECT_EQ(by_core[0] + by_core[1] + by_core[2], 60u);
  // In fragments, which meet elsewhere.
  sent_.clear();
  const Ends ends = From("10.3.0.1", "10.3.0.9", 0, 3);
  for (uint16_t peer = 6000; peer < 6020; ++peer) {
    const std::vector<uint8_t> payload(1600, 7);
    const Frame whole = UdpFrame(ends, peer, 7, payload);
    const ByteView datagram(whole.data() + 38, 1608);
    for (const bool first : {true, false}) {
      ipv4::Header header;
      header.protocol = ipv4::kUdp;
      header.id = peer;
      header.more_fragments = first;
      header.fragment_offset = first ? 0 : 800;
      Deliver(0,
              Ipv4Frame(ends, header,
                        first ? datagram.first(800) : datagram.subspan(800)));
    }
  }
  EXPECT_EQ(sent_.size(), 40u);
  for (const Sent& s : sent_) EXPECT_EQ(s.parsed.ethernet.vlan, 3);
}

}  // namespace
}  // namespace corelane::sim
