#include "tests/sim/wire.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace corelane::sim {
namespace {

const Time kOnWire = kTimeZero + 1s;

Ends SomeEnds() {
  return {{{2, 0, 0, 0, 0, 1}},
          {{2, 0, 0, 0, 0, 2}},
          Ipv4Address(10, 0, 0, 1),
          Ipv4Address(10, 0, 0, 2)};
}

Frame SomeFrame(uint16_t port = 9) {
  return UdpFrame(SomeEnds(), 1, port, std::vector<uint8_t>(100, 0x55));
}

std::vector<Arrival> SendMany(Wire& wire, int n) {
  std::vector<Arrival> out;
  for (int i = 0; i < n; ++i) {
    wire.Send(SomeFrame(static_cast<uint16_t>(i + 1)), kOnWire, out);
  }
  return out;
}

TEST(Wire, DelaysAndKeepsTheOrder) {
  WireConfig config;
  config.delay = 5ms;
  Wire wire(config, 1, 0);
  const auto out = SendMany(wire, 3);
  ASSERT_EQ(out.size(), 3u);
  for (const Arrival& arrival : out) EXPECT_EQ(arrival.at, kOnWire + 5ms);
}

TEST(Wire, TakesTimeToSendAndDropsWhatDoesNotFitTheQueue) {
  WireConfig config;
  config.delay = 0ms;
  config.bits_per_second = 1'000'000;
  config.queue_bytes = 1000;
  Wire wire(config, 1, 0);
  const auto out = SendMany(wire, 20);
  ASSERT_GT(out.size(), 1u);
  // 142 bytes of frame and 24 of preamble, FCS and gap.
  EXPECT_EQ(out[0].at, kOnWire + 166us * 8);
  EXPECT_EQ(out[1].at, kOnWire + 2 * 166us * 8);
  EXPECT_LT(out.size(), 20u);
  EXPECT_EQ(out.size() + wire.counters().queue_full, 20u);
}

TEST(Wire, LosesAboutWhatItIsTold) {
  WireConfig config;
  config.loss_ppm = 100'000;
  Wire wire(config, 1, 0);
  const auto out = SendMany(wire, 10'000);
  EXPECT_NEAR(static_cast<double>(out.size()), 9'000, 150);
  EXPECT_EQ(out.size() + wire.counters().lost, 10'000u);
}

TEST(Wire, TheSameSeedLosesTheSameFrames) {
  WireConfig config;
  config.loss_ppm = 300'000;
  config.corrupt_ppm = 300'000;
  Wire a(config, 5, 0);
  Wire b(config, 5, 0);
  Wire other_direction(config, 5, 1);
  const auto x = SendMany(a, 200);
  const auto y = SendMany(b, 200);
  const auto z = SendMany(other_direction, 200);
  ASSERT_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i].frame, y[i].frame);
  EXPECT_NE(x.size(), z.size());
}

TEST(Wire, ChecksumsCatchEveryCorruption) {
  WireConfig config;
  config.corrupt_ppm = 1'000'000;
  Wire wire(config, 1, 0);
  for (const Arrival& arrival : SendMany(wire, 2'000)) {
    // The one that hit the padding or nothing does no harm.
    ASSERT_NE(CheckFrame(arrival.frame, 1500), nullptr);
  }
}

TEST(Wire, DuplicatesAndReorders) {
  WireConfig config;
  config.duplicate_ppm = 500'000;
  config.reorder_ppm = 500'000;
  Wire wire(config, 1, 0);
  const auto out = SendMany(wire, 1'000);
  EXPECT_NEAR(static_cast<double>(out.size()), 1'500, 100);
  EXPECT_TRUE(std::any_of(out.begin(), out.end(), [](const Arrival& a) {
    return a.at > kOnWire + 1ms;
  }));
}

TEST(Wire, DropsByContent) {
  Wire wire(WireConfig{}, 1, 0);
  wire.DropIf(
      [](const ParsedFrame& f) {
        return f.is_udp && f.udp.destination_port > 3;
      },
      /*skip=*/1, /*count=*/2);
  const auto out = SendMany(wire, 10);
  ASSERT_EQ(out.size(), 8u);
  EXPECT_EQ(ParseFrame(out[3].frame).udp.destination_port, 4);
  EXPECT_EQ(ParseFrame(out[4].frame).udp.destination_port, 7);
}

}  // namespace
}  // namespace corelane::sim
