#include "dataplane/pipeline/icmp_layer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/sim/frames.h"
#include "tests/sim/node.h"

namespace corelane::dataplane {
namespace {

const sim::Ends kEnds = {MacAddress({2, 0, 0, 0, 0, 1}),
                         MacAddress({2, 0, 0, 0, 0, 2}),
                         Ipv4Address(10, 77, 0, 1), Ipv4Address(10, 77, 0, 2)};

sim::NodeConfig Config() {
  InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = kEnds.destination_mac;
  interface.addresses = {{kEnds.destination, 24}};
  sim::NodeConfig config;
  config.pipeline.interfaces = {interface};
  config.pipeline.arp.announcer.probe = false;
  return config;
}

// The answer to an echo request with so many bytes of ICMP: its fragments.
std::vector<sim::ParsedFrame> Ping(sim::Node& node, size_t size,
                                   std::vector<sim::Frame>& frames) {
  arp::Packet own;
  own.operation = arp::kReply;
  own.sender_mac = kEnds.source_mac;
  own.sender = kEnds.source;
  own.target_mac = kEnds.destination_mac;
  own.target = kEnds.destination;
  node.Poll(kTimeZero + 1s);
  std::vector<uint8_t> message(size, 0x5a);
  message[0] = 8;
  message[1] = 0;
  node.port(0).Deliver(sim::IcmpFrame(kEnds, message));
  node.Poll(kTimeZero + 1s);
  // It has to ask for our MAC address first.
  node.port(0).Deliver(sim::ArpFrame(kEnds, own));
  node.Poll(kTimeZero + 1s);
  frames = node.port(0).TakeSent();
  std::vector<sim::ParsedFrame> parsed;
  for (const sim::Frame& frame : frames) {
    EXPECT_EQ(sim::CheckFrame(frame, 1500), nullptr);
    const sim::ParsedFrame one = sim::ParseFrame(frame);
    if (one.is_ipv4) parsed.push_back(one);
  }
  return parsed;
}

TEST(IcmpLayerTest, TurnsAnEchoRequestRound) {
  sim::Node node(Config(), kTimeZero + 1s);
  std::vector<sim::Frame> frames;
  const auto replies = Ping(node, 1480, frames);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].ip_payload.size(), 1480u);
  EXPECT_TRUE(node.AllPacketsBack());
}

TEST(IcmpLayerTest, CutsAReplyThatIsLargerThanTheMtu) {
  sim::Node node(Config(), kTimeZero + 1s);
  std::vector<sim::Frame> frames;
  const auto replies = Ping(node, 1700, frames);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].ip_payload.size() + replies[1].ip_payload.size(), 1700u);
  EXPECT_TRUE(replies[0].ip.more_fragments);
  EXPECT_FALSE(replies[1].ip.more_fragments);
  EXPECT_TRUE(node.AllPacketsBack());
}

}  // namespace
}  // namespace corelane::dataplane
