// Probes through real pipelines and faulty wires, in virtual time.
#include "dataplane/load/packet_load.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "dataplane/app/echo.h"
#include "dataplane/load/rate_search.h"
#include "gtest/gtest.h"
#include "proto/ipv4/header.h"
#include "proto/udp/header.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

using Mode = PacketLoadConfig::Mode;

constexpr Ipv4Address kSource(198, 18, 0, 1);
constexpr Ipv4Address kTarget(198, 18, 0, 2);

TEST(ProbeTest, FramesAreWhatTheySay) {
  ProbePlan plan;
  plan.source_mac = MacAddress({2, 0, 0, 0, 0, 1});
  plan.target_mac = MacAddress({2, 0, 0, 0, 0, 2});
  plan.sources = {kSource, Ipv4Address(198, 18, 0, 3)};
  plan.target = kTarget;
  plan.flows = 5;
  plan.sizes = {64, 1518, 65};
  ProbeWriter writer(plan);
  std::vector<std::pair<uint32_t, uint16_t>> pairs;
  for (uint32_t i = 0; i < 300; ++i) {
    std::vector<uint8_t> frame(2048, 0xa5);
    Packet packet{};
    packet.buf_addr = frame.data();
    const Time due = kTimeZero + Duration(i * 0x1234567890LL);
    writer.SetDue(due, i % 2 == 0);
    const uint16_t length = writer.Write(&packet);
    EXPECT_EQ(length, packet.pkt_len);
    EXPECT_EQ(length + 4, plan.sizes[i % 3]);
    const ByteView bytes(frame.data(), length);
    ipv4::Header ip;
    ASSERT_EQ(ipv4::Parse(bytes.subspan(14), ip, true), ipv4::ParseStatus::kOk);
    EXPECT_EQ(ip.total_length, length - 14);
    udp::Header header;
    ASSERT_EQ(udp::ParseVerified(bytes.subspan(34), ip.source, ip.destination,
                                 header),
              udp::ParseStatus::kOk);
    EXPECT_EQ(header.length, length - 34);
    EXPECT_NE(header.checksum, 0);
    const auto stamp = ReadProbe(bytes);
    ASSERT_TRUE(stamp.has_value());
    EXPECT_EQ(stamp->flow, i % 5);
    EXPECT_EQ(stamp->sequence, i / 5);
    EXPECT_EQ(stamp->due, due);
    EXPECT_EQ(stamp->counts, i % 2 == 0);
    if (i < 5) pairs.emplace_back(ip.source.value(), header.source_port);
    EXPECT_EQ(pairs[i % 5],
              std::make_pair(ip.source.value(), header.source_port));
  }
  std::sort(pairs.begin(), pairs.end());
  EXPECT_EQ(std::unique(pairs.begin(), pairs.end()), pairs.end());
}

TEST(ProbeTest, CoresShareTheFlows) {
  ProbePlan plan;
  plan.sources = {kSource, Ipv4Address(198, 18, 0, 3)};
  plan.target = kTarget;
  plan.flows = 10;
  auto flows_of = [&plan](uint32_t first, uint32_t step, uint32_t frames) {
    plan.first_flow = first;
    plan.flow_step = step;
    ProbeWriter writer(plan);
    std::map<uint32_t, std::pair<uint32_t, uint16_t>> seen;
    for (uint32_t i = 0; i < frames; ++i) {
      uint8_t frame[64];
      Packet packet{};
      packet.buf_addr = frame;
      const ByteView bytes(frame, writer.Write(&packet));
      const auto stamp = ReadProbe(bytes);
      EXPECT_TRUE(stamp.has_value());
      const std::pair ends(LoadBe32(frame + 26), LoadBe16(frame + 34));
      EXPECT_EQ(seen.try_emplace(stamp->flow, ends).first->second, ends);
    }
    return seen;
  };
  auto all = flows_of(0, 1, 100);
  EXPECT_EQ(all.size(), 10u);
  size_t shares = 0;
  for (uint32_t core = 0; core < 3; ++core) {
    for (const auto& [flow, ends] : flows_of(core, 3, 100)) {
      EXPECT_EQ(flow % 3, core);
      EXPECT_EQ(all.at(flow), ends);
      ++shares;
    }
  }
  EXPECT_EQ(shares, 10u);
  EXPECT_EQ(flows_of(9, 10, 5).size(), 1u);
}

