// Several gateways to one network.
#include <array>
#include <set>

#include "proto/icmp/message.h"
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using Mac = std::array<uint8_t, 6>;

class EcmpTest : public NetworkTest {
 protected:
  // Two gateways behind one card, one behind the other.
  void SetUp() override {
    for (const char* gateway : {"10.1.0.1", "10.1.0.2", "10.2.0.1"}) {
      AddRoute("0.0.0.0/0", gateway);
      AddHost(gateway);
    }
    Make({"10.1.0.9/24", "10.2.0.9/24"});
  }
  // The gateways that what was sent since went to.
  std::set<Mac> Ways() {
    std::set<Mac> ways;
    for (const Sent& s : sent_)
      ways.insert(s.parsed.ethernet.destination.bytes);
    return ways;
  }
  static Mac Way(const char* gateway) {
    return HostMac(*ParseIpv4(gateway)).bytes;
  }
};

// SYN-ACKs repeat until they are given up; all of a flow's go one way, by the
// card that was asked.
TEST_F(EcmpTest, AConnectionKeepsToItsWay) {
  std::set<Mac> all;
  for (uint16_t port = 1000; port < 1040; ++port) {
    sent_.clear();
    Deliver(0, TcpFrame(From("198.18.0.1", "10.1.0.9"), Syn(port)));
    Pass(10s);
    ASSERT_GE(sent_.size(), 3u);
    ASSERT_EQ(Ways().size(), 1u);
    all.merge(Ways());
    for (const Sent& s : sent_) {
      EXPECT_EQ(s.card, 0u);
      EXPECT_TRUE(s.parsed.tcp.Has(tcp::kSyn));
    }
    // A segment out of nothing is refused on the same way.
    const Mac way = *Ways().begin();
    Pass(200s);
    sent_.clear();
    TcpFields stray = Syn(port);
    stray.flags = tcp::kAck;
    Deliver(0, TcpFrame(From("198.18.0.1", "10.1.0.9"), stray));
    Pass(0s);
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_TRUE(sent_[0].parsed.tcp.Has(tcp::kRst));
    EXPECT_EQ(sent_[0].parsed.ethernet.destination.bytes, way);
  }
  EXPECT_EQ(all, (std::set{Way("10.1.0.1"), Way("10.1.0.2")}));
}

TEST_F(EcmpTest, TheSourceChoosesTheCard) {
  for (uint16_t port = 1000; port < 1020; ++port) {
    Deliver(1, TcpFrame(From("198.18.0.1", "10.2.0.9", 1), Syn(port)));
  }
  EXPECT_EQ(sent_.size(), 20u);
  EXPECT_EQ(Ways(), std::set{Way("10.2.0.1")});
}

TEST_F(EcmpTest, WhatWeOpenSpreadsOverCards) {
  std::set<uint32_t> sources;
  for (int i = 0; i < 30; ++i) {
    const auto c =
        node_->pipeline().tcp().Connect(Ipv4Address(198, 18, 0, 1), 80, app_);
    ASSERT_TRUE(c.ok());
    sources.insert(c->key().local_address);
  }
  Pass(0s);
  EXPECT_EQ(sources.size(), 2u);
  EXPECT_EQ(Ways().size(), 3u);
  for (const Sent& s : sent_) {
    EXPECT_EQ(s.card, s.parsed.ip.source == Ipv4Address(10, 1, 0, 9) ? 0u : 1u);
  }
}

