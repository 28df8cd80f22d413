// Several cores in one host: who gets which packet, and that it works.
#include "dataplane/steering/steering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "dataplane/app/echo.h"
#include "dataplane/steering/classify.h"
#include "proto/base/checksum.h"
#include "proto/icmp/message.h"
#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"

namespace corelane::dataplane {
namespace {

constexpr uint16_t kPort = 7;

class EchoOnAll final : public sim::SimApplication {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time now) override {
    echo_.OnConnections(ready, now);
  }
  void OnDatagrams(std::span<Datagram> datagrams, Time now) override {
    echo_.OnDatagrams(datagrams, now);
  }

 private:
  EchoApp echo_;
};

class SteeringTest : public testing::Test {
 protected:
  // Makes a host whose cores all listen on kPort.
  void Make(uint16_t cores, uint16_t queues, bool rss) {
    sim::NodeConfig config;
    InterfaceConfig interface;
    interface.name = "sim0";
    interface.mac = ends_.destination_mac;
    interface.addresses = {{ends_.destination, 24}};
    config.pipeline.interfaces = {interface};
    config.pipeline.arp.announcer.probe = false;
    config.pipeline.limits.max_connections = 20'000;
    config.pipeline.secrets = Secrets::FromSeed(11);
    config.cores = cores;
    config.queues = queues;
    config.rss = rss;
    node_ = std::make_unique<sim::Node>(config, now_);
    app_ = node_->Add(std::make_unique<EchoOnAll>());
    for (uint16_t i = 0; i < cores; ++i) {
      ASSERT_TRUE(node_->pipeline(i).tcp().Listen({}, kPort, app_).ok());
      ASSERT_TRUE(node_->pipeline(i).udp().Bind({}, kPort, app_).ok());
    }
    Settle();
    Introduce();
  }

  // Turns until nothing is under way at this moment.
  void Settle() {
    for (int i = 0; i < 50; ++i) {
      node_->Poll(now_);
      ASSERT_EQ(oracle_.Check(*node_), "");
      for (uint16_t core = 0; core < node_->cores(); ++core) {
        for (sim::Frame& f : node_->port(0, core).TakeSent()) {
          ASSERT_EQ(sim::CheckFrame(f, 1500), nullptr);
          sent_.push_back(std::move(f));
        }
      }
      if (node_->Due() > now_) return;
    }
  }
  void Deliver(const sim::Frame& frame) {
    node_->Deliver(0, frame);
    Settle();
  }
  // The stack learns our MAC address, whoever gets to see it.
  void Introduce() {
    arp::Packet arp;
    arp.operation = arp::kRequest;
    arp.sender_mac = ends_.source_mac;
    arp.sender = ends_.source;
    arp.target = ends_.destination;
    Deliver(sim::ArpFrame(ends_, arp));
    sent_.clear();
  }

  tcp::FlowKey Flow(uint16_t port) const {
    return {ends_.destination.value(), ends_.source.value(), kPort, port};
  }
  uint64_t Sum(uint64_t Counters::*counter) const {
    uint64_t sum = 0;
    for (uint16_t i = 0; i < node_->cores(); ++i) {
      sum += node_->pipeline(i).core().counters.*counter;
    }
    return sum;
  }
  sim::TcpFields Syn(uint16_t port) const {
    sim::TcpFields f;
    f.source_port = port;
    f.destination_port = kPort;
    f.seq = 100;
    f.flags = tcp::kSyn;
    return f;
  }

