#include <memory>

#include "dataplane/app/content.h"
#include "dataplane/app/echo.h"
#include "dataplane/app/http_app.h"
#include "dataplane/load/tcp_load.h"
#include "dataplane/load/udp_load.h"
#include "gtest/gtest.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

// Answers with something else, or not at all.
class WrongApp final : public Application {
 public:
  explicit WrongApp(bool answers) : answers_(answers) {}
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) != 0) continue;
      if (r.connection.readable() > 0) {
        r.connection.Consume(r.connection.readable());
        static constexpr uint8_t kWrongBytes[] = "wrong";
        if (answers_) r.connection.Send({kWrongBytes, 5});
      }
      if (r.connection.at_end()) r.connection.Close();
    }
  }

 private:
  bool answers_;
};

// Says something before it is asked.
class GreetingApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    static constexpr uint8_t kGreeting[] = "220 ready";
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) != 0) continue;
      if ((r.events & kOpened) != 0) r.connection.Send({kGreeting, 9});
      if (r.connection.readable() > 0) {
        r.connection.Consume(r.connection.readable());
      }
      if (r.connection.at_end()) r.connection.Close();
    }
  }
};

class LoadTest : public LoadWorld {
 protected:
  LoadTest() {
    config_.load = load_;
    config_.request = "hello, is anybody there?";
  }
  TcpLoadConfig config_;
};

TEST_F(LoadTest, OpenLoopEchoSendsWhatItWasAskedTo) {
  Serve<EchoApp>();
  config_.load.concurrency = 10;
  config_.load.rate = 2000;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.opened, 10u);
  EXPECT_EQ(t.bytes_in, 2000u * config_.request.size());
  // Two ways of 100 us; the first ones had to wait for a connection.
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 200e3, 5e3);
}

TEST_F(LoadTest, PoissonIsAboutAsMany) {
  Serve<EchoApp>();
  config_.load.concurrency = 50;
  config_.load.rate = 2000;
  config_.load.poisson = true;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kOk)), 2000, 200);
  for (size_t i = 1; i < kOutcomes; ++i) {
    EXPECT_EQ(t.outcomes[i], 0u) << kOutcomeNames[i];
  }
}

TEST_F(LoadTest, WhatIsLateCountsFromWhenItWasDue) {
  Serve<EchoApp>();
  // One connection answers 5,000 a second at most, so half of them queue up.
  config_.load.concurrency = 1;
  config_.load.rate = 10'000;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_GT(t.latency.At(0.99), 300ms);
  EXPECT_GT(t.Of(Outcome::kNotSent), 4000u);
  EXPECT_EQ(t.Of(Outcome::kNotSent) + t.Of(Outcome::kOk), 10'000u);
}

TEST_F(LoadTest, ClosedLoopAsksAgainAtOnce) {
  Serve<EchoApp>();
  config_.load.concurrency = 4;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kOk)), 4 * 5000, 400);
  EXPECT_EQ(t.Errors(), 0u);
}

TEST_F(LoadTest, HttpOnConnectionsThatStayAndOnOneForEach) {
  auto content = Content::FromText("0123456789");
  ASSERT_TRUE(content.ok());
  Serve<HttpApp>(HttpConfig(), content->get());
  config_.protocol = TcpLoadConfig::Protocol::kHttp;
  config_.request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  config_.load.concurrency = 8;
  config_.load.rate = 1000;
  const Tally keep = Run(Start<TcpLoad>(config_));
  EXPECT_EQ(keep.Of(Outcome::kOk), 1000u);
  EXPECT_EQ(keep.Errors(), 0u);
  EXPECT_EQ(keep.opened, 8u);
  config_.connection_per_request = true;
  config_.request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const Tally each = Run(Start<TcpLoad>(config_));
  EXPECT_EQ(each.Of(Outcome::kOk), 1000u);
  EXPECT_EQ(each.Errors(), 0u);
  EXPECT_EQ(each.opened, 1001u);  // one to greet
  config_.expected_status = 404;
  EXPECT_EQ(Run(Start<TcpLoad>(config_)).Of(Outcome::kWrong), 1000u);
}

TEST_F(LoadTest, AnAnswerWithoutLengthEndsWithItsConnection) {
  Serve<EchoApp>();
  config_.protocol = TcpLoadConfig::Protocol::kHttp;
  config_.request = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  config_.load.rate = 10;
  EXPECT_EQ(Run(Start<TcpLoad>(config_)).Of(Outcome::kOk), 10u);
  config_.request = "this is no HTTP\r\n\r\n";
  EXPECT_EQ(Run(Start<TcpLoad>(config_)).Of(Outcome::kWrong), 10u);
}

TEST_F(LoadTest, FailuresHaveNames) {
  config_.load.rate = 100;
  config_.load.concurrency = 2;
  config_.connection_per_request = true;
  EXPECT_GT(Run(Start<TcpLoad>(config_)).Of(Outcome::kRefused), 50u);
  config_.load.target.address = Ipv4Address(10, 77, 0, 9);  // nobody
  const Tally nobody = Run(Start<TcpLoad>(config_));
  EXPECT_GT(nobody.Errors(), 0u);
  EXPECT_EQ(nobody.Of(Outcome::kOk), 0u);
}

