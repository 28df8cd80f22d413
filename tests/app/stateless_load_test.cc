// A client that remembers nothing against our own stack, in virtual time.
#include "dataplane/load/stateless_load.h"

#include <memory>
#include <string>

#include "dataplane/app/content.h"
#include "dataplane/app/echo.h"
#include "dataplane/app/http_app.h"
#include "dataplane/load/stateless_hold.h"
#include "gtest/gtest.h"
#include "proto/base/rng.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

using Kind = StatelessRules::Kind;

// Says something that is no HTTP, or nothing, and closes; or resets.
class RudeApp final : public Application {
 public:
  enum class Manner : uint8_t { kSilent, kBabbles, kResets };
  explicit RudeApp(Manner manner) : manner_(manner) {}
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    static constexpr uint8_t kText[] = "220 ready";
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) != 0) continue;
      if (r.connection.readable() == 0) continue;
      r.connection.Consume(r.connection.readable());
      if (manner_ == Manner::kResets) {
        r.connection.Abort();
        continue;
      }
      if (manner_ == Manner::kBabbles) r.connection.Send({kText, 9});
      r.connection.Close();
    }
  }

 private:
  Manner manner_;
};

// Has its connections probed, and counts those that are gone.
class ProbingApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) gone += (r.events & kGone) != 0;
  }
  int gone = 0;
};

class StatelessLoadTest : public LoadWorld {
 protected:
  explicit StatelessLoadTest(std::vector<Ipv4Prefix> ranges = {})
      : LoadWorld(std::move(ranges)) {
    config_.rules.request =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "\r\n";
    load_.rate = 2000;
    load_.concurrency = 10'000;
  }

  HttpApp& ServeHttp(uint64_t size = 128) {
    content_ = *Content::FromSize(size);
    return Serve<HttpApp>(HttpConfig(), content_.get());
  }
  template <typename L, typename... Args>
  L& Attach(const Args&... args) {
    auto shell = std::make_unique<Shell<L>>(args...);
    Shell<L>* raw = shell.get();
    Pipeline& pipeline = world_.node(0).pipeline();
    const uint16_t id = world_.node(0).Add(std::move(shell));
    pipeline.AddTicker(raw);
    EXPECT_TRUE(raw->app().Attach(&pipeline, id).ok());
    return raw->app();
  }
  Tally Ask() { return Run(Attach<StatelessLoad>(load_, config_)); }
  const Counters& server() { return world_.node(1).pipeline().core().counters; }

  StatelessConfig config_;
  std::unique_ptr<Content> content_;
};

TEST_F(StatelessLoadTest, EachConnectionIsAskedAnsweredAndClosed) {
  HttpApp& http = ServeHttp();
  StatelessLoad& load = Attach<StatelessLoad>(load_, config_);
  const Tally t = Run(load);
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.opened, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.finished, 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.foreign, 0u);
  EXPECT_EQ(load.open(), 0u);
  EXPECT_EQ(t.bytes_out, 2000 * config_.rules.request.size());
  EXPECT_GT(t.bytes_in, 2000u * 128);
  // One round trip, and two.
  EXPECT_NEAR(static_cast<double>(t.handshake.At(0.5).count()), 200e3, 5e3);
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 400e3, 5e3);
  EXPECT_EQ(t.latency.count(), 2000u);
  // The server agrees.
  EXPECT_EQ(http.counters().ok, 2000u);
  EXPECT_EQ(server().tcp.passive_opens, 2000u);
  EXPECT_EQ(server().tcp.resets_in + server().tcp.resets_out, 0u);
  EXPECT_EQ(server().tcp.retransmits, 0u);
  EXPECT_EQ(server().tcp.out_of_order, 0u);
  // Nothing of it was the client's own TCP's.
  EXPECT_EQ(world_.node(0).pipeline().core().counters.tcp.segments_in, 0u);
}

