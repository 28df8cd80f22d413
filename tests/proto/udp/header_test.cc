#include "proto/udp/header.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace corelane::udp {
namespace {

const Ipv4Address kFrom(10, 0, 0, 1);
const Ipv4Address kTo(10, 0, 0, 2);

std::vector<uint8_t> DatagramOf(std::vector<uint8_t> payload) {
  payload.insert(payload.begin(), 8, 0);
  Write(payload.data(), {.source_port = 1000,
                         .destination_port = 53,
                         .length = static_cast<uint16_t>(payload.size()),
                         .checksum = 0});
  WriteChecksum(payload, kFrom, kTo);
  return payload;
}

TEST(UdpHeaderTest, RoundTrip) {
  const auto datagram = DatagramOf({1, 2, 3});
  Header h;
  ASSERT_EQ(ParseVerified(datagram, kFrom, kTo, h), ParseStatus::kOk);
  EXPECT_EQ(h.source_port, 1000);
  EXPECT_EQ(h.destination_port, 53);
  EXPECT_EQ(h.length, 11);
  EXPECT_EQ(h.PayloadLength(), 3);
}

TEST(UdpHeaderTest, ChecksumCoversAddressesAndPayload) {
  auto datagram = DatagramOf({1, 2, 3, 4});
  Header h;
  EXPECT_EQ(ParseVerified(datagram, kFrom, Ipv4Address(10, 0, 0, 3), h),
            ParseStatus::kBadChecksum);
  datagram[9] ^= 0x40;
  EXPECT_EQ(ParseVerified(datagram, kFrom, kTo, h), ParseStatus::kBadChecksum);
  EXPECT_EQ(Parse(datagram, h), ParseStatus::kOk);
}

TEST(UdpHeaderTest, ChecksumZeroMeansNone) {
  auto datagram = DatagramOf({1, 2, 3, 4});
  StoreBe16(datagram.data() + 6, 0);
  Header h;
  EXPECT_EQ(ParseVerified(datagram, kFrom, kTo, h), ParseStatus::kOk);
}

TEST(UdpHeaderTest, ComputedZeroIsSentAsOnes) {
  // Two bytes of payload that bring the sum to all ones.
  auto datagram = DatagramOf({0, 0});
  const uint16_t sum = LoadBe16(datagram.data() + 6);
  datagram = DatagramOf(
      {static_cast<uint8_t>(sum >> 8), static_cast<uint8_t>(sum & 0xff)});
  EXPECT_EQ(LoadBe16(datagram.data() + 6), 0xffff);
  Header h;
  EXPECT_EQ(ParseVerified(datagram, kFrom, kTo, h), ParseStatus::kOk);
}

TEST(UdpHeaderTest, Lengths) {
  auto datagram = DatagramOf({1, 2, 3, 4});
  Header h;
  for (size_t n = 0; n < 8; ++n) {
    EXPECT_EQ(Parse({datagram.data(), n}, h), ParseStatus::kTruncated);
  }
  for (size_t n = 8; n < 12; ++n) {
    EXPECT_EQ(Parse({datagram.data(), n}, h), ParseStatus::kLengthBeyondPacket);
  }
  for (uint16_t length = 0; length < 8; ++length) {
    StoreBe16(datagram.data() + 4, length);
    EXPECT_EQ(Parse(datagram, h), ParseStatus::kBadLength);
  }
  StoreBe16(datagram.data() + 4, 8);
  EXPECT_EQ(Parse(datagram, h), ParseStatus::kOk);
  EXPECT_EQ(h.PayloadLength(), 0);
}

TEST(UdpHeaderTest, BytesBehindTheLengthAreNotPartOfIt) {
  auto datagram = DatagramOf({1, 2, 3});
  datagram.push_back(99);
  Header h;
  EXPECT_EQ(ParseVerified(datagram, kFrom, kTo, h), ParseStatus::kOk);
}

TEST(UdpHeaderTest, DestinationPortZero) {
  auto datagram = DatagramOf({});
  StoreBe16(datagram.data() + 2, 0);
  Header h;
  EXPECT_EQ(Parse(datagram, h), ParseStatus::kZeroDestination);
}

}  // namespace
}  // namespace corelane::udp