TEST(ProbeTest, NothingElseIsTakenForOne) {
  std::vector<uint8_t> frame(60);
  EXPECT_FALSE(ReadProbe(frame).has_value());
  EXPECT_FALSE(ReadProbe({frame.data(), 59}).has_value());
  EXPECT_FALSE(ReadProbe({}).has_value());
}

TEST(ProbeTest, Sizes) {
  EXPECT_EQ(ParseProbeSizes("64")->size(), 1u);
  EXPECT_EQ(ParseProbeSizes("64,512")->back(), 512);
  EXPECT_EQ(ParseProbeSizes("64-1518")->size(), 1455u);
  EXPECT_EQ(ParseProbeSizes("imix")->size(), 12u);
  for (const char* bad :
       {"", "x", "64-", "-64", "100-64", "0", "64,", "1-2-3", "70000", "-1"}) {
    EXPECT_FALSE(ParseProbeSizes(bad).has_value()) << bad;
  }
}

TEST(SequenceMeterTest, TellsLossFromDisorder) {
  using Arrival = SequenceMeter::Arrival;
  SequenceMeter meter;
  int64_t gap = 0;
  EXPECT_EQ(meter.Note(0xfffffffe, gap), Arrival::kNext);
  EXPECT_EQ(gap, 0);
  EXPECT_EQ(meter.Note(1, gap), Arrival::kNext);  // 0xffffffff and 0 miss
  EXPECT_EQ(gap, 2);
  EXPECT_EQ(meter.Note(0, gap), Arrival::kLate);
  EXPECT_EQ(gap, -1);
  EXPECT_EQ(meter.Note(0, gap), Arrival::kDoubled);
  EXPECT_EQ(gap, 0);
  EXPECT_EQ(meter.Note(1, gap), Arrival::kDoubled);
  EXPECT_EQ(meter.Note(1000, gap), Arrival::kNext);
  EXPECT_EQ(gap, 998);
  EXPECT_EQ(meter.Note(1000, gap), Arrival::kDoubled);
  EXPECT_EQ(meter.Note(936, gap), Arrival::kLate);  // too old to remember
  EXPECT_EQ(gap, -1);
}

class PacketLoadTest : public ::testing::Test {
 protected:
  PacketLoadTest() : world_(1, kTimeZero + 1s) {
    world_.AddNode(NodeOf(kSource, 1));
    world_.AddNode(NodeOf(kTarget, 2));
    wire_.delay = 100us;
    wire_.queue_bytes = 1u << 26;
    config_.load.target = {kTarget, 7};
    config_.load.duration = 1s;
    config_.load.timeout = 500ms;
    config_.load.rate = 5000;
    config_.flows = 10;
  }
  ~PacketLoadTest() override {
    EXPECT_EQ(world_.failure(), "");
    EXPECT_EQ(world_.node(0).TearDown(), 0u);
    EXPECT_EQ(world_.node(1).TearDown(), 0u);
  }

  void Join() { world_.Join({0, 0}, {1, 0}, wire_, wire_); }
  void Serve() {
    Pipeline& pipeline = world_.node(1).pipeline();
    const uint16_t id = world_.node(1).Add(std::make_unique<Shell<EchoApp>>());
    EXPECT_TRUE(pipeline.udp().Bind({}, 7, id).ok());
  }
  template <typename L, typename... Args>
  L& Start(size_t node, const Args&... args) {
    auto shell = std::make_unique<Shell<L>>(args...);
    Shell<L>* raw = shell.get();
    Pipeline& pipeline = world_.node(node).pipeline();
    const uint16_t id = world_.node(node).Add(std::move(shell));
    pipeline.AddTicker(raw);
    EXPECT_TRUE(raw->app().Attach(&pipeline, id).ok());
    return raw->app();
  }
  Tally Run(Load& load) {
    EXPECT_TRUE(
        world_.RunUntil([&] { return load.Finished(); }, world_.now() + 60s))
        << "it does not end " << world_.failure();
    return load.TakeTally();
  }