TEST_F(StatelessLoadTest, AnswersOfManySegments) {
  ServeHttp(50'000);
  load_.rate = 100;
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kOk), 100u);
  EXPECT_EQ(t.finished, 100u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_GT(t.bytes_in, 100u * 50'000);
}

TEST_F(StatelessLoadTest, AsFastAsTheyAreAnswered) {
  ServeHttp();
  load_.rate = 0;
  load_.concurrency = 10;
  const Tally t = Ask();
  // Three round trips of 200 us each, ten at a time.
  EXPECT_NEAR(static_cast<double>(t.sent), 10 * 1e6 / 600, 500);
  EXPECT_EQ(t.Errors(), 0u);
}

TEST_F(StatelessLoadTest, WhatIsDueWhenTooManyAreOpenWaits) {
  ServeHttp();
  load_.rate = 20'000;
  load_.concurrency = 10;  // 17,000 a second
  load_.timeout = 20ms;
  const Tally t = Ask();
  EXPECT_EQ(t.sent + t.Of(Outcome::kNotSent), 20'000u);
  EXPECT_NEAR(static_cast<double>(t.sent), 10 * 1e6 / 600, 500);
  EXPECT_EQ(t.Errors(), t.Of(Outcome::kNotSent));
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.9).count()), 20e6, 1e6);
}

TEST_F(StatelessLoadTest, WarmUpDoesNotCount) {
  HttpApp& http = ServeHttp();
  load_.warmup = 500ms;
  const Tally t = Ask();
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.finished, 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(http.counters().ok, 3000u);
}

TEST_F(StatelessLoadTest, EachRateHasItsOwn) {
  ServeHttp();
  load_.rates = {1000, 3000};
  load_.rate = 3000;
  StatelessLoad& load = Attach<StatelessLoad>(load_, config_);
  const Tally rest = Run(load);
  EXPECT_EQ(rest.sent + rest.Errors(), 0u);
  const std::vector<Tally> slices = load.TakeSlices();
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].Of(Outcome::kOk), 500u);
  EXPECT_EQ(slices[1].Of(Outcome::kOk), 1500u);
  EXPECT_EQ(slices[0].Errors() + slices[1].Errors(), 0u);
}

TEST_F(StatelessLoadTest, LossOfWhatWeSendIsTold) {
  HttpApp& http = ServeHttp();
  world_.wire(0).config().loss_ppm = 20'000;
  load_.timeout = 5s;  // ARP may take three tries
  const Tally t = Ask();
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk) + t.Errors(), 2000u);
  EXPECT_EQ(t.Errors(), t.Of(Outcome::kLost));
  // A SYN that is lost is the end of it; the server sees to the rest.
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kLost)), 40, 25);
  EXPECT_EQ(t.Of(Outcome::kOk), http.counters().ok);
}

TEST_F(StatelessLoadTest, LossOfWhatTheServerSendsIsTold) {
  HttpApp& http = ServeHttp();
  world_.wire(1).config().loss_ppm = 20'000;
  load_.timeout = 5s;
  const Tally t = Ask();
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk) + t.Errors(), 2000u);
  EXPECT_EQ(t.Errors(), t.Of(Outcome::kLost));
  // The last ACK is not repeated.
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kLost)), 40, 25);
  EXPECT_NEAR(static_cast<double>(http.counters().ok), 2000, 5);
}

TEST_F(StatelessLoadTest, NobodyListens) {
  const Tally t = Ask();
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kRefused), 2000u);
  EXPECT_EQ(t.Errors(), 2000u);
}

TEST_F(StatelessLoadTest, AnotherStatus) {
  ServeHttp();
  config_.rules.status = 404;
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kOk), 0u);
  EXPECT_EQ(t.Of(Outcome::kWrong), 2000u);
  EXPECT_EQ(t.Errors(), 2000u);
  EXPECT_EQ(t.finished, 2000u);
}

TEST_F(StatelessLoadTest, NoHttp) {
  Serve<RudeApp>(RudeApp::Manner::kBabbles);
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kWrong), 2000u);
  EXPECT_EQ(t.Errors(), 2000u);
}

TEST_F(StatelessLoadTest, ClosedWithoutAnAnswer) {
  Serve<RudeApp>(RudeApp::Manner::kSilent);
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kClosed), 2000u);
  EXPECT_EQ(t.Errors(), 2000u);
}

TEST_F(StatelessLoadTest, ResetInsteadOfAnAnswer) {
  Serve<RudeApp>(RudeApp::Manner::kResets);
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kReset), 2000u);
  EXPECT_EQ(t.Errors(), 2000u);
}

