// Recorded frames through real pipelines, in virtual time.
#include "dataplane/load/replay_load.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/load/probe.h"
#include "gtest/gtest.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr Duration kDelay = 100us;

std::vector<Duration> Evenly(size_t n, Duration gap) {
  std::vector<Duration> times(n);
  for (size_t i = 0; i < n; ++i) times[i] = static_cast<int64_t>(i) * gap;
  return times;
}

class ReplayLoadTest : public ::testing::Test {
 protected:
  ReplayLoadTest() : world_(1, kTimeZero + 1s) {
    // As without --addr: the stack says nothing of its own.
    sim::NodeConfig sender = NodeOf(Ipv4Address(), 1);
    sender.pipeline.interfaces[0].addresses.clear();
    world_.AddNode(sender);
    sim::NodeConfig receiver = NodeOf(Ipv4Address(), 2);
    receiver.pipeline.interfaces[0].addresses.clear();
    world_.AddNode(receiver);
    config_.load.duration = 24h;
    config_.load.timeout = 500ms;
    world_.SetTap([this](size_t wire, ByteView frame, Time at) {
      if (wire != 0) return;
      seen_.push_back({at - kDelay, Bytes(frame.begin(), frame.end())});
    });
  }
  ~ReplayLoadTest() override {
    EXPECT_EQ(world_.failure(), "");
    EXPECT_EQ(world_.node(0).TearDown(), 0u);
    EXPECT_EQ(world_.node(1).TearDown(), 0u);
  }

  // Frames that differ, at these times.
  void Record(const std::vector<Duration>& times) {
    ProbePlan plan;
    plan.source_mac = MacAddress({2, 0, 0, 0, 0, 7});
    plan.target_mac = MacAddress({2, 0, 0, 0, 0, 8});
    plan.sources = {Ipv4Address(198, 18, 0, 1)};
    plan.target = Ipv4Address(198, 18, 0, 2);
    plan.sizes = {64, 1518, 300};
    ProbeWriter writer(plan);
    FrameTape tape;
    for (const Duration at : times) {
      Bytes bytes(2048);
      Packet packet{};
      packet.buf_addr = bytes.data();
      bytes.resize(writer.Write(&packet));
      tape.Append(at, bytes);
      recorded_.push_back(std::move(bytes));
    }
    config_.tape = std::make_shared<const FrameTape>(std::move(tape));
  }
  ReplayLoad& Start() {
    sim::WireConfig wire;
    wire.delay = kDelay;
    wire.queue_bytes = 1u << 26;
    world_.Join({0, 0}, {1, 0}, wire, wire);
    return StartAlone();
  }
  ReplayLoad& StartAlone() {
    auto shell = std::make_unique<Shell<ReplayLoad>>(config_);
    Shell<ReplayLoad>* raw = shell.get();
    Pipeline& pipeline = world_.node(0).pipeline();
    world_.node(0).Add(std::move(shell));
    pipeline.AddTicker(raw);
    raw->app().Attach(&pipeline);
    return raw->app();
  }
  Tally Run(Load& load) {
    EXPECT_TRUE(
        world_.RunUntil([&] { return load.Finished(); }, world_.now() + 1h))
        << "it does not end " << world_.failure();
    // What is on the wire arrives.
    world_.RunTo(world_.now() + 1s);
    return load.TakeTally();
  }
  // The times of what arrived, since the first.
  std::vector<Duration> Times() const {
    std::vector<Duration> times;
    for (const auto& [at, bytes] : seen_) times.push_back(at - seen_[0].first);
    return times;
  }
  void ExpectAllInOrder(size_t passes) const {
    ASSERT_EQ(seen_.size(), passes * recorded_.size());
    for (size_t i = 0; i < seen_.size(); ++i) {
      EXPECT_EQ(seen_[i].second, recorded_[i % recorded_.size()]) << i;
    }
  }

  sim::World world_;
  ReplayLoadConfig config_;
  std::vector<Bytes> recorded_;
  std::vector<std::pair<Time, Bytes>> seen_;
};

TEST_F(ReplayLoadTest, KeepsThePace) {
  const std::vector<Duration> times = {0ms, 1ms, 1ms, 250ms, 251ms, 3s};
  Record(times);
  ReplayLoad& load = Start();
  const Tally t = Run(load);
  ExpectAllInOrder(1);
  EXPECT_EQ(Times(), times);
  EXPECT_EQ(t.sent, 6u);
  EXPECT_EQ(t.Of(Outcome::kOk), 6u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.bytes_out, config_.tape->bytes());
  EXPECT_EQ(t.latency.count(), 6u);
  EXPECT_EQ(t.latency.max(), 0ns);
  EXPECT_EQ(load.Lasted(world_.now()), 3s);
  EXPECT_EQ(load.why(), "");
}