  sim::World world_;
  sim::WireConfig wire_;
  PacketLoadConfig config_;
};

TEST_F(PacketLoadTest, AllComeBackFromAnEcho) {
  Join();
  Serve();
  const Tally t = Run(Start<PacketLoad>(0, config_));
  EXPECT_EQ(t.sent, 5000u);
  EXPECT_EQ(t.Of(Outcome::kOk), 5000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(t.late + t.doubled, 0u);
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 200e3, 5e3);
}

TEST_F(PacketLoadTest, ReflectorTurnsThemRound) {
  Join();
  PacketLoadConfig reflect;
  reflect.mode = Mode::kReflect;
  reflect.load.duration = 10s;
  PacketLoad& mirror = Start<PacketLoad>(1, reflect);
  config_.sizes = {64, 1518};
  const Tally t = Run(Start<PacketLoad>(0, config_));
  EXPECT_EQ(t.Of(Outcome::kOk), 5000u);
  EXPECT_EQ(t.bytes_in, t.bytes_out);
  // And the one that asked for its MAC address.
  EXPECT_EQ(mirror.TakeTally().Of(Outcome::kOk), 5001u);
}

TEST_F(PacketLoadTest, WhatTheWireDoesIsCounted) {
  wire_.loss_ppm = 20'000;
  wire_.duplicate_ppm = 10'000;
  wire_.reorder_ppm = 50'000;
  wire_.reorder_delay = 5ms;
  Join();
  Serve();
  // Its neighbour may take three tries to find.
  config_.load.timeout = 5s;
  const Tally t = Run(Start<PacketLoad>(0, config_));
  EXPECT_EQ(t.sent, 5000u);
  EXPECT_EQ(t.Of(Outcome::kOk) + t.Of(Outcome::kLost), 5000u);
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kLost)), 200, 60);
  EXPECT_GT(t.doubled, 30u);
  EXPECT_GT(t.late, 30u);
}

TEST_F(PacketLoadTest, ReceiverFindsGapsByItself) {
  wire_.loss_ppm = 20'000;
  Join();
  PacketLoadConfig receive;
  receive.mode = Mode::kReceive;
  receive.load.duration = 3s;
  PacketLoad& receiver = Start<PacketLoad>(1, receive);
  config_.mode = Mode::kSend;
  config_.load.timeout = 5s;
  const Tally sent = Run(Start<PacketLoad>(0, config_));
  EXPECT_EQ(sent.sent, 5000u);
  const Tally t = Run(receiver);
  // The ends of flows are not missed by anybody.
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kOk) + t.Of(Outcome::kLost)),
              5000, 5);
  EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kLost)), 100, 40);
}

TEST_F(PacketLoadTest, WhatALateTurnHasLeftIsSentAtTheEnd) {
  Join();
  config_.mode = Mode::kSend;
  config_.target_mac = MacAddress({2, 0, 0, 0, 0, 2});
  config_.load.rate = 20'000;
  config_.load.duration = 10ms;
  PacketLoad& load = Start<PacketLoad>(0, config_);
  const Time start = world_.now();
  load.OnTurn(start);
  load.OnTurn(start + 20ms);
  ASSERT_TRUE(load.Finished());
  const Tally t = load.TakeTally();
  EXPECT_EQ(t.sent, 200u);
  EXPECT_EQ(t.Errors(), 0u);
}

TEST_F(PacketLoadTest, EachRateIsCountedByItself) {
  wire_.loss_ppm = 20'000;
  Join();
  Serve();
  config_.load.timeout = 5s;
  config_.load.rates = {1000, 3000};
  config_.load.rate = 3000;
  PacketLoad& load = Start<PacketLoad>(0, config_);
  EXPECT_EQ(Run(load).Of(Outcome::kLost), 0u);  // is for others to say
  const std::vector<Tally> slices = load.TakeSlices();
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].sent, 500u);
  EXPECT_EQ(slices[1].sent, 1500u);
  for (const Tally& t : slices) {
    EXPECT_LT(t.Of(Outcome::kOk), t.sent);
    EXPECT_NEAR(static_cast<double>(t.Of(Outcome::kOk)),
                static_cast<double>(t.sent) * 0.96,
                static_cast<double>(t.sent) * 0.03);
    EXPECT_EQ(t.latency.count(), t.Of(Outcome::kOk));
  }
}

