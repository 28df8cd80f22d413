#include "proto/ethernet/header.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>

namespace corelane::ethernet {
namespace {

const MacAddress kTo{{0x02, 0, 0, 0, 0, 1}};
const MacAddress kFrom{{0x02, 0, 0, 0, 0, 2}};

std::array<uint8_t, 64> FrameOf(uint16_t ether_type, uint16_t vlan = kNoVlan) {
  std::array<uint8_t, 64> frame{};
  Write(frame.data(), {.destination = kTo,
                       .source = kFrom,
                       .ether_type = ether_type,
                       .vlan = vlan,
                       .header_length = 0});
  return frame;
}

ParseStatus StatusOf(ByteView frame) {
  Header h;
  return Parse(frame, h);
}

TEST(EthernetHeaderTest, RoundTrip) {
  const auto frame = FrameOf(kIpv4);
  Header h;
  ASSERT_EQ(Parse(frame, h), ParseStatus::kOk);
  EXPECT_EQ(h.destination, kTo);
  EXPECT_EQ(h.source, kFrom);
  EXPECT_EQ(h.ether_type, kIpv4);
  EXPECT_EQ(h.vlan, kNoVlan);
  EXPECT_EQ(h.header_length, 14);
}

TEST(EthernetHeaderTest, RoundTripTagged) {
  auto frame = FrameOf(kArp, 100);
  frame[14] |= 0xe0;  // priority, no part of the VLAN id
  Header h;
  ASSERT_EQ(Parse(frame, h), ParseStatus::kOk);
  EXPECT_EQ(h.ether_type, kArp);
  EXPECT_EQ(h.vlan, 100);
  EXPECT_EQ(h.header_length, 18);
  EXPECT_EQ(Write(frame.data(), h), 18);
}

TEST(EthernetHeaderTest, TruncatedAtEveryLength) {
  const auto plain = FrameOf(kIpv4);
  for (size_t n = 0; n < 14; ++n) {
    EXPECT_EQ(StatusOf({plain.data(), n}), ParseStatus::kTruncated);
  }
  EXPECT_EQ(StatusOf({plain.data(), 14}), ParseStatus::kOk);
  const auto tagged = FrameOf(kIpv4, 1);
  for (size_t n = 0; n < 18; ++n) {
    EXPECT_EQ(StatusOf({tagged.data(), n}), ParseStatus::kTruncated);
  }
  EXPECT_EQ(StatusOf({tagged.data(), 18}), ParseStatus::kOk);
}

TEST(EthernetHeaderTest, LengthOrType) {
  EXPECT_EQ(StatusOf(FrameOf(0)), ParseStatus::kIeee8023Llc);
  EXPECT_EQ(StatusOf(FrameOf(38)), ParseStatus::kIeee8023Llc);
  EXPECT_EQ(StatusOf(FrameOf(1500)), ParseStatus::kIeee8023Llc);
  EXPECT_EQ(StatusOf(FrameOf(1501)), ParseStatus::kBadLength);
  EXPECT_EQ(StatusOf(FrameOf(1535)), ParseStatus::kBadLength);
  EXPECT_EQ(StatusOf(FrameOf(1536)), ParseStatus::kOk);
  EXPECT_EQ(StatusOf(FrameOf(0xffff)), ParseStatus::kOk);
  EXPECT_EQ(StatusOf(FrameOf(38, 5)), ParseStatus::kIeee8023Llc);
}

TEST(EthernetHeaderTest, RefusedTags) {
  EXPECT_EQ(StatusOf(FrameOf(kVlan, 1)), ParseStatus::kNestedVlan);
  EXPECT_EQ(StatusOf(FrameOf(kServiceVlan)), ParseStatus::kNestedVlan);
  EXPECT_EQ(StatusOf(FrameOf(kServiceVlan, 1)), ParseStatus::kNestedVlan);
  EXPECT_EQ(StatusOf(FrameOf(kIpv4, 0xfff)), ParseStatus::kReservedVlan);
}

TEST(EthernetHeaderTest, GroupSourceRefused) {
  auto frame = FrameOf(kIpv4);
  frame[6] |= 1;
  EXPECT_EQ(StatusOf(frame), ParseStatus::kGroupSource);
}

}  // namespace
}  // namespace corelane::ethernet