TEST_F(ReplayLoadTest, FasterThanItWas) {
  Record({0ms, 10ms, 40ms});
  config_.speed = 2;
  Run(Start());
  EXPECT_EQ(Times(), (std::vector<Duration>{0ms, 5ms, 20ms}));
}

TEST_F(ReplayLoadTest, EachPassFollowsAfterTheMeanGap) {
  Record({0ms, 10ms, 40ms});
  config_.passes = 3;
  const Tally t = Run(Start());
  ExpectAllInOrder(3);
  EXPECT_EQ(Times(), (std::vector<Duration>{0ms, 10ms, 40ms, 60ms, 70ms, 100ms,
                                            120ms, 130ms, 160ms}));
  EXPECT_EQ(t.sent, 9u);
}

TEST_F(ReplayLoadTest, ARateInsteadOfTheFilesTimes) {
  Record({0ms, 1ms, 5s});
  config_.pace = ReplayLoadConfig::Pace::kRate;
  config_.load.rate = 1000;
  config_.passes = 2;
  const Tally t = Run(Start());
  ExpectAllInOrder(2);
  EXPECT_EQ(Times(), (std::vector<Duration>{0ms, 1ms, 2ms, 3ms, 4ms, 5ms}));
  EXPECT_EQ(t.latency.max(), 0ns);
}

TEST_F(ReplayLoadTest, AsFastAsItGoes) {
  Record(std::vector<Duration>(1000, 0ms));
  config_.pace = ReplayLoadConfig::Pace::kFastest;
  ReplayLoad& load = Start();
  const Tally t = Run(load);
  ExpectAllInOrder(1);
  EXPECT_LT(Times().back(), 1ms);
  EXPECT_EQ(t.latency.count(), 0u);
}

TEST_F(ReplayLoadTest, DurationEndsIt) {
  Record({0ms, 10ms, 40ms});
  config_.passes = 0;
  config_.load.duration = 125ms;
  ReplayLoad& load = Start();
  const Tally t = Run(load);
  EXPECT_EQ(seen_.size(), 7u);
  EXPECT_EQ(t.sent, 7u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(load.Lasted(world_.now()), 125ms);
}

TEST_F(ReplayLoadTest, WhatAStalledLoopOwesIsNotSent) {
  Record(Evenly(1000, 1ms));
  config_.load.duration = 900ms;
  ReplayLoad& load = StartAlone();
  Pipeline& pipeline = world_.node(0).pipeline();
  TxQueue& tx = pipeline.tx(0);
  auto turn = [&](Time now) {
    load.OnTurn(now);
    for (Packet* packet : tx.frames()) pipeline.core().pool.Free(packet);
    tx.Taken(static_cast<uint32_t>(tx.frames().size()));
  };
  const Time start = world_.now();
  turn(start);
  turn(start);
  // Nothing happens until long after: as much as there is room for leaves, and
  // the rest was due in vain.
  turn(start + 2s);
  turn(start + 2s);
  const Tally t = load.TakeTally();
  EXPECT_EQ(t.sent, 1u + TxQueue::kCapacity);
  EXPECT_EQ(t.Of(Outcome::kNotSent), 900u - 1 - TxQueue::kCapacity);
  EXPECT_EQ(t.latency.max(), 2s - 1ms);
  EXPECT_EQ(load.Lasted(start + 2s), 900ms);
}

TEST_F(ReplayLoadTest, LatenessIsCountedFromTheFilesTime) {
  Record({0ms, 10ms, 20ms});
  ReplayLoad& load = StartAlone();
  Pipeline& pipeline = world_.node(0).pipeline();
  TxQueue& tx = pipeline.tx(0);
  const Time start = world_.now();
  for (const Duration at : {0ms, 0ms, 13ms, 21ms}) {
    load.OnTurn(start + at);
    for (Packet* packet : tx.frames()) pipeline.core().pool.Free(packet);
    tx.Taken(static_cast<uint32_t>(tx.frames().size()));
  }
  const Tally t = load.TakeTally();
  EXPECT_EQ(t.latency.count(), 3u);
  EXPECT_EQ(t.latency.max(), 3ms);
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.6).count()), 1e6, 1e4);
}

