// A host with two cards: whose address is it?
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using dataplane::DropReason;

class HostModelTest : public NetworkTest {
 protected:
  void MakeHost(bool weak) {
    config_.pipeline.weak_host = weak;
    for (const char* host : {"10.1.0.1", "10.2.0.1"}) AddHost(host);
    AddRoute("0.0.0.0/0", "10.1.0.1");
    Make({"10.1.0.9/24", "10.2.0.9/24"});
  }
  // For an address of card 1, by card `card`.
  Ends For(size_t card) {
    return From(card == 1 ? "10.2.0.1" : "10.1.0.1", "10.2.0.9", card);
  }
};

TEST_F(HostModelTest, StrongRefusesWhatComesByAnotherCard) {
  MakeHost(false);
  const Ends other = For(0);
  Deliver(0, TcpFrame(other, Syn(1000)));
  Deliver(0, UdpFrame(other, 1000, 7, {}));
  Deliver(0, UdpFrame(other, 1000, 9, {}));  // nor an ICMP error
  Deliver(0, IcmpFrame(other, {8, 0, 0, 0, 0, 0, 0, 0}));
  TcpFields fragmented = Syn(1001);
  Frame options = TcpFrame(other, fragmented);
  options[20] |= 0x20;  // more fragments
  FixChecksums(options);
  Deliver(0, options);
  Pass(60s);
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(Drops(DropReason::kIpv4OtherPort), 5u);
  EXPECT_EQ(node_->pipeline().tcp().requests().in_use(), 0u);
  Deliver(0, TcpFrame(From("10.1.0.1", "10.3.0.9"), Syn(1000)));
  EXPECT_EQ(Drops(DropReason::kIpv4NotForUs), 1u);
  Deliver(1, TcpFrame(For(1), Syn(1000)));
  Deliver(0, TcpFrame(From("10.1.0.1", "10.1.0.9"), Syn(1000)));
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(HostModelTest, StrongDoesNotSayWhereAnAddressIs) {
  MakeHost(false);
  Deliver(0, ArpFrame(For(0), Request(For(0))));
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(Drops(DropReason::kArpNotForUs), 1u);
  Deliver(1, ArpFrame(For(1), Request(For(1))));
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].card, 1u);
}

TEST_F(HostModelTest, WeakTakesItFromEveryCard) {
  MakeHost(true);
  Deliver(0, ArpFrame(For(0), Request(For(0))));
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].card, 0u);
  EXPECT_EQ(sent_[0].parsed.arp.sender_mac, CardMac(0));
  EXPECT_EQ(sent_[0].parsed.arp.sender, Ipv4Address(10, 2, 0, 9));
  sent_.clear();
  Deliver(0, TcpFrame(For(0), Syn(1000)));
  Deliver(0, UdpFrame(For(0), 1000, 7, {}));
  Deliver(0, IcmpFrame(For(0), {8, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(sent_.size(), 3u);
  for (const Sent& s : sent_) {
    EXPECT_EQ(s.card, 0u);
    EXPECT_EQ(s.parsed.ip.source, Ipv4Address(10, 2, 0, 9));
  }
  EXPECT_EQ(Drops(DropReason::kIpv4OtherPort), 0u);
}

// Our own address as a stranger's: refused by every card in both models.
TEST_F(HostModelTest, NobodyElseHasAnAddressOfOurs) {
  MakeHost(false);
  Deliver(0, TcpFrame(From("10.2.0.9", "10.1.0.9"), Syn(1000)));
  EXPECT_EQ(Drops(DropReason::kIpv4BadSource), 1u);
  EXPECT_TRUE(sent_.empty());
}

}  // namespace
}  // namespace corelane::sim
