#include "proto/ipv4/header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "proto/base/rng.h"

namespace corelane::ipv4 {
namespace {

Header Sample() {
  Header h;
  h.source = Ipv4Address(10, 0, 0, 1);
  h.destination = Ipv4Address(10, 0, 0, 2);
  h.protocol = kUdp;
  h.id = 0xbeef;
  h.tos = 0x2e;
  h.ttl = 7;
  h.total_length = 60;
  return h;
}

std::vector<uint8_t> PacketOf(const Header& h) {
  std::vector<uint8_t> packet(h.total_length);
  Write(packet.data(), h);
  return packet;
}

// With options, padded with zeros to a multiple of 4, and the sum corrected.
std::vector<uint8_t> WithOptions(std::vector<uint8_t> options) {
  options.resize((options.size() + 3) / 4 * 4);
  std::vector<uint8_t> packet = PacketOf(Sample());
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  const size_t header = 20 + options.size();
  packet[0] = static_cast<uint8_t>(0x40 | header / 4);
  StoreBe16(packet.data() + 2, static_cast<uint16_t>(packet.size()));
  StoreBe16(packet.data() + 10, 0);
  StoreBe16(packet.data() + 10,
            ChecksumFinish(ChecksumAdd({packet.data(), header})));
  return packet;
}

ParseStatus StatusOf(ByteView packet, bool verify = true) {
  Header h;
  return Parse(packet, h, verify);
}

ParseStatus StatusOf(const Header& h) { return StatusOf(PacketOf(h)); }

TEST(Ipv4HeaderTest, RoundTrip) {
  Header h = Sample();
  h.dont_fragment = true;
  Header out;
  ASSERT_EQ(Parse(PacketOf(h), out, true), ParseStatus::kOk);
  EXPECT_EQ(out.source, h.source);
  EXPECT_EQ(out.destination, h.destination);
  EXPECT_EQ(out.protocol, kUdp);
  EXPECT_EQ(out.id, 0xbeef);
  EXPECT_EQ(out.tos, 0x2e);
  EXPECT_EQ(out.ttl, 7);
  EXPECT_TRUE(out.dont_fragment);
  EXPECT_FALSE(out.IsFragment());
  EXPECT_EQ(out.header_length, 20);
  EXPECT_EQ(out.total_length, 60);
  EXPECT_EQ(out.PayloadLength(), 40);
}

TEST(Ipv4HeaderTest, RoundTripFragment) {
  Header h = Sample();
  h.more_fragments = true;
  h.fragment_offset = 1480;
  Header out;
  ASSERT_EQ(Parse(PacketOf(h), out, true), ParseStatus::kOk);
  EXPECT_TRUE(out.more_fragments);
  EXPECT_EQ(out.fragment_offset, 1480);
  EXPECT_TRUE(out.IsFragment());
}

TEST(Ipv4HeaderTest, LengthsThatDoNotFit) {
  const std::vector<uint8_t> good = PacketOf(Sample());
  for (size_t n = 0; n < 20; ++n) {
    EXPECT_EQ(StatusOf({good.data(), n}), ParseStatus::kTruncated);
  }
  for (size_t n = 20; n < 60; ++n) {
    EXPECT_EQ(StatusOf({good.data(), n}), ParseStatus::kLengthBeyondFrame);
  }
  std::vector<uint8_t> padded = good;
  padded.resize(64);
  EXPECT_EQ(StatusOf(padded), ParseStatus::kOk);
  for (uint16_t total = 0; total < 20; ++total) {
    std::vector<uint8_t> packet = good;
    StoreBe16(packet.data() + 2, total);
    EXPECT_EQ(StatusOf(packet, false), ParseStatus::kBadTotalLength);
  }
}

TEST(Ipv4HeaderTest, VersionAndHeaderLength) {
  for (int first = 0; first < 256; ++first) {
    std::vector<uint8_t> packet = PacketOf(Sample());
    packet[0] = static_cast<uint8_t>(first);
    const ParseStatus status = StatusOf(packet, false);
    if (first >> 4 != 4) {
      EXPECT_EQ(status, ParseStatus::kBadVersion) << first;
    } else if ((first & 15) < 5) {
      EXPECT_EQ(status, ParseStatus::kBadHeaderLength) << first;
    } else {
      EXPECT_EQ(status, ParseStatus::kOk) << first;
    }
  }
  std::vector<uint8_t> packet = PacketOf(Sample());
  packet[0] = 0x4f;
  EXPECT_EQ(StatusOf({packet.data(), 59}, false), ParseStatus::kTruncated);
  StoreBe16(packet.data() + 2, 59);
  EXPECT_EQ(StatusOf(packet, false), ParseStatus::kBadTotalLength);
}

TEST(Ipv4HeaderTest, EveryFlippedHeaderBitBreaksTheChecksum) {
  for (size_t bit = 8; bit < 160; ++bit) {
    std::vector<uint8_t> packet = PacketOf(Sample());
    packet[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_NE(StatusOf(packet), ParseStatus::kOk) << bit;
  }
  std::vector<uint8_t> packet = PacketOf(Sample());
  packet[8] ^= 1;
  EXPECT_EQ(StatusOf(packet), ParseStatus::kBadChecksum);
  EXPECT_EQ(StatusOf(packet, false), ParseStatus::kOk);
}

TEST(Ipv4HeaderTest, WriteWithoutChecksum) {
  uint8_t packet[20];
  std::fill_n(packet, 20, uint8_t{0xff});
  Write(packet, Sample(), false);
  EXPECT_EQ(LoadBe16(packet + 10), 0);
}

TEST(Ipv4HeaderTest, Sources) {
  const struct {
    Ipv4Address source;
    ParseStatus status;
  } cases[] = {
      {Ipv4Address(0, 0, 0, 0), ParseStatus::kSourceThisNetwork},
      {Ipv4Address(0, 1, 2, 3), ParseStatus::kSourceThisNetwork},
      {Ipv4Address(127, 0, 0, 1), ParseStatus::kSourceLoopback},
      {Ipv4Address(224, 0, 0, 1), ParseStatus::kSourceMulticast},
      {Ipv4Address(239, 255, 255, 255), ParseStatus::kSourceMulticast},
      {Ipv4Address(255, 255, 255, 255), ParseStatus::kSourceBroadcast},
      {Ipv4Address(240, 0, 0, 1), ParseStatus::kSourceReserved},
      {Ipv4Address(10, 0, 0, 2), ParseStatus::kSourceIsDestination},
      {Ipv4Address(223, 255, 255, 255), ParseStatus::kOk},
  };
  for (const auto& c : cases) {
    Header h = Sample();
    h.source = c.source;
    EXPECT_EQ(StatusOf(h), c.status) << ToString(c.source);
  }
}

TEST(Ipv4HeaderTest, Destinations) {
  const struct {
    Ipv4Address destination;
    ParseStatus status;
  } cases[] = {
      {Ipv4Address(0, 0, 0, 0), ParseStatus::kDestinationThisNetwork},
      {Ipv4Address(127, 0, 0, 1), ParseStatus::kDestinationLoopback},
      {Ipv4Address(241, 0, 0, 1), ParseStatus::kDestinationReserved},
      {Ipv4Address(255, 255, 255, 255), ParseStatus::kOk},
      {Ipv4Address(224, 0, 0, 1), ParseStatus::kOk},
  };
  for (const auto& c : cases) {
    Header h = Sample();
    h.destination = c.destination;
    EXPECT_EQ(StatusOf(h), c.status) << ToString(c.destination);
  }
}

TEST(Ipv4HeaderTest, FragmentThatPasses65535) {
  Header h = Sample();
  h.total_length = 20 + 1480;
  h.fragment_offset = 65512 - 1480;
  EXPECT_EQ(StatusOf(h), ParseStatus::kOk);
  h.fragment_offset = 65528;
  EXPECT_EQ(StatusOf(h), ParseStatus::kFragmentPastEnd);
  h.total_length = 23;  // ends exactly with the largest datagram
  h.fragment_offset = 65512;
  EXPECT_EQ(StatusOf(h), ParseStatus::kOk);
  h.total_length = 24;
  EXPECT_EQ(StatusOf(h), ParseStatus::kFragmentPastEnd);
}

TEST(Ipv4HeaderTest, HarmlessOptionsAreSkipped) {
  for (const std::vector<uint8_t>& options :
       std::initializer_list<std::vector<uint8_t>>{
           {1, 1, 1, 1},
           {0, 131, 0, 0},                  // behind the end of the list
           {7, 7, 4, 0, 0, 0, 0, 0},        // record route
           {68, 8, 5, 0, 0, 0, 0, 0},       // timestamp
           {148, 4, 0, 0},                  // router alert
           {1, 222, 2, 1},                  // unknown, without data
           std::vector<uint8_t>(40, 1)}) {  // nothing but padding
    Header h;
    const std::vector<uint8_t> packet = WithOptions(options);
    EXPECT_EQ(Parse(packet, h, true), ParseStatus::kOk);
    EXPECT_EQ(h.PayloadLength(), 40);
  }
}

TEST(Ipv4HeaderTest, SourceRoutesAreRefused) {
  EXPECT_EQ(StatusOf(WithOptions({131, 7, 4, 10, 0, 0, 9, 0})),
            ParseStatus::kSourceRoute);
  EXPECT_EQ(StatusOf(WithOptions({1, 137, 7, 4, 10, 0, 0, 9})),
            ParseStatus::kSourceRoute);
}

TEST(Ipv4HeaderTest, MalformedOptionsAreRefused) {
  for (const std::vector<uint8_t>& options :
       std::initializer_list<std::vector<uint8_t>>{
           {148, 0, 0, 0},    // would never end
           {148, 1, 0, 0},    //
           {148, 5, 0, 0},    // past the end
           {148, 255, 0, 0},  //
           {1, 1, 1, 148},    // no room for its length
           {131, 0, 0, 0},    //
           {7, 2, 0, 0},      // record route without pointer
           {68, 3, 5, 0}}) {  // timestamp without flags
    EXPECT_EQ(StatusOf(WithOptions(options)), ParseStatus::kBadOption)
        << int{options[0]} << " " << int{options[1]};
  }
}

// Whatever comes, what is accepted keeps its promises.
TEST(Ipv4HeaderTest, RandomBytes) {
  const uint64_t seed = 20;
  SCOPED_TRACE(seed);
  Rng rng(seed);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::vector<uint8_t> packet(20 + rng.Below(60));
    for (uint8_t& b : packet) b = static_cast<uint8_t>(rng.Next32());
    packet[0] = static_cast<uint8_t>(0x45 + rng.Below(11));
    packet[2] = 0;
    Header h;
    if (Parse(packet, h, false) != ParseStatus::kOk) continue;
    ++accepted;
    ASSERT_LE(h.total_length, packet.size());
    ASSERT_GE(h.total_length, h.header_length);
    ASSERT_LE(h.fragment_offset + h.PayloadLength(), 65515);
    ASSERT_TRUE(h.source.IsUnicastHost());
    ASSERT_NE(h.source, h.destination);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace corelane::ipv4
