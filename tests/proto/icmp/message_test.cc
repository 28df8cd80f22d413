#include "proto/icmp/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "proto/base/checksum.h"
#include "proto/base/rng.h"
#include "proto/ipv4/header.h"

namespace corelane::icmp {
namespace {

std::vector<uint8_t> DatagramOf(uint8_t protocol, uint16_t total_length) {
  ipv4::Header h;
  h.source = Ipv4Address(10, 0, 0, 1);
  h.destination = Ipv4Address(10, 0, 0, 2);
  h.protocol = protocol;
  h.total_length = total_length;
  std::vector<uint8_t> packet(total_length);
  for (size_t i = 20; i < packet.size(); ++i) {
    packet[i] = static_cast<uint8_t>(i);
  }
  ipv4::Write(packet.data(), h);
  return packet;
}

TEST(IcmpMessageTest, EchoRequestBecomesReply) {
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint8_t> message(8 + rng.Below(70));
    for (uint8_t& b : message) b = static_cast<uint8_t>(rng.Next32());
    WriteEchoRequest(message, 0x1234, static_cast<uint16_t>(i));
    Message m;
    ASSERT_EQ(Parse(message, true, m), ParseStatus::kOk);
    EXPECT_EQ(m.type, kEchoRequest);
    TurnEchoRequestIntoReply(message.data());
    ASSERT_EQ(Parse(message, true, m), ParseStatus::kOk);
    EXPECT_EQ(m.type, kEchoReply);
    EXPECT_EQ(m.identifier(), 0x1234);
    EXPECT_EQ(m.sequence(), i);
    EXPECT_EQ(m.body.size(), message.size() - 8);
  }
}

TEST(IcmpMessageTest, Refused) {
  std::vector<uint8_t> message(16);
  WriteEchoRequest(message, 1, 2);
  Message m;
  for (size_t n = 0; n < 8; ++n) {
    EXPECT_EQ(Parse({message.data(), n}, true, m), ParseStatus::kTruncated);
  }
  message[12] ^= 1;
  EXPECT_EQ(Parse(message, true, m), ParseStatus::kBadChecksum);
  EXPECT_EQ(Parse(message, false, m), ParseStatus::kOk);
}

TEST(IcmpMessageTest, UnknownTypesMayBeErrors) {
  EXPECT_FALSE(MayBeError(kEchoRequest));
  EXPECT_FALSE(MayBeError(kEchoReply));
  EXPECT_TRUE(MayBeError(kUnreachable));
  EXPECT_TRUE(MayBeError(kSourceQuench));
  EXPECT_TRUE(MayBeError(kRedirect));
  EXPECT_TRUE(MayBeError(kTimeExceeded));
  EXPECT_TRUE(MayBeError(kParameterProblem));
  EXPECT_TRUE(MayBeError(200));
}

TEST(IcmpMessageTest, ErrorQuotesTheWholeOfSmallDatagrams) {
  std::vector<uint8_t> offending = DatagramOf(ipv4::kUdp, 40);
  offending.resize(46, 0xee);  // Ethernet padding
  std::vector<uint8_t> out(1500);
  const uint16_t length = WriteError(out, Error{}, offending);
  EXPECT_EQ(length, 8 + 40);
  Message m;
  ASSERT_EQ(Parse({out.data(), length}, true, m), ParseStatus::kOk);
  EXPECT_EQ(m.type, kUnreachable);
  EXPECT_EQ(m.code, kPortUnreachable);
  EXPECT_EQ(m.rest, 0u);
  EXPECT_TRUE(std::equal(m.body.begin(), m.body.end(), offending.begin()));
}

TEST(IcmpMessageTest, ErrorStaysWithin576Bytes) {
  const std::vector<uint8_t> offending = DatagramOf(ipv4::kTcp, 1500);
  std::vector<uint8_t> out(1500);
  const Error error{kUnreachable, kFragmentationNeeded, 1280};
  const uint16_t length = WriteError(out, error, offending);
  EXPECT_EQ(20 + length, 576);
  Message m;
  ASSERT_EQ(Parse({out.data(), length}, true, m), ParseStatus::kOk);
  EXPECT_EQ(m.next_hop_mtu(), 1280);
}

TEST(IcmpMessageTest, ErrorNeedsRoomForHeaderAndEightBytes) {
  const std::vector<uint8_t> offending = DatagramOf(ipv4::kUdp, 100);
  for (size_t room = 0; room < 36; ++room) {
    std::vector<uint8_t> out(room);
    EXPECT_EQ(WriteError(out, Error{}, offending), 0) << room;
  }
  std::vector<uint8_t> out(36);
  EXPECT_EQ(WriteError(out, Error{}, offending), 36);
  // A datagram that is shorter than that is quoted whole.
  EXPECT_EQ(WriteError(out, Error{}, DatagramOf(ipv4::kUdp, 24)), 32);
}

TEST(IcmpMessageTest, QuotedTcp) {
  std::vector<uint8_t> inner = DatagramOf(ipv4::kTcp, 60);
  StoreBe16(inner.data() + 20, 4000);
  StoreBe16(inner.data() + 22, 80);
  StoreBe32(inner.data() + 24, 0xfedcba98);
  QuotedPacket q;
  ASSERT_EQ(ParseQuoted({inner.data(), 28}, q), QuoteStatus::kOk);
  EXPECT_EQ(q.source, Ipv4Address(10, 0, 0, 1));
  EXPECT_EQ(q.destination, Ipv4Address(10, 0, 0, 2));
  EXPECT_EQ(q.protocol, ipv4::kTcp);
  EXPECT_EQ(q.total_length, 60);
  EXPECT_TRUE(q.first_fragment);
  ASSERT_TRUE(q.has_ports);
  EXPECT_EQ(q.source_port, 4000);
  EXPECT_EQ(q.destination_port, 80);
  ASSERT_TRUE(q.has_seq);
  EXPECT_EQ(q.seq, SeqNum(0xfedcba98));
  EXPECT_EQ(q.transport.size(), 8u);
}

TEST(IcmpMessageTest, QuotedAtEveryLength) {
  const std::vector<uint8_t> inner = DatagramOf(ipv4::kTcp, 60);
  for (size_t n = 0; n <= 60; ++n) {
    QuotedPacket q;
    const QuoteStatus status = ParseQuoted({inner.data(), n}, q);
    ASSERT_EQ(status, n < 20 ? QuoteStatus::kTruncated : QuoteStatus::kOk);
    if (n < 20) continue;
    EXPECT_EQ(q.has_ports, n >= 24) << n;
    EXPECT_EQ(q.has_seq, n >= 28) << n;
  }
}

TEST(IcmpMessageTest, QuotedRefused) {
  const std::vector<uint8_t> good = DatagramOf(ipv4::kTcp, 60);
  QuotedPacket q;
  std::vector<uint8_t> bad = good;
  bad[0] = 0x65;
  EXPECT_EQ(ParseQuoted(bad, q), QuoteStatus::kBadVersion);
  bad[0] = 0x44;
  EXPECT_EQ(ParseQuoted(bad, q), QuoteStatus::kBadHeaderLength);
  bad[0] = 0x4f;
  EXPECT_EQ(ParseQuoted(ByteView(bad).first(59), q), QuoteStatus::kTruncated);
  bad = good;
  StoreBe16(bad.data() + 2, 19);
  EXPECT_EQ(ParseQuoted(bad, q), QuoteStatus::kBadTotalLength);
}

TEST(IcmpMessageTest, QuotedWithoutPorts) {
  QuotedPacket q;
  ASSERT_EQ(ParseQuoted(DatagramOf(ipv4::kIcmp, 60), q), QuoteStatus::kOk);
  EXPECT_FALSE(q.has_ports);
  std::vector<uint8_t> fragment = DatagramOf(ipv4::kUdp, 60);
  StoreBe16(fragment.data() + 6, 10);
  ASSERT_EQ(ParseQuoted(fragment, q), QuoteStatus::kOk);
  EXPECT_FALSE(q.first_fragment);
  EXPECT_FALSE(q.has_ports);
  ASSERT_EQ(ParseQuoted(DatagramOf(ipv4::kUdp, 60), q), QuoteStatus::kOk);
  EXPECT_TRUE(q.has_ports);
  EXPECT_FALSE(q.has_seq);
}

// Bytes behind the inner datagram's own end are no ports of it.
TEST(IcmpMessageTest, QuotedTotalLengthBoundsTheTransport) {
  std::vector<uint8_t> inner = DatagramOf(ipv4::kTcp, 60);
  StoreBe16(inner.data() + 2, 22);
  QuotedPacket q;
  ASSERT_EQ(ParseQuoted(inner, q), QuoteStatus::kOk);
  EXPECT_EQ(q.transport.size(), 2u);
  EXPECT_FALSE(q.has_ports);
}

}  // namespace
}  // namespace corelane::icmp
