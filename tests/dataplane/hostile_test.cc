// What strangers may send in bulk, after the list of attacks that other stacks
// have fallen to. "Fine" always includes: every invariant holds, a legitimate
// peer is served meanwhile, and in the end every packet is back.
#include <gtest/gtest.h>

#include <vector>

#include "proto/base/rng.h"
#include "tests/dataplane/node_test.h"

namespace corelane::sim {
namespace {

using dataplane::DropReason;

class HostileTest : public NodeTest {
 protected:
  Frame Ip(uint8_t protocol, const std::vector<uint8_t>& options,
           const std::vector<uint8_t>& payload) {
    ipv4::Header header;
    header.protocol = protocol;
    std::vector<uint8_t> rest = options;
    rest.insert(rest.end(), payload.begin(), payload.end());
    Frame frame = Ipv4Frame(ends_, header, rest);
    frame[ethernet::kHeaderLength] =
        static_cast<uint8_t>(0x45 + options.size() / 4);
    FixChecksums(frame);
    return frame;
  }

  Frame Fragment(uint16_t id, uint16_t offset, uint16_t length, bool more,
                 uint8_t fill) {
    ipv4::Header header;
    header.protocol = ipv4::kUdp;
    header.id = id;
    header.fragment_offset = offset;
    header.more_fragments = more;
    std::vector<uint8_t> bytes(length, fill);
    if (offset == 0 && length >= 8) {
      udp::Write(bytes.data(), {9999, 7, 32, 0});  // no checksum
    }
    return Ipv4Frame(ends_, header, bytes);
  }
};

// Row 4: IPv4 options are checked, never acted upon and never reflected.
TEST_F(HostileTest, Ipv4Options) {
  const std::vector<uint8_t> payload(16, 0);
  Deliver(Ip(ipv4::kUdp, {131, 7, 4, 10, 9, 9, 9, 0}, payload));  // LSRR
  Deliver(Ip(ipv4::kUdp, {137, 7, 4, 10, 9, 9, 9, 0}, payload));  // SSRR
  EXPECT_EQ(Drops(DropReason::kIpv4SourceRoute), 2u);
  Deliver(Ip(ipv4::kUdp, {7, 0, 4, 0}, payload));      // length 0
  Deliver(Ip(ipv4::kUdp, {7, 1, 4, 0}, payload));      // length 1
  Deliver(Ip(ipv4::kUdp, {68, 40, 5, 0}, payload));    // past the end
  Deliver(Ip(ipv4::kUdp, {1, 1, 1, 7}, payload));      // no length at all
  Deliver(Ip(ipv4::kUdp, {131, 2, 131, 9}, payload));  // two source routes
  EXPECT_EQ(
      Drops(DropReason::kIpv4BadOption) + Drops(DropReason::kIpv4SourceRoute),
      7u);
  EXPECT_TRUE(sent_.empty());
  ExpectService(1000);
}

// Row 5: protocols inside protocols are not unpacked.
TEST_F(HostileTest, IpInIp) {
  const Frame inner = TcpFrame(ends_, Fields(1000));
  const std::vector<uint8_t> packet(inner.begin() + ethernet::kHeaderLength,
                                    inner.end());
  for (uint8_t protocol : {4, 41, 47, 132, 255}) {
    Deliver(Ip(protocol, {}, packet));
  }
  EXPECT_EQ(Drops(DropReason::kIpv4UnknownProtocol), 5u);
  for (const Frame& frame : sent_) {
    const ParsedFrame f = ParseFrame(frame);
    ASSERT_TRUE(f.is_icmp);  // protocol unreachable, within limits
    EXPECT_EQ(f.payload[0], 3);
    EXPECT_EQ(f.payload[1], 2);
  }
  ExpectService(1000);
}

// Row 8: overlapping fragments, in every shape, never make a mixed datagram.
TEST_F(HostileTest, Teardrop) {
  struct Shape {
    uint16_t offset;
    uint16_t length;
    bool more;
  };
  // The datagram is [0, 32); the second fragment of each pair overlaps the
  // first, [8, 24).
  const Shape shapes[] = {{8, 8, true},   {16, 8, true}, {0, 16, true},
                          {16, 16, true}, {0, 32, true}, {8, 24, false}};
  uint16_t id = 1;
  for (const Shape& shape : shapes) {
    Deliver(Fragment(id, 8, 16, true, 0xaa));
    Deliver(Fragment(id, shape.offset, shape.length, shape.more, 0xbb));
    Deliver(Fragment(id, 0, 8, true, 0xcc));
    Deliver(Fragment(id, 24, 8, false, 0xdd));
    ++id;
  }
  EXPECT_EQ(app_->datagrams(), 0u);
  // An exact repeat is harmless.
  Deliver(Fragment(id, 8, 24, false, 0xaa));
  Deliver(Fragment(id, 8, 24, false, 0xaa));
  Deliver(Fragment(id, 0, 8, true, 0));
  EXPECT_EQ(app_->datagrams(), 1u);
  // Past 65535, empty, and misaligned.
  Deliver(Fragment(++id, 65528, 100, false, 0));
  Deliver(Fragment(++id, 8, 0, true, 0));
  Deliver(Fragment(++id, 0, 13, true, 0));
  Pass(1s);
  EXPECT_EQ(app_->datagrams(), 1u);
  ExpectService(1000);
}

// Row 9 (CVE-2018-5391): first fragments from many sources pin a bounded
// number of packets, and none after the timeout.
TEST_F(HostileTest, FragmentSmack) {
  Rng rng(9);
  for (int i = 0; i < 20'000; ++i) {
    ends_.source = Ipv4Address(0x0a010000 + rng.Below(10'000));
    Deliver(Fragment(static_cast<uint16_t>(i), 0, 64, true, 0));
  }
  ends_.source = Ipv4Address(10, 0, 0, 2);
  EXPECT_LT(PacketsHeld(), node_->heap().capacity() / 2);
  ExpectService(1000);
  Pass(60s);
  EXPECT_LT(PacketsHeld(), 10u);
}

// Row 10 (CVE-2018-5390): every second byte, ahead of a gap, backwards.
TEST_F(HostileTest, SegmentSmack) {
  ASSERT_TRUE(Open(1000));
  ASSERT_TRUE(Open(1001));
  for (uint32_t i = 20'000; i > 0; --i) {
    TcpFields f = Fields(1000);
    f.seq += 1 + 2 * i;
    f.payload = {0x55};
    Deliver(TcpFrame(ends_, f));
    ASSERT_LT(PacketsHeld(), 200u);
  }
  EXPECT_TRUE(Echoes(1001));
  EXPECT_TRUE(Echoes(1000));
}

// Row 16 (CVE-2016-5696): what one connection is made to answer does not show
// in another's answers.
TEST_F(HostileTest, ChallengeAcksAreCountedPerConnection) {
  ASSERT_TRUE(Open(1000));
  ASSERT_TRUE(Open(1001));
  sent_.clear();
  for (uint32_t i = 0; i < 1000; ++i) {
    TcpFields f = Fields(1000);
    f.seq += 100 + i;
    f.flags = tcp::kRst;
    Deliver(TcpFrame(ends_, f));
  }
  EXPECT_EQ(sent_.size(), 1u);
  TcpFields f = Fields(1001);
  f.seq += 100;
  f.flags = tcp::kRst;
  Deliver(TcpFrame(ends_, f));
  EXPECT_EQ(sent_.size(), 2u);
  EXPECT_TRUE(Echoes(1000));
}

// Row 26: ARP from everybody does not evict the peer that is talked to.
TEST_F(HostileTest, ArpFlood) {
  ASSERT_TRUE(Open(1000));
  Rng rng(26);
  for (uint32_t i = 0; i < 10'000; ++i) {
    arp::Packet p;
    p.operation = rng.Below(2) == 0 ? arp::kRequest : arp::kReply;
    p.sender_mac = {{2, 9, 9, static_cast<uint8_t>(i >> 16),
                     static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
    p.sender = Ipv4Address(0x0a030000 + i);
    p.target = Ipv4Address(10, 0, 0, 1);
    Deliver(ArpFrame(ends_, p));
    if (i % 1000 == 0) {
      EXPECT_TRUE(Echoes(1000)) << i;
    }
  }
  EXPECT_LE(node_->pipeline().arp().cache(0).size(), 256u);
  EXPECT_TRUE(Echoes(1000));
}

// Packets to hosts that never answer ARP are held within a bound, and go.
TEST_F(HostileTest, DeadNeighbours) {
  ASSERT_TRUE(Open(1000));
  answer_arp_ = false;
  for (uint32_t i = 0; i < 3'000; ++i) {
    TcpFields f = Fields(1000);
    f.flags = tcp::kSyn;
    ends_.source = Ipv4Address(0x0a040000 + i);
    Deliver(TcpFrame(ends_, f));
  }
  ends_.source = Ipv4Address(10, 0, 0, 2);
  EXPECT_LT(PacketsHeld(), 2'000u);
  EXPECT_TRUE(Echoes(1000));
  answer_arp_ = true;
}

// The last packet is gone: nothing can be received or sent, and nothing
// breaks; when packets are back, so is the service.
TEST_F(HostileTest, NoPacketsLeft) {
  ASSERT_TRUE(Open(1000));
  node_->heap().set_failing(true);
  // Those in the pool's own stack are used up first.
  std::vector<dataplane::Packet*> taken;
  dataplane::PacketPool& pool = node_->pipeline().core().pool;
  while (dataplane::Packet* packet = pool.Alloc()) taken.push_back(packet);
  for (int i = 0; i < 100; ++i) Deliver(TcpFrame(ends_, Fields(1000)));
  EXPECT_GE(node_->port(0).no_packet(), 100u);
  for (dataplane::Packet* packet : taken) pool.Free(packet);
  node_->heap().set_failing(false);
  EXPECT_TRUE(Echoes(1000));
  ExpectService(1001);
}

}  // namespace
}  // namespace corelane::sim