TEST_F(StatelessLoadTest, NobodyThere) {
  load_.target.address = Ipv4Address(10, 77, 0, 99);
  StatelessLoad& load = Attach<StatelessLoad>(load_, config_);
  const Tally t = Run(load);
  EXPECT_EQ(t.Of(Outcome::kUnreachable), 1u);
  EXPECT_EQ(t.sent, 0u);
  EXPECT_EQ(load.why(), "nobody answers ARP for 10.77.0.99");
}

TEST_F(StatelessLoadTest, EchoOnceEach) {
  Serve<EchoApp>();
  config_.rules = {Kind::kEcho, "hello, is anybody there?", 0};
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.finished, 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(server().tcp.resets_out, 0u);
}

TEST_F(StatelessLoadTest, WithoutTimestampsNoLatencyIsKnown) {
  sim::NodeConfig server = NodeOf(kServer, 2);
  server.pipeline.tcp.timestamps = false;
  world_.Restart(1, server);
  ServeHttp();
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.finished, 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.latency.count() + t.handshake.count(), 0u);
}

// Segments from the server's address that nobody has asked for: counted, not
// answered, and in nobody's way.
TEST_F(StatelessLoadTest, GarbageIsNotAnswered) {
  ServeHttp();
  StatelessPath path;
  path.source_mac = MacAddress({2, 0, 0, 0, 0, 2});
  path.target_mac = MacAddress({2, 0, 0, 0, 0, 1});
  path.target = kClient;
  Rng rng(1, 2);
  for (uint32_t i = 0; i < 1000; ++i) {
    path.target_port = static_cast<uint16_t>(1024 + i);
    const StatelessWriter writer(path, "HTTP/1.1 200 OK\r\n\r\n");
    StatelessAnswer segment;
    const uint8_t flags[] = {tcp::kAck | tcp::kSyn, tcp::kAck | tcp::kFin,
                             tcp::kAck};
    segment.flags = flags[i % 3];
    segment.request = i % 3 != 0;
    segment.seq = SeqNum(static_cast<uint32_t>(rng.Next64()));
    segment.ack = SeqNum(static_cast<uint32_t>(rng.Next64()));
    std::vector<uint8_t> frame(2048);
    Packet packet{};
    packet.buf_addr = frame.data();
    writer.Answer(&packet, kServer, kPort, segment);
    frame.resize(std::max<size_t>(packet.pkt_len, 60));
    if (i % 10 == 9) frame[30 + rng.Below(24)] ^= 1;  // a bad checksum, or more
    world_.At(kTimeZero + 1500ms + i * 100us, 0,
              [this, frame] { world_.Inject(1, frame); });
  }
  const Tally t = Ask();
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.foreign, 900u);
  // Of each connection: SYN, request, FIN; and ARP, and what asked for it.
  EXPECT_EQ(server().tcp.segments_in, 6000u);
}

// One port after the other, and again: the server's TIME-WAIT gives way.
TEST_F(StatelessLoadTest, PortsAreUsedAgain) {
  ServeHttp();
  config_.ports = 100;
  const Tally t = Ask();
  EXPECT_EQ(t.sent, 2000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 2000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.foreign, 0u);
}

class StatelessHoldTest : public StatelessLoadTest {
 protected:
  StatelessHoldTest() : StatelessLoadTest({{Ipv4Address(10, 77, 0, 128), 26}}) {
    config_.rules = {Kind::kHold, "", 0};
    load_.rate = 0;
    load_.concurrency = 2000;
  }
  void RestartServer(const tcp::Config& tcp) {
    sim::NodeConfig server = NodeOf(kServer, 2);
    server.pipeline.tcp = tcp;
    world_.Restart(1, server);
  }
  StatelessHold& Hold(double open_rate) {
    return Attach<StatelessHold>(load_, open_rate, config_);
  }
  uint32_t ServersConnections() {
    return world_.node(1).pipeline().tcp().blocks().in_use();
  }
  // While the load holds them.
  void RunFor(Duration time) { EXPECT_TRUE(world_.RunTo(world_.now() + time)); }
};

