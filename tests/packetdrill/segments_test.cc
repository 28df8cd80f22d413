#include "tests/packetdrill/segments.h"

#include <gtest/gtest.h>

namespace corelane::packetdrill {
namespace {

constexpr MacAddress kFrom{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kTo{{2, 0, 0, 0, 0, 2}};

// A TCP packet without Ethernet around it.
std::vector<uint8_t> Packet(const sim::TcpFields& fields) {
  sim::Ends ends;
  ends.source = Ipv4Address(198, 18, 7, 1);
  ends.destination = Ipv4Address(198, 18, 0, 1);
  const sim::Frame frame = sim::TcpFrame(ends, fields);
  const size_t at = sim::Ipv4Offset(frame);
  return {frame.begin() + static_cast<ptrdiff_t>(at), frame.end()};
}

TEST(Segments, SmallOnesStayWhole) {
  sim::TcpFields fields;
  fields.payload.assign(1000, 'x');
  const auto packet = Packet(fields);
  const auto frames = ToFrames(packet, 1000, kFrom, kTo);
  ASSERT_EQ(frames.size(), 1u);
  const sim::ParsedFrame f = sim::ParseFrame(frames[0]);
  EXPECT_EQ(f.ethernet.source, kFrom);
  EXPECT_EQ(f.ethernet.destination, kTo);
  EXPECT_EQ(f.payload.size(), 1000u);
}

TEST(Segments, LargeOnesAreCut) {
  sim::TcpFields fields;
  fields.seq = 100;
  fields.flags = tcp::kAck | tcp::kPsh | tcp::kFin | tcp::kCwr;
  fields.options = {8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1};
  for (int i = 0; i < 2500; ++i) {
    fields.payload.push_back(static_cast<uint8_t>(i));
  }
  const auto packet = Packet(fields);
  const auto frames = ToFrames(packet, 1000, kFrom, kTo);
  ASSERT_EQ(frames.size(), 3u);
  uint32_t next = 100;
  std::vector<uint8_t> all;
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(sim::CheckFrame(frames[i], 1500), nullptr);
    const sim::ParsedFrame f = sim::ParseFrame(frames[i]);
    EXPECT_EQ(f.tcp.seq, SeqNum(next));
    EXPECT_EQ(f.tcp.OptionBytes().size(), 12u);
    EXPECT_EQ(f.tcp.Has(tcp::kCwr), i == 0);
    EXPECT_EQ(f.tcp.Has(tcp::kPsh), i == 2);
    EXPECT_EQ(f.tcp.Has(tcp::kFin), i == 2);
    EXPECT_TRUE(f.tcp.Has(tcp::kAck));
    next += static_cast<uint32_t>(f.payload.size());
    all.insert(all.end(), f.payload.begin(), f.payload.end());
  }
  EXPECT_EQ(all, fields.payload);
}

TEST(Segments, EqualOnesIfPossible) {
  sim::TcpFields fields;
  fields.payload.assign(10'000, 'x');
  const auto frames = ToFrames(Packet(fields), 1100, kFrom, kTo);
  ASSERT_EQ(frames.size(), 10u);
  for (const sim::Frame& frame : frames) {
    EXPECT_EQ(sim::ParseFrame(frame).payload.size(), 1000u);
  }
}

TEST(Segments, NonsensePassesThrough) {
  const std::vector<uint8_t> rubbish(5, 0x45);
  EXPECT_EQ(ToFrames(rubbish, 1000, kFrom, kTo).size(), 1u);
  EXPECT_EQ(ToFrames({}, 1000, kFrom, kTo).size(), 1u);
}

}  // namespace
}  // namespace corelane::packetdrill