TEST_F(ReplayLoadTest, TheClockWaitsForTheDevice) {
  Record({0ms, 10ms});
  config_.load.timeout = 5s;
  ReplayLoad& load = StartAlone();
  Pipeline& pipeline = world_.node(0).pipeline();
  TxQueue& tx = pipeline.tx(0);
  const Time start = world_.now();
  load.OnTurn(start);
  load.OnTurn(start + 1s);
  load.OnTurn(start + 3s);
  EXPECT_EQ(load.Lasted(start + 3s), 0s);
  ASSERT_EQ(tx.frames().size(), 1u);
  pipeline.core().pool.Free(tx.frames()[0]);
  tx.Taken(1);
  EXPECT_EQ(load.OnTurn(start + 3s), start + 3s + 10ms);
  load.Stop();
  load.OnTurn(start + 3s + 4ms);
  EXPECT_TRUE(load.Finished());
  EXPECT_EQ(load.Lasted(start + 4s), 4ms);
}

TEST_F(ReplayLoadTest, ADeviceThatTakesNothingIsGivenUp) {
  Record(Evenly(1000, 1ms));
  config_.load.timeout = 200ms;
  ReplayLoad& load = StartAlone();
  Pipeline& pipeline = world_.node(0).pipeline();
  TxQueue& tx = pipeline.tx(0);
  const Time start = world_.now();
  load.OnTurn(start);
  pipeline.core().pool.Free(tx.frames()[0]);
  tx.Taken(1);
  // From now on it takes nothing.
  Duration at = 0ms;
  for (; !load.Finished() && at < 5s; at += 1ms) load.OnTurn(start + at);
  EXPECT_TRUE(load.gave_up());
  EXPECT_EQ(load.why(),
            "the device has taken nothing for 200 ms; is anybody at its other "
            "end?");
  Tally t = load.TakeTally();
  const uint64_t due = t.sent + t.Of(Outcome::kNotSent);
  EXPECT_NEAR(static_cast<double>(due), 201, 2);
  EXPECT_EQ(t.sent, 129u);
  load.TakeBackUnsent(t);
  EXPECT_EQ(t.sent, 1u);
  EXPECT_EQ(t.Of(Outcome::kOk), 1u);
  EXPECT_EQ(t.Of(Outcome::kNotSent), due - 1);
  EXPECT_EQ(t.bytes_out, 60u);
}

TEST_F(ReplayLoadTest, OtherAddresses) {
  Record({0ms, 1ms});
  config_.target_mac = MacAddress({2, 0, 0, 0, 0, 2});
  Run(Start());
  ASSERT_EQ(seen_.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    Bytes wanted = recorded_[i];
    MacAddress({2, 0, 0, 0, 0, 2}).Store(wanted.data());
    MacAddress({2, 0, 0, 0, 0, 1}).Store(wanted.data() + 6);
    EXPECT_EQ(seen_[i].second, wanted);
  }
}

TEST_F(ReplayLoadTest, WhatComesInIsCounted) {
  Record({0ms, 1ms, 300ms});
  ReplayLoad& load = Start();
  // To us, as a TCP segment would be that the stack answers with a reset.
  Bytes frame = recorded_[0];
  MacAddress({2, 0, 0, 0, 0, 1}).Store(frame.data());
  for (const Duration at : {1ms, 2ms, 350ms}) {
    world_.At(world_.now() + at, 1, [this, frame] { world_.Inject(1, frame); });
  }
  const Tally t = Run(load);
  EXPECT_EQ(t.received, 3u);
  EXPECT_EQ(t.bytes_in, 180u);
  EXPECT_EQ(seen_.size(), 3u);
}

TEST_F(ReplayLoadTest, NoPacketsForAWhile) {
  Record(Evenly(20, 10ms));
  ReplayLoad& load = Start();
  world_.At(world_.now() + 50ms, 0,
            [this] { world_.node(0).heap().set_failing(true); });
  world_.At(world_.now() + 120ms, 0,
            [this] { world_.node(0).heap().set_failing(false); });
  const Tally t = Run(load);
  ExpectAllInOrder(1);
  EXPECT_EQ(t.sent, 20u);
  EXPECT_EQ(t.Errors(), 0u);
}

}  // namespace
}  // namespace corelane::dataplane