// Each sends its flows; what an echo sends back may come to the other.
TEST_F(PacketLoadTest, TwoCoresShareTheFlows) {
  constexpr Ipv4Address kThird(198, 18, 0, 3);
  sim::NodeConfig config = NodeOf(kThird, 3);
  config.cores = 2;
  config.queues = 2;
  config.rss = true;
  world_.AddNode(config);
  world_.Join({2, 0}, {1, 0}, wire_, wire_);
  Serve();
  config_.cores = 2;
  config_.load.rate = 2500;
  sim::Node& node = world_.node(2);
  std::vector<PacketLoad*> loads;
  for (uint16_t core = 0; core < 2; ++core) {
    config_.core = core;
    auto shell = std::make_unique<Shell<PacketLoad>>(config_);
    loads.push_back(&shell->app());
    Pipeline& pipeline = node.pipeline(core);
    pipeline.AddTicker(shell.get());
    const uint16_t id = node.Add(std::move(shell));
    ASSERT_TRUE(loads.back()->Attach(&pipeline, id).ok());
  }
  ASSERT_TRUE(world_.RunUntil(
      [&] { return loads[0]->Finished() && loads[1]->Finished(); },
      world_.now() + 60s));
  Tally sum;
  for (PacketLoad* load : loads) {
    const Tally t = load->TakeTally();
    EXPECT_EQ(t.sent, 2500u);
    EXPECT_GT(t.Of(Outcome::kOk), 0u);
    EXPECT_EQ(t.Errors(), 0u);
    sum.Add(t);
  }
  EXPECT_EQ(sum.Of(Outcome::kOk), 5000u);
  EXPECT_EQ(sum.late + sum.doubled, 0u);
  EXPECT_EQ(node.TearDown(), 0u);
}

TEST_F(PacketLoadTest, NobodyThere) {
  Join();
  config_.load.target.address = Ipv4Address(198, 18, 0, 99);
  PacketLoad& load = Start<PacketLoad>(0, config_);
  const Tally t = Run(load);
  EXPECT_EQ(t.sent, 0u);
  EXPECT_EQ(t.Of(Outcome::kUnreachable), 1u);
  EXPECT_EQ(load.why(), "nobody answers ARP for 198.18.0.99");
}

TEST_F(PacketLoadTest, NoRoute) {
  Join();
  config_.load.target.address = Ipv4Address(10, 1, 1, 1);
  PacketLoad load(config_);
  EXPECT_EQ(load.Attach(&world_.node(0).pipeline(), 0).code(),
            absl::StatusCode::kNotFound);
  world_.node(0).pipeline().SetFrameSink(nullptr);
}

TEST_F(PacketLoadTest, SearchFindsWhatAWireCarries) {
  // 8 Mbit/s: 64 bytes take 84 on the wire of the simulator or fewer.
  wire_.bits_per_second = 8'000'000;
  wire_.queue_bytes = 4000;
  Join();
  PacketLoadConfig reflect;
  reflect.mode = Mode::kReflect;
  reflect.load.duration = 60s;
  Start<PacketLoad>(1, reflect);
  config_.load.rate = 50'000;
  config_.load.duration = 200ms;
  config_.load.timeout = 100ms;
  RateSearchConfig search;
  search.sizes = {64, 512};
  RateSearch& load = Start<RateSearch>(0, config_, search);
  Run(load);
  ASSERT_EQ(load.found().size(), 2u);
  for (const FoundRate& f : load.found()) {
    const double bits = f.rate * f.size * 8;
    EXPECT_GT(bits, 8e6 * 0.7) << f.size;
    EXPECT_LT(bits, 8e6 * 1.1) << f.size;
    EXPECT_EQ(f.loss, 0);
  }
}

}  // namespace
}  // namespace corelane::dataplane