TEST_F(StatelessHoldTest, OpensAtARateAndKeepsThem) {
  Serve<EchoApp>();
  StatelessHold& load = Hold(4000);
  RunFor(1s);
  EXPECT_EQ(ServersConnections(), 2000u);
  const Tally t = Run(load);
  EXPECT_EQ(t.opened, 2000u);
  EXPECT_EQ(t.ended, 0u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_NEAR(static_cast<double>(t.opening / 1ms), 500, 5);
  EXPECT_NEAR(static_cast<double>(t.handshake.At(0.5).count()), 200e3, 5e3);
  // They do not stay behind.
  RunFor(10ms);
  EXPECT_EQ(ServersConnections(), 0u);
  EXPECT_EQ(server().tcp.resets_in, 2000u);
}

TEST_F(StatelessHoldTest, AsTheyAreAnsweredFromManyAddresses) {
  Serve<EchoApp>();
  load_.concurrency = 6000;
  for (uint8_t i = 1; i <= 60; ++i) {
    load_.sources.emplace_back(10, 77, 0, 128 + i);
  }
  const Tally t = Run(Hold(0));
  EXPECT_EQ(t.opened, 6000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(server().tcp.passive_opens, 6000u);
}

TEST_F(StatelessHoldTest, KeepAliveProbesAreAnswered) {
  tcp::Config tcp;
  tcp.keepalive = true;
  tcp.keepalive_idle = 500ms;
  tcp.keepalive_interval = 100ms;
  tcp.keepalive_probes = 3;
  RestartServer(tcp);
  ProbingApp& app = Serve<ProbingApp>();
  load_.concurrency = 200;
  load_.duration = 5s;
  StatelessHold& load = Hold(0);
  RunFor(4s);
  EXPECT_EQ(ServersConnections(), 200u);
  EXPECT_EQ(app.gone, 0);
  EXPECT_GT(server().tcp.keepalive_probes, 200u * 5);
  EXPECT_LT(server().tcp.keepalive_probes, 200u * 10);  // one each time
  EXPECT_EQ(server().tcp.paws_dropped + server().tcp.challenge_acks, 0u);
  const Tally t = Run(load);
  EXPECT_EQ(t.opened, 200u);
  EXPECT_EQ(t.ended, 0u);
  EXPECT_EQ(t.foreign, 0u);
}

// Data that nobody has asked for is acknowledged, in windows full of it.
TEST_F(StatelessHoldTest, TheServerTalks) {
  Serve<ChargenApp>();
  load_.concurrency = 3;
  load_.duration = 50ms;
  const Tally t = Run(Hold(0));
  EXPECT_EQ(t.opened, 3u);
  EXPECT_EQ(t.ended, 0u);
  EXPECT_GT(t.bytes_in, 3u * 1'000'000);
  EXPECT_EQ(server().tcp.retransmits, 0u);
  EXPECT_EQ(server().tcp.paws_dropped + server().tcp.challenge_acks, 0u);
}

TEST_F(StatelessHoldTest, TheServerLetsGo) {
  content_ = *Content::FromSize(1);
  HttpConfig http;
  http.idle_timeout = 300ms;
  http.linger_timeout = 100ms;
  Serve<HttpApp>(http, content_.get());
  const Tally t = Run(Hold(0));
  EXPECT_EQ(t.opened, 2000u);
  EXPECT_EQ(t.ended, 2000u);
  EXPECT_EQ(t.Of(Outcome::kClosed), 2000u);
}

TEST_F(StatelessHoldTest, NobodyListensAndItGivesUp) {
  const Tally t = Run(Hold(0));
  EXPECT_EQ(t.opened, 0u);
  EXPECT_EQ(t.ended, 0u);
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kRefused)), 1000, 300);
  EXPECT_EQ(t.Errors(), t.Of(Outcome::kRefused));
}

TEST_F(StatelessHoldTest, WhatIsLostIsNotHeld) {
  Serve<EchoApp>();
  load_.timeout = 5s;  // ARP may take three tries
  world_.wire(1).config().loss_ppm = 20'000;
  const Tally t = Run(Hold(0));
  EXPECT_EQ(t.opened + t.Of(Outcome::kLost), 2000u);
  // A SYN-ACK is sent again by the server.
  EXPECT_LT(t.Of(Outcome::kLost), 5u);
  EXPECT_EQ(t.ended, 0u);
}

}  // namespace
}  // namespace corelane::dataplane
