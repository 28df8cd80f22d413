// UDP sockets that only one of several cores has.
#include <set>

#include "proto/icmp/message.h"
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using dataplane::Datagram;
using dataplane::DatagramError;
using dataplane::DropReason;
using dataplane::UdpSocket;

class Keeper final : public SimApplication {
 public:
  void OnConnections(std::span<dataplane::ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  void OnDatagrams(std::span<Datagram> datagrams, Time /*now*/) override {
    for (const Datagram& d : datagrams) from.insert(d.remote.port);
  }
  void OnDatagramError(const DatagramError& error) override {
    errors.insert(error.remote.port);
  }
  std::set<uint16_t> from;
  std::set<uint16_t> errors;
};

class UdpCoresTest : public NetworkTest {
 protected:
  void SetUp() override {
    config_.cores = 3;
    AddHost("10.1.0.1");
    Make({"10.1.0.9/24"});
    auto keeper = std::make_unique<Keeper>();
    keeper_ = keeper.get();
    number_ = node_->Add(std::move(keeper));
  }
  UdpSocket Bind(uint16_t core, uint16_t port = 0) {
    auto socket = node_->pipeline(core).udp().Bind({}, port, number_);
    EXPECT_TRUE(socket.ok());
    return *socket;
  }
  uint16_t PortOf(uint16_t core, UdpSocket socket) {
    return node_->pipeline(core).udp().sockets()[socket.index()].port;
  }
  void ExpectAccounted() {
    uint64_t received = 0;
    uint64_t ended = 0;
    for (uint16_t core = 0; core < 3; ++core) {
      const auto& c = node_->pipeline(core).core().counters;
      received += c.rx_packets;
      ended += c.delivered + c.Drops();
    }
    EXPECT_EQ(received, ended);
  }

  const Ends ends_ = From("10.1.0.1", "10.1.0.9");
  Keeper* keeper_ = nullptr;
  uint16_t number_ = 0;
};

TEST_F(UdpCoresTest, APortOfOnesOwnChoiceIsHeardFromEverybody) {
  for (uint16_t core = 0; core < 3; ++core) {
    const uint16_t port = PortOf(core, Bind(core));
    keeper_->from.clear();
    for (uint16_t peer = 5000; peer < 5060; ++peer) {
      Deliver(0, UdpFrame(ends_, peer, port, {}));
    }
    EXPECT_EQ(keeper_->from.size(), 60u) << core;
  }
  EXPECT_EQ(Drops(DropReason::kUdpNoSocket), 0u);
  EXPECT_TRUE(sent_.empty());
  ExpectAccounted();
}

TEST_F(UdpCoresTest, FragmentsAndErrorsFindItToo) {
  const uint16_t port = PortOf(2, Bind(2));
  for (uint16_t peer = 5000; peer < 5020; ++peer) {
    std::vector<uint8_t> datagram(8 + 2000, 0x33);
    StoreBe16(datagram.data(), peer);
    StoreBe16(datagram.data() + 2, port);
    StoreBe16(datagram.data() + 4, static_cast<uint16_t>(datagram.size()));
    StoreBe16(datagram.data() + 6, 0);  // no checksum
    for (const bool first : {true, false}) {
      ipv4::Header header;
      header.protocol = ipv4::kUdp;
      header.id = peer;
      header.more_fragments = first;
      header.fragment_offset = first ? 0 : 1000;
      const ByteView bytes(datagram);
      Deliver(0, Ipv4Frame(ends_, header,
                           first ? bytes.first(1000) : bytes.subspan(1000)));
    }
    const Frame ours = UdpFrame(ends_.Reversed(), port, peer, {});
    std::vector<uint8_t> message = {
        icmp::kUnreachable, icmp::kPortUnreachable, 0, 0, 0, 0, 0, 0};
    message.insert(message.end(), ours.begin() + 14, ours.end());
    Deliver(0, IcmpFrame(ends_, message));
  }
  EXPECT_EQ(keeper_->from.size(), 20u);
  EXPECT_EQ(keeper_->errors.size(), 20u);
  ExpectAccounted();
}

TEST_F(UdpCoresTest, APortForAPeerBringsItsAnswersHere) {
  const dataplane::UdpEndpoint peer{Ipv4Address(10, 1, 0, 1), 53};
  std::set<uint16_t> ports;
  for (uint16_t core = 0; core < 3; ++core) {
    dataplane::Pipeline& pipeline = node_->pipeline(core);
    for (int i = 0; i < 20; ++i) {
      auto socket = pipeline.udp().BindFor(peer, number_);
      ASSERT_TRUE(socket.ok());
      const uint16_t port = PortOf(core, *socket);
      ports.insert(port);
      EXPECT_EQ(pipeline.core().steering->map().OwnerOf(
                    {.local_address = Ipv4Address(10, 1, 0, 9).value(),
                     .remote_address = peer.address.value(),
                     .local_port = port,
                     .remote_port = peer.port}),
                core);
    }
  }
  EXPECT_EQ(ports.size(), 60u);
  // Without a route there is no way for answers either.
  EXPECT_TRUE(node_->pipeline(1)
                  .udp()
                  .BindFor({Ipv4Address(192, 168, 1, 1), 53}, number_)
                  .ok());
}

TEST_F(UdpCoresTest, NoTwoCoresChooseOnePortAndAClosedOneIsNobodys) {
  std::set<uint16_t> ports;
  std::vector<UdpSocket> sockets;
  for (int i = 0; i < 3000; ++i) {
    const auto core = static_cast<uint16_t>(i % 3);
    sockets.push_back(Bind(core));
    ports.insert(PortOf(core, sockets.back()));
  }
  EXPECT_EQ(ports.size(), 3000u);
  const uint16_t port = PortOf(0, sockets[0]);
  sockets[0].Close();
  for (uint16_t peer = 5000; peer < 5010; ++peer) {
    Deliver(0, UdpFrame(ends_, peer, port, {}));
  }
  EXPECT_EQ(Drops(DropReason::kUdpNoSocket), 10u);
  // On several cores again: each flow's owner has its own.
  for (uint16_t core = 0; core < 3; ++core) Bind(core, port);
  keeper_->from.clear();
  for (uint16_t peer = 5000; peer < 5040; ++peer) {
    Deliver(0, UdpFrame(ends_, peer, port, {}));
  }
  EXPECT_EQ(keeper_->from.size(), 40u);
  for (uint16_t core = 0; core < 3; ++core) {
    const auto& all = node_->pipeline(core).udp().sockets();
    uint64_t in = 0;
    for (const auto& s : all) in += s.port == port ? s.datagrams_in : 0;
    EXPECT_GT(in, 0u) << core;
  }
  ExpectAccounted();
}

}  // namespace
}  // namespace corelane::sim