TEST_F(LoadTest, EachRateHasItsResults) {
  Serve<EchoApp>();
  config_.load.concurrency = 1;  // 5,000 a second at most
  config_.load.rate = 8000;
  config_.load.rates = {1000, 8000};
  config_.load.warmup = 100ms;
  TcpLoad& load = Start<TcpLoad>(config_);
  const Tally rest = Run(load);
  const std::vector<Tally> slices = load.TakeSlices();
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].sent, 500u);
  EXPECT_EQ(slices[0].Of(Outcome::kOk), 500u);
  EXPECT_LT(slices[0].latency.At(0.99), 1ms);
  // By when they were due: those that were never sent are of this rate.
  EXPECT_EQ(slices[1].Of(Outcome::kOk) + slices[1].Of(Outcome::kNotSent),
            4000u);
  EXPECT_GT(slices[1].Of(Outcome::kNotSent), 1000u);
  EXPECT_GT(slices[1].latency.At(0.5), 50ms);
  EXPECT_EQ(rest.sent, 0u);
  EXPECT_EQ(rest.opened, 1u);
}

TEST_F(LoadTest, ARampIsCountedInTenths) {
  Serve<EchoApp>();
  UdpLoadConfig config{load_, 64, 4};
  config.load.rate = 2000;
  config.load.rates = {0.001, 2000};
  config.load.ramp = true;
  UdpLoad& load = Start<UdpLoad>(config);
  Run(load);
  const std::vector<Tally> slices = load.TakeSlices();
  ASSERT_EQ(slices.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(static_cast<double>(slices[i].Of(Outcome::kOk)),
                10.0 + 20.0 * static_cast<double>(i), 2);
  }
}

TEST_F(LoadTest, WrongAnswersAreFound) {
  Serve<WrongApp>(true);
  config_.load.rate = 100;
  EXPECT_EQ(Run(Start<TcpLoad>(config_)).Of(Outcome::kWrong), 100u);
}

TEST_F(LoadTest, AServerThatSpeaksFirst) {
  Serve<GreetingApp>();
  config_.load.concurrency = 4;
  config_.load.rate = 500;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_EQ(t.Of(Outcome::kOk), 0u);
  EXPECT_GT(t.Of(Outcome::kWrong), 0u);
  // Neither a hot loop of connections.
  EXPECT_LT(t.opened, 1000u);
}

TEST_F(LoadTest, SilenceTimesOut) {
  Serve<WrongApp>(false);
  config_.load.rate = 10;
  config_.load.concurrency = 10;
  const Tally t = Run(Start<TcpLoad>(config_));
  EXPECT_EQ(t.Of(Outcome::kTimedOut), 10u);
  EXPECT_EQ(t.Of(Outcome::kOk), 0u);
}

TEST_F(LoadTest, UdpEcho) {
  Serve<EchoApp>();
  UdpLoadConfig config{config_.load, 64, 4};
  config.load.rate = 5000;
  config.load.warmup = 100ms;
  const Tally t = Run(Start<UdpLoad>(config));
  EXPECT_EQ(t.sent, 5000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 5000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 200e3, 5e3);
}

TEST_F(LoadTest, UdpThatGetsLost) {
  Serve<EchoApp>();
  world_.wire(0).DropIf([](const sim::ParsedFrame& f) { return !f.is_arp; },
                        100, 7);
  UdpLoadConfig config{config_.load, 64, 1};
  config.load.rate = 1000;
  const Tally t = Run(Start<UdpLoad>(config));
  EXPECT_EQ(t.Of(Outcome::kLost), 7u);
  EXPECT_EQ(t.Of(Outcome::kOk), 993u);
}

TEST_F(LoadTest, UdpClosedLoopKeepsSoManyOnTheirWay) {
  Serve<EchoApp>();
  UdpLoadConfig config{config_.load, 32, 1};
  config.load.concurrency = 16;
  const Tally t = Run(Start<UdpLoad>(config));
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kOk)), 16 * 5000, 2000);
  EXPECT_EQ(t.Errors(), 0u);
}

TEST(HistogramTest, QuantilesAreWithinOnePerCent) {
  Histogram h;
  for (int i = 1; i <= 100'000; ++i) h.Record(Duration(i * 1000));
  EXPECT_EQ(h.count(), 100'000u);
  EXPECT_EQ(h.max(), 100ms);
  for (double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double got = static_cast<double>(h.At(share).count());
    EXPECT_NEAR(got / (share * 1e8), 1, 0.01) << share;
  }
  EXPECT_EQ(h.At(1), 100ms);
  EXPECT_NEAR(static_cast<double>(h.Mean().count()), 50e6, 1e4);
}

TEST(HistogramTest, SmallAndLargeValuesFit) {
  Histogram h;
  for (int64_t ns : {0, 1, 127, 128, 255, 256, 257}) {
    Histogram one;
    one.Record(Duration(ns));
    EXPECT_EQ(one.At(0.5).count(), ns);
  }
  h.Record(-1s);
  h.Record(10h);
  EXPECT_EQ(h.At(0.1), 0ns);
  EXPECT_GT(h.At(1), 1h);
  Histogram sum;
  sum.Add(h);
  sum.Add(h);
  EXPECT_EQ(sum.count(), 4u);
  EXPECT_NE(sum.ToHgrm().find("Total count    =            4"),
            std::string::npos);
}

}  // namespace
}  // namespace corelane::dataplane
