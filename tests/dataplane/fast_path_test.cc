// What the short ways remember has to be forgotten in time: accepted addresses,
// sockets, routes and MAC addresses.
#include <gtest/gtest.h>

#include <vector>

#include "dataplane/app/echo.h"
#include "tests/dataplane/node_test.h"

namespace corelane::sim {
namespace {

class FastPathTest : public NodeTest {
 protected:
  static constexpr uint16_t kEcho = 4007;

  FastPathTest() {
    dataplane::Pipeline& pipeline = node_->pipeline();
    const uint16_t number = pipeline.AddApplication(&echo_);
    socket_ = *pipeline.udp().Bind({}, kEcho, number);
  }

  // The frames that answer a datagram from `from`.
  std::vector<Frame> Ask(const Ends& from, size_t size = 21) {
    sent_.clear();
    Deliver(UdpFrame(from, 5000, kEcho, std::vector<uint8_t>(size, 0x5a)));
    return std::move(sent_);
  }
  void ExpectEcho(const Ends& from, const MacAddress& to, size_t size = 21) {
    const std::vector<Frame> frames = Ask(from, size);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(CheckFrame(frames[0], 1500), nullptr);
    const ParsedFrame f = ParseFrame(frames[0]);
    ASSERT_TRUE(f.is_udp);
    EXPECT_EQ(f.ethernet.destination, to);
    EXPECT_EQ(f.ip.source, from.destination);
    EXPECT_EQ(f.ip.destination, from.source);
    EXPECT_EQ(f.ip.ttl, ipv4::kDefaultTtl);
    EXPECT_EQ(f.udp.source_port, kEcho);
    EXPECT_EQ(f.udp.destination_port, 5000);
    EXPECT_EQ(f.payload.size(), size);
  }
  uint64_t SentDatagrams() { return node_->pipeline().core().counters.udp_out; }

  dataplane::EchoApp echo_;
  dataplane::UdpSocket socket_;
};

TEST_F(FastPathTest, EchoesDatagramsOfAllSizes) {
  for (size_t size : {0u, 1u, 2u, 18u, 255u, 1471u, 1472u}) {
    SCOPED_TRACE(size);
    ExpectEcho(ends_, ends_.source_mac, size);
  }
  EXPECT_EQ(SentDatagrams(), 7u);
}

TEST_F(FastPathTest, FollowsAChangedMacAddress) {
  ExpectEcho(ends_, ends_.source_mac);
  ExpectEcho(ends_, ends_.source_mac);
  ExpectService(2000);
  Pass(5s);
  Ends moved = ends_;
  moved.source_mac = MacOf(9, 0);
  arp::Packet news;
  news.operation = arp::kReply;
  news.sender_mac = moved.source_mac;
  news.sender = news.target = moved.source;
  news.target_mac = MacAddress::Broadcast();
  Ends all = moved;
  all.destination_mac = MacAddress::Broadcast();
  Deliver(ArpFrame(all, news));
  ends_ = moved;
  ExpectEcho(moved, moved.source_mac);
  sent_.clear();
  EXPECT_TRUE(Echoes(2000));
  for (const Frame& frame : sent_) {
    EXPECT_EQ(ParseFrame(frame).ethernet.destination, moved.source_mac);
  }
}

TEST_F(FastPathTest, ForgetsAddressesThatAreGone) {
  ExpectEcho(ends_, ends_.source_mac);
  ASSERT_TRUE(node_->pipeline()
                  .Reconfigure({{{{Ipv4Address(10, 0, 0, 9), 8}}}, {}})
                  .ok());
  EXPECT_TRUE(Ask(ends_).empty());
  EXPECT_EQ(Drops(dataplane::DropReason::kIpv4NotForUs), 1u);
  Pass(10s);  // probed for
  Ends other = ends_;
  other.destination = Ipv4Address(10, 0, 0, 9);
  ExpectEcho(other, other.source_mac);
}

TEST_F(FastPathTest, TakesANewRoute) {
  Ends far = ends_;
  far.source = Ipv4Address(11, 0, 0, 1);
  EXPECT_TRUE(Ask(far).empty());  // no route
  const dataplane::NetworkConfig network = {
      {{{Ipv4Address(10, 0, 0, 1), 8}}},
      {{{Ipv4Address(11, 0, 0, 0), 8}, ends_.source}}};
  ASSERT_TRUE(node_->pipeline().Reconfigure(network).ok());
  ExpectEcho(far, ends_.source_mac);
  ExpectEcho(far, ends_.source_mac);
}

TEST_F(FastPathTest, ForgetsSockets) {
  ExpectEcho(ends_, ends_.source_mac);
  socket_.Connect({Ipv4Address(10, 0, 0, 3), 5000});
  EXPECT_TRUE(ParseFrame(Ask(ends_).at(0)).is_icmp);
  socket_.Disconnect();
  ExpectEcho(ends_, ends_.source_mac);
  socket_.Close();
  EXPECT_TRUE(ParseFrame(Ask(ends_).at(0)).is_icmp);
  EXPECT_EQ(Drops(dataplane::DropReason::kUdpNoSocket), 2u);
}

// A connected socket of one address stands before one that hears everybody.
TEST_F(FastPathTest, AConnectedSocketHearsItsPeer) {
  dataplane::Pipeline& pipeline = node_->pipeline();
  dataplane::DiscardApp discard;
  const uint16_t number = pipeline.AddApplication(&discard);
  auto own = *pipeline.udp().Bind(ends_.destination, kEcho, number);
  own.Connect({Ipv4Address(10, 0, 0, 3), 5000});
  ExpectEcho(ends_, ends_.source_mac);
  ExpectEcho(ends_, ends_.source_mac);
  Ends peer = ends_;
  peer.source = Ipv4Address(10, 0, 0, 3);
  EXPECT_TRUE(Ask(peer).empty());
  EXPECT_EQ(pipeline.udp().sockets()[own.index()].datagrams_in, 1u);
  own.Close();
}

TEST_F(FastPathTest, RefusesWhatIsBroken) {
  Frame frame = UdpFrame(ends_, 5000, kEcho, std::vector<uint8_t>(20, 1));
  frame.back() ^= 1;
  Deliver(frame);
  EXPECT_EQ(Drops(dataplane::DropReason::kUdpBadChecksum), 1u);
  EXPECT_EQ(SentDatagrams(), 0u);
}

}  // namespace
}  // namespace corelane::sim
