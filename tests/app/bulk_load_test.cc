#include "dataplane/load/bulk_load.h"

#include "dataplane/app/echo.h"
#include "gtest/gtest.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

using Way = BulkLoadConfig::Way;

class BulkTest : public LoadWorld {
 protected:
  Tally Transfer(Way way, double rate, bool check = true) {
    BulkLoadConfig config{load_, way, check};
    config.load.rate = rate;
    BulkLoad& load = Start<BulkLoad>(config);
    const Tally t = Run(load);
    lasted_ = load.Lasted(world_.now());
    return t;
  }
  Duration lasted_{};
};

// Takes a connection, and then nothing from it.
class DeafApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) == 0 && r.connection.at_end()) {
        r.connection.Close();
      }
    }
  }
};

// Ends every connection as soon as something came.
class CurtApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) == 0 && r.connection.readable() > 0) {
        r.connection.Abort();
      }
    }
  }
};

// Says something, and that is all.
class SpeaksFirstApp final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    static constexpr uint8_t kGreeting[] = "220 ready";
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) != 0) continue;
      if ((r.events & kOpened) != 0) r.connection.Send({kGreeting, 9});
      if (r.connection.at_end()) r.connection.Close();
    }
  }
};

TEST_F(BulkTest, SendsAsFastAsTheWindowsAllow) {
  Serve<DiscardApp>();
  load_.concurrency = 4;
  load_.warmup = 5ms;
  load_.duration = 20ms;
  const uint64_t before =
      world_.node(1).pipeline().core().counters.tcp.bytes_in;
  const Tally t = Transfer(Way::kSend, 0);
  const uint64_t got =
      world_.node(1).pipeline().core().counters.tcp.bytes_in - before;
  EXPECT_EQ(lasted_, 20ms);
  EXPECT_EQ(t.opened, 4u);
  EXPECT_EQ(t.Of(Outcome::kOk), 4u);
  EXPECT_EQ(t.Errors(), 0u);
  // A window of at least 64 KiB on each, in each round trip of 200 us; the
  // server also had what the warm-up brought and what was under way.
  EXPECT_GT(t.bytes_out, 4u * 65536 * 80);
  EXPECT_LE(t.bytes_out, got);
  EXPECT_GT(t.bytes_out, got / 2);
  EXPECT_GT(t.segments_out, t.bytes_out / 1460);
}

TEST_F(BulkTest, ReceivesWhatChargenSends) {
  Serve<ChargenApp>();
  load_.concurrency = 3;
  load_.duration = 20ms;
  const Tally t = Transfer(Way::kReceive, 0);
  EXPECT_EQ(t.Of(Outcome::kOk), 3u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_GT(t.bytes_in, 3u * 65536 * 20);
  EXPECT_EQ(t.bytes_out, 0u);
  EXPECT_GT(t.segments_in, t.bytes_in / 1460);
}

TEST_F(BulkTest, KeepsToARateBothWays) {
  Serve<DiscardApp>();
  load_.concurrency = 5;
  const Tally out = Transfer(Way::kSend, 1e6);
  EXPECT_NEAR(static_cast<double>(out.bytes_out), 1e6, 2e4);
  EXPECT_EQ(out.Of(Outcome::kOk), 5u);
}

TEST_F(BulkTest, KeepsToARateAsReceiver) {
  Serve<ChargenApp>();
  load_.concurrency = 5;
  const Tally in = Transfer(Way::kReceive, 1e6);
  EXPECT_NEAR(static_cast<double>(in.bytes_in), 1e6, 2e4);
  EXPECT_EQ(in.Errors(), 0u);
}

TEST_F(BulkTest, WhoeverAnswersIsHeard) {
  Serve<EchoApp>();
  load_.concurrency = 2;
  load_.duration = 20ms;
  const Tally sent = Transfer(Way::kSend, 0);
  EXPECT_EQ(sent.Of(Outcome::kOk), 2u);
  EXPECT_GT(sent.bytes_in, 0u);
}

TEST_F(BulkTest, OtherBytesAreWrongUnlessAnyWillDo) {
  Serve<SpeaksFirstApp>();
  const Tally wrong = Transfer(Way::kReceive, 0);
  EXPECT_GT(wrong.Of(Outcome::kWrong), 5u);
  EXPECT_EQ(wrong.Of(Outcome::kOk), 0u);
  const Tally any = Transfer(Way::kReceive, 0, false);
  EXPECT_EQ(any.Of(Outcome::kWrong), 0u);
  EXPECT_GT(any.bytes_in, 0u);
}

TEST_F(BulkTest, FailuresHaveNames) {
  load_.concurrency = 2;
  load_.target.port = 81;
  const Tally refused = Transfer(Way::kSend, 0);
  EXPECT_GT(refused.Of(Outcome::kRefused), 10u);  // every 100 ms
  EXPECT_LT(refused.Of(Outcome::kRefused), 30u);
  EXPECT_EQ(refused.Of(Outcome::kOk), 0u);

  Serve<CurtApp>();
  load_.target.port = kPort;
  const Tally reset = Transfer(Way::kSend, 0);
  EXPECT_GT(reset.Of(Outcome::kReset), 10u);
}

TEST_F(BulkTest, AStreamThatStandsStillTimesOut) {
  Serve<DeafApp>();
  load_.concurrency = 2;
  const Tally sent = Transfer(Way::kSend, 0);
  EXPECT_EQ(sent.Of(Outcome::kTimedOut), 2u);
  const Tally received = Transfer(Way::kReceive, 0);
  EXPECT_EQ(received.Of(Outcome::kTimedOut), 2u);
  EXPECT_EQ(received.Of(Outcome::kOk), 0u);
}

}  // namespace
}  // namespace corelane::dataplane
