#include "proto/arp/packet.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <initializer_list>

namespace corelane::arp {
namespace {

const MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 0x11}};
const MacAddress kOwnMac{{0x02, 0, 0, 0, 0, 0x22}};
const Ipv4Address kPeer(10, 0, 0, 1);
const Ipv4Address kOwn(10, 0, 0, 2);

std::array<uint8_t, 28> RequestBytes() {
  std::array<uint8_t, 28> bytes;
  Write(bytes.data(), {.operation = kRequest,
                       .sender_mac = kPeerMac,
                       .sender = kPeer,
                       .target_mac = {},
                       .target = kOwn});
  return bytes;
}

ParseStatus StatusWith(size_t at, std::initializer_list<uint8_t> values) {
  auto bytes = RequestBytes();
  for (const uint8_t v : values) bytes.at(at++) = v;
  Packet p;
  return Parse(bytes, p);
}

TEST(ArpPacketTest, RoundTripAndReply) {
  Packet p;
  ASSERT_EQ(Parse(RequestBytes(), p), ParseStatus::kOk);
  EXPECT_EQ(p.operation, kRequest);
  EXPECT_EQ(p.sender_mac, kPeerMac);
  EXPECT_EQ(p.sender, kPeer);
  EXPECT_EQ(p.target, kOwn);
  EXPECT_FALSE(p.IsProbe());
  EXPECT_FALSE(p.IsGratuitous());
  const Packet reply = ReplyTo(p, kOwnMac);
  EXPECT_EQ(reply.operation, kReply);
  EXPECT_EQ(reply.sender_mac, kOwnMac);
  EXPECT_EQ(reply.sender, kOwn);
  EXPECT_EQ(reply.target_mac, kPeerMac);
  EXPECT_EQ(reply.target, kPeer);
}

TEST(ArpPacketTest, KnownBytes) {
  const std::array<uint8_t, 28> expected = {0, 1, 8, 0,    6,  4, 0, 1, 2, 0,
                                            0, 0, 0, 0x11, 10, 0, 0, 1, 0, 0,
                                            0, 0, 0, 0,    10, 0, 0, 2};
  EXPECT_EQ(RequestBytes(), expected);
}

TEST(ArpPacketTest, Refused) {
  const auto bytes = RequestBytes();
  Packet p;
  for (size_t n = 0; n < 28; ++n) {
    EXPECT_EQ(Parse({bytes.data(), n}, p), ParseStatus::kTruncated);
  }
  EXPECT_EQ(StatusWith(0, {0, 6}), ParseStatus::kNotEthernet);
  EXPECT_EQ(StatusWith(2, {0x86, 0xdd}), ParseStatus::kNotIpv4);
  EXPECT_EQ(StatusWith(4, {8}), ParseStatus::kBadAddressLengths);
  EXPECT_EQ(StatusWith(5, {16}), ParseStatus::kBadAddressLengths);
  EXPECT_EQ(StatusWith(7, {0}), ParseStatus::kUnknownOperation);
  EXPECT_EQ(StatusWith(7, {3}), ParseStatus::kUnknownOperation);
  EXPECT_EQ(StatusWith(8, {1}), ParseStatus::kBadSenderMac);
  EXPECT_EQ(StatusWith(8, {0, 0, 0, 0, 0, 0}), ParseStatus::kBadSenderMac);
  EXPECT_EQ(StatusWith(14, {224, 0, 0, 1}), ParseStatus::kBadSenderAddress);
  EXPECT_EQ(StatusWith(14, {255, 255, 255, 255}),
            ParseStatus::kBadSenderAddress);
  EXPECT_EQ(StatusWith(14, {127, 0, 0, 1}), ParseStatus::kBadSenderAddress);
}

TEST(ArpPacketTest, Probe) {
  auto bytes = RequestBytes();
  StoreBe32(bytes.data() + 14, 0);
  Packet p;
  ASSERT_EQ(Parse(bytes, p), ParseStatus::kOk);
  EXPECT_TRUE(p.IsProbe());
  bytes[7] = kReply;  // 0.0.0.0 cannot answer
  EXPECT_EQ(Parse(bytes, p), ParseStatus::kBadSenderAddress);
}

}  // namespace
}  // namespace corelane::arp