  const sim::Ends ends_ = {
      MacAddress({2, 0, 0, 0, 0, 1}), MacAddress({2, 0, 0, 0, 0, 2}),
      Ipv4Address(10, 77, 0, 1), Ipv4Address(10, 77, 0, 2)};
  const Time now_ = kTimeZero + 100s;
  std::unique_ptr<sim::Node> node_;
  uint16_t app_ = 0;
  sim::Oracle oracle_;
  std::vector<sim::Frame> sent_;
};

TEST_F(SteeringTest, OneQueueServesAllCores) {
  Make(3, 1, false);
  std::set<uint16_t> owners;
  for (uint16_t port = 5000; port < 5060; ++port) {
    Deliver(sim::TcpFrame(ends_, Syn(port)));
    owners.insert(node_->OwnerOf(Flow(port)));
  }
  EXPECT_EQ(owners.size(), 3u);
  EXPECT_EQ(sent_.size(), 60u);  // SYN-ACKs
  uint32_t requests = 0;
  for (uint16_t core = 0; core < 3; ++core) {
    const uint32_t n = node_->pipeline(core).tcp().requests().in_use();
    EXPECT_GT(n, 0u) << core;
    requests += n;
    // Only the first has the queue, by which everything comes in.
    const uint64_t steered = node_->pipeline(core).core().counters.steered;
    EXPECT_EQ(steered > 0, core == 0);
  }
  EXPECT_EQ(requests, 60u);
}

TEST_F(SteeringTest, NothingIsSteeredWhereTheDeviceSpreads) {
  Make(4, 4, true);
  for (uint16_t port = 5000; port < 5100; ++port) {
    Deliver(sim::TcpFrame(ends_, Syn(port)));
  }
  EXPECT_EQ(sent_.size(), 100u);
  EXPECT_EQ(Sum(&Counters::steered), 0u);
}

TEST_F(SteeringTest, ADeviceThatHashesOtherwiseIsNotBelieved) {
  Make(2, 2, true);
  for (uint16_t port = 5000; port < 5100; ++port) {
    const auto wrong = static_cast<size_t>(1 - node_->OwnerOf(Flow(port)));
    node_->port(0, wrong).Deliver(sim::TcpFrame(ends_, Syn(port)));
    Settle();
  }
  EXPECT_EQ(sent_.size(), 100u);
  EXPECT_EQ(Sum(&Counters::steered), 100u);
  EXPECT_EQ(Sum(&Counters::steering_mistrust), 2u);  // once a core
}

TEST_F(SteeringTest, ArpServesAllCores) {
  Make(3, 2, false);
  for (uint16_t core = 0; core < 3; ++core) {
    bool known = false;
    const arp::NeighborCache& cache = node_->pipeline(core).arp().cache(0);
    for (uint32_t i = 0; i < cache.capacity(); ++i) {
      const auto entry = cache.At(i, now_);
      known = known || (entry && entry->address == ends_.source);
    }
    EXPECT_TRUE(known) << core;
  }
  // One host, one announcement and one answer.
  EXPECT_LE(Sum(&Counters::arp_requests_out), 1u);
  EXPECT_EQ(Sum(&Counters::arp_replies_out), 1u);
  EXPECT_EQ(Sum(&Counters::arp_requests_in), 1u);
}

// Fragments have no ports; the datagram gets to its flow's core all the same.
TEST_F(SteeringTest, FragmentsReachTheOwnerOfTheirFlow) {
  Make(3, 2, false);
  for (uint16_t port = 5000; port < 5030; ++port) {
    std::vector<uint8_t> datagram(8 + 2000, 0x33);
    StoreBe16(datagram.data(), port);
    StoreBe16(datagram.data() + 2, kPort);
    StoreBe16(datagram.data() + 4, static_cast<uint16_t>(datagram.size()));
    StoreBe16(datagram.data() + 6, 0);  // no checksum
    const uint16_t owner = node_->OwnerOf(Flow(port));
    const Counters& counters = node_->pipeline(owner).core().counters;
    const uint64_t before = counters.reassembled;
    for (const bool first : {false, true}) {
      ipv4::Header header;
      header.protocol = ipv4::kUdp;
      header.id = port;
      header.more_fragments = first;
      header.fragment_offset = first ? 0 : 1000;
      const size_t at = first ? 0 : 1000;
      const size_t n = first ? 1000 : datagram.size() - 1000;
      Deliver(sim::Ipv4Frame(ends_, header, {datagram.data() + at, n}));
    }
    EXPECT_EQ(counters.reassembled, before + 1) << port;
  }
  EXPECT_EQ(Sum(&Counters::reassembled), 30u);
  EXPECT_EQ(Sum(&Counters::udp_out), 30u);
  EXPECT_EQ(Sum(&Counters::rx_packets), Sum(&Counters::delivered));
}

TEST_F(SteeringTest, IcmpErrorsGoToTheOwnerOfWhatTheyQuote) {
  Make(4, 1, false);
  for (uint16_t port = 5000; port < 5040; ++port) {
    // Of a segment of ours, as a router sends it.
    sim::TcpFields ours = Syn(kPort);
    ours.destination_port = port;
    const sim::Frame quoted = sim::TcpFrame(ends_.Reversed(), ours);
    std::vector<uint8_t> message = {icmp::kUnreachable, 1, 0, 0, 0, 0, 0, 0};
    message.insert(message.end(), quoted.begin() + 14,
                   quoted.begin() + 14 + 28);
    sim::Frame frame = sim::IcmpFrame(ends_, message);
    Packet packet = {};
    packet.buf_addr = frame.data();
    packet.data_len = static_cast<uint16_t>(frame.size());
    CoreGroup group(4, FlowMap(frame, {0, 1, 2, 3}));
    const Classified c = Classify(&packet, group.map());
    EXPECT_EQ(c.kind, FrameKind::kError);
    EXPECT_EQ(c.owner, group.map().OwnerOf(Flow(port)));
  }
}

TEST_F(SteeringTest, WhatCannotBeReadIsAnyones) {
  const sim::Frame whole = sim::TcpFrame(ends_, Syn(5000));
  const FlowMap map(whole, {0, 1, 2, 3});
  for (size_t length = 0; length < 14 + 20 + 4; ++length) {
    std::vector<uint8_t> cut(whole.begin(),
                             whole.begin() + static_cast<ptrdiff_t>(length));
    Packet packet = {};
    packet.buf_addr = cut.data();
    packet.data_len = static_cast<uint16_t>(length);
    EXPECT_EQ(Classify(&packet, map).kind, FrameKind::kAnyone) << length;
    EXPECT_FALSE(IsPlainFlow(&packet));
  }
}

// RFC 6056, and what every core needs: its own ports, enough of them.
TEST_F(SteeringTest, SixtyThousandConnectionsToOneDestination) {
  Make(4, 1, false);
  std::set<uint16_t> ports;
  uint32_t refused = 0;
  for (uint32_t i = 0; i < 66'000; ++i) {
    const auto core = static_cast<uint16_t>(i % 4);
    auto connection =
        node_->pipeline(core).tcp().Connect(ends_.source, 80, app_);
    if (!connection.ok()) {
      ASSERT_EQ(connection.status().code(),
                absl::StatusCode::kResourceExhausted);
      EXPECT_NE(connection.status().message().find("source ports"),
                absl::string_view::npos);
      if (++refused == 8) break;
      continue;
    }
    const tcp::FlowKey& key = connection->key();
    ASSERT_EQ(node_->OwnerOf(key), core);
    ASSERT_TRUE(ports.insert(key.local_port).second) << "a port twice";
    ASSERT_GE(key.local_port, 1024);
  }
  EXPECT_GE(ports.size(), 60'000u);
  EXPECT_EQ(refused, 8u);
}

TEST_F(SteeringTest, RefusesASourcePortOfAnotherCore) {
  Make(2, 1, false);
  uint32_t opened = 0;
  for (uint16_t port = 2000; port < 2100; ++port) {
    auto connection =
        node_->pipeline(0).tcp().Connect(ends_.source, 80, app_, {}, port);
    const bool mine = node_->OwnerOf({ends_.destination.value(),
                                      ends_.source.value(), port, 80}) == 0;
    EXPECT_EQ(connection.ok(), mine) << port;
    opened += connection.ok() ? 1 : 0;
  }
  EXPECT_GT(opened, 20u);
  EXPECT_LT(opened, 80u);
}

// Mail that nobody fetches.
TEST_F(SteeringTest, AFullMailboxDropsByName) {
  Make(1, 1, false);
  CoreGroup group(2, FlowMap(sim::TcpFrame(ends_, Syn(1)), {1, 1}));
  Pipeline& pipeline = node_->pipeline();
  Steering steering(&group, 0, &pipeline, {PortShare{}});
  // What the other core would do at its end.
  const sim::Frame frame = sim::TcpFrame(ends_, Syn(5000));
  const uint64_t before = pipeline.core().counters.rx_packets;
  for (uint32_t i = 0; i < Lane::kReceived + 10; ++i) {
    Packet* packet = pipeline.core().pool.Alloc();
    ASSERT_NE(packet, nullptr);
    std::copy(frame.begin(), frame.end(),
              Append(packet, static_cast<uint16_t>(frame.size())));
    EXPECT_EQ(steering.Sort(0, {&packet, 1}), 0);
  }
  const Counters& c = pipeline.core().counters;
  EXPECT_EQ(c.steered, Lane::kReceived);
  EXPECT_EQ(c.drops[static_cast<size_t>(DropReason::kSteeringFull)], 10u);
  EXPECT_EQ(c.rx_packets, before + 10);
  SpscRing<Mail>& ring = group.lane(0, 1).received;
  ring.Publish();
  while (ring.Available() > 0) {
    pipeline.core().pool.Free(ring.At(0).packet);
    ring.Pop(1);
  }
}

}  // namespace
}  // namespace corelane::dataplane