// A reply in fragments, and one in one piece.
TEST_F(EcmpTest, AllFragmentsOfADatagramGoOneWay) {
  std::set<Mac> all;
  for (uint8_t host = 1; host < 20; ++host) {
    sent_.clear();
    const Ends ends = {MacAddress{Way("10.1.0.1")}, CardMac(0),
                       Ipv4Address(198, 18, 1, host), Ipv4Address(10, 1, 0, 9)};
    std::vector<uint8_t> message(3000);
    message[0] = icmp::kEchoRequest;
    const Frame whole = IcmpFrame(ends, message);
    for (const bool first : {true, false}) {
      ipv4::Header header;
      header.protocol = ipv4::kIcmp;
      header.id = host;
      header.more_fragments = first;
      header.fragment_offset = first ? 0 : 1480;
      const ByteView payload(whole.data() + 34, 3000);
      Deliver(0,
              Ipv4Frame(ends, header,
                        first ? payload.first(1480) : payload.subspan(1480)));
    }
    Deliver(0, IcmpFrame(ends, {icmp::kEchoRequest, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(sent_.size(), 4u);
    EXPECT_EQ(Ways().size(), 1u);
    all.merge(Ways());
  }
  EXPECT_EQ(all.size(), 2u);
}

// What we say about a datagram takes the way that its answer would have.
TEST_F(EcmpTest, ErrorsGoTheWayOfTheirFlow) {
  for (uint16_t port = 1000; port < 1020; ++port) {
    const Ends ends = From("198.18.0.1", "10.1.0.9");
    sent_.clear();
    Deliver(0, UdpFrame(ends, port, 9, {}));
    ASSERT_EQ(sent_.size(), 1u);
    ASSERT_TRUE(sent_[0].parsed.is_icmp);
    auto socket = node_->pipeline().udp().Bind({}, 9, app_);
    ASSERT_TRUE(socket.ok());
    EXPECT_TRUE(socket->SendTo({ends.source, port}, {}, ends.destination).ok());
    socket->Close();
    Pass(1s);
    ASSERT_EQ(sent_.size(), 2u);
    EXPECT_TRUE(sent_[1].parsed.is_udp);
    EXPECT_EQ(Ways().size(), 1u);
  }
}

TEST_F(EcmpTest, ADeadGatewayIsAvoidedUntilItIsBack) {
  auto ask = [&](uint16_t from) {
    for (uint16_t port = from; port < from + 40; ++port) {
      Deliver(0, TcpFrame(From("198.18.0.1", "10.1.0.9"), Syn(port)));
    }
  };
  Kill("10.1.0.2");
  ask(1000);
  EXPECT_EQ(Ways(), std::set{Way("10.1.0.1")});
  EXPECT_LT(sent_.size(), 40u);
  // Those that waited for it repeat their SYN-ACK over the other.
  Pass(10s);
  std::set<uint16_t> answered;
  for (const Sent& s : sent_) answered.insert(s.parsed.tcp.destination_port);
  EXPECT_EQ(answered.size(), 40u);
  EXPECT_EQ(Ways(), std::set{Way("10.1.0.1")});
  sent_.clear();
  Pass(100s);
  sent_.clear();
  ask(2000);
  EXPECT_EQ(sent_.size(), 40u);  // at once
  // It is asked for now and then, and used when it answers.
  const uint32_t asked = asked_;
  Pass(100s);
  EXPECT_GT(asked_, asked + 20);
  EXPECT_LT(asked_, asked + 100);
  AddHost("10.1.0.2");
  Pass(10s);
  EXPECT_FALSE(node_->pipeline().ip().routes().any_dead());
  sent_.clear();
  ask(3000);
  EXPECT_EQ(sent_.size(), 40u);
  EXPECT_EQ(Ways(), (std::set{Way("10.1.0.1"), Way("10.1.0.2")}));
}

// A route more or less while it runs: what was known of gateways stays known.
TEST_F(EcmpTest, ReconfiguringKeepsWhatIsKnownOfGateways) {
  Kill("10.1.0.2");
  for (uint16_t port = 1000; port < 1020; ++port) {
    Deliver(0, TcpFrame(From("198.18.0.1", "10.1.0.9"), Syn(port)));
  }
  Pass(5s);
  ASSERT_TRUE(node_->pipeline().ip().routes().any_dead());
  dataplane::NetworkConfig network;
  for (const auto& interface : config_.pipeline.interfaces) {
    network.addresses.push_back(interface.addresses);
  }
  network.routes = config_.pipeline.routes;
  network.routes.push_back(
      {*ParseIpv4Prefix("198.18.0.0/15"), Ipv4Address(10, 1, 0, 2)});
  EXPECT_TRUE(node_->pipeline().Reconfigure(network).ok());
  EXPECT_TRUE(node_->pipeline().ip().routes().any_dead());
  network.routes.push_back(network.routes.back());
  EXPECT_FALSE(node_->pipeline().Reconfigure(network).ok());
}

}  // namespace
}  // namespace corelane::sim
