#include "dataplane/load/hold_load.h"

#include "dataplane/app/echo.h"
#include "dataplane/load/udp_load.h"
#include "gtest/gtest.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

// Accepts, and ends every connection after a while.
class FickleApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & kOpened) != 0) r.connection.SetTimer(200ms);
      if ((r.events & kTimer) != 0) r.connection.Abort();
    }
  }
};

class HoldTest : public LoadWorld {
 protected:
  HoldTest() : LoadWorld({{Ipv4Address(10, 77, 0, 128), 26}}) {
    config_.load = load_;
    config_.request = "are you still there?";
  }
  // Addresses of the client's range.
  static std::vector<Ipv4Address> Sources(uint8_t n) {
    std::vector<Ipv4Address> sources;
    for (uint8_t i = 0; i < n; ++i) sources.emplace_back(10, 77, 0, 129 + i);
    return sources;
  }
  Tally Hold() { return Run(Start<HoldLoad>(config_)); }
  const Pipeline& server() { return world_.node(1).pipeline(); }

  HoldLoadConfig config_;
};

TEST_F(HoldTest, OpensAtARateAndKeepsThem) {
  Serve<EchoApp>();
  config_.load.concurrency = 2000;
  config_.open_rate = 4000;
  const Tally t = Hold();
  EXPECT_EQ(t.opened, 2000u);
  EXPECT_EQ(t.ended, 0u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.sent, 0u);
  EXPECT_NEAR(static_cast<double>(t.opening / 1ms), 500, 5);
  EXPECT_EQ(server().tcp().blocks().in_use(), 2000u);
}

TEST_F(HoldTest, AShareOfThemIsAsked) {
  Serve<EchoApp>();
  config_.load.concurrency = 1000;
  config_.load.rate = 500;
  config_.active = 30;
  const Tally t = Hold();
  EXPECT_EQ(t.opened, 1000u);
  EXPECT_EQ(t.sent, 500u);
  EXPECT_EQ(t.Of(Outcome::kOk), 500u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.bytes_in, 500u * config_.request.size());
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 200e3, 5e3);
}

TEST_F(HoldTest, ManyClientsHaveAnAddressEach) {
  Serve<EchoApp>();
  config_.load.concurrency = 600;
  config_.load.sources = Sources(60);
  config_.load.rate = 500;
  config_.active = 600;
  const Tally t = Hold();
  EXPECT_EQ(t.opened, 600u);
  EXPECT_EQ(t.Of(Outcome::kOk), 500u);
  EXPECT_EQ(t.Errors(), 0u);
  // The server asked for each of them, and was answered.
  EXPECT_GE(world_.node(0).pipeline().core().counters.arp_replies_out, 60u);
  std::vector<int> of(256);
  for (uint32_t i = 0; i < server().tcp().blocks().high_water(); ++i) {
    ++of[server().tcp().block(i).key.remote_address & 0xff];
  }
  for (int last = 129; last < 189; ++last) EXPECT_EQ(of[last], 10) << last;
}

TEST_F(HoldTest, UdpFromManyAddresses) {
  Serve<EchoApp>();
  UdpLoadConfig config{config_.load, 64, 4};
  config.load.rate = 1000;
  config.load.sources = Sources(40);
  const Tally t = Run(Start<UdpLoad>(config));
  EXPECT_EQ(t.Of(Outcome::kOk), 1000u);
  EXPECT_EQ(t.Errors(), 0u);
}

TEST_F(HoldTest, WhatTheServerEndsIsLost) {
  Serve<FickleApp>();
  config_.load.concurrency = 100;
  config_.load.rate = 100;
  config_.active = 10;
  const Tally t = Hold();
  EXPECT_EQ(t.opened, 100u);
  EXPECT_EQ(t.ended, 100u);
  EXPECT_EQ(t.Of(Outcome::kOk), 0u);
  // Those that were asked wait until then, and the requests find nobody.
  EXPECT_EQ(t.Of(Outcome::kReset), 100u);
  EXPECT_GT(t.Of(Outcome::kNotSent), 50u);
}

TEST_F(HoldTest, ItGivesUpWhereNobodyIs) {
  config_.load.concurrency = 1'000'000;
  const Tally refused = Hold();
  EXPECT_EQ(refused.opened, 0u);
  EXPECT_GE(refused.Of(Outcome::kRefused), 1000u);
  EXPECT_LT(refused.Of(Outcome::kRefused), 2000u);
}

}  // namespace
}  // namespace corelane::dataplane
