#include "proto/tcp/congestion_control.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "proto/tcp/reno_growth.h"
#include "tests/proto/tcp/congestion_harness.h"

namespace corelane::tcp {
namespace {

TEST(CongestionControlTest, Names) {
  EXPECT_EQ(CongestionControlByName("newreno"), CongestionControl::kNewReno);
  EXPECT_EQ(CongestionControlByName("reno"), CongestionControl::kNewReno);
  EXPECT_EQ(CongestionControlByName("cubic"), CongestionControl::kCubic);
  EXPECT_EQ(CongestionControlByName("dctcp"), CongestionControl::kDctcp);
  EXPECT_EQ(CongestionControlByName("bbr"), CongestionControl::kBbr);
  for (const char* name : {"", "Cubic", "cubic ", "bbr2", "cub", "newreno2"}) {
    EXPECT_FALSE(CongestionControlByName(name)) << name;
  }
  for (const auto control :
       {CongestionControl::kNewReno, CongestionControl::kCubic,
        CongestionControl::kDctcp, CongestionControl::kBbr}) {
    EXPECT_EQ(CongestionControlByName(NameOf(control)), control);
  }
  EXPECT_EQ(NameOf(CongestionControl::kNewReno), "newreno");
}

class AnyControlTest : public ::testing::TestWithParam<CongestionControl> {};
INSTANTIATE_TEST_SUITE_P(Controls, AnyControlTest,
                         ::testing::Values(CongestionControl::kNewReno,
                                           CongestionControl::kCubic,
                                           CongestionControl::kDctcp),
                         [](const auto& param) {
                           return std::string(NameOf(param.param));
                         });

// What a hostile or merely strange peer and a careless caller can bring about.
class RandomSamples {
 public:
  RandomSamples(CongestionControl control, uint64_t seed)
      : h_(control), random_(seed) {
    h_.config.hystart = Any() % 2 == 0;
    h_.config.pacing = Any() % 2 == 0;
    const uint16_t mss[] = {1, 88, 536, 1460, 8948, 65495};
    h_.cb.mss = mss[Any() % 6];
    h_.cb.cwnd = 10u * h_.cb.mss;
    h_.cb.snd_una = h_.cb.snd_nxt = SeqNum(Any());
  }

  void Step() {
    h_.now_us += AnyOfAnySize();
    switch (Any() % 40) {
      case 0:
        return Event(CongestionEvent::kLoss);
      case 1:
        return Event(CongestionEvent::kTimeout);
      case 2:
        return Event(CongestionEvent::kEcn);
      case 3:
        return Undo();
      case 4:
        h_.cb.mss = static_cast<uint16_t>(std::max(AnyOfAnySize() >> 16, 1u));
        h_.cb.cwnd = std::max<uint32_t>(h_.cb.cwnd, h_.cb.mss);
        return;
      case 5:
        h_.tx.phase = static_cast<SendPhase>(Any() % 5);
        return;
      case 6:
        h_.cb.srtt_us = AnyOfAnySize();
        return;
      default:
        return Acks();
    }
  }

  void Check() const {
    ASSERT_GE(h_.cb.cwnd, h_.cb.mss);
    ASSERT_LE(h_.cb.cwnd, 1u << 30);
    ASSERT_GE(h_.cb.ssthresh, 1u);
  }

 private:
  uint32_t Any() { return static_cast<uint32_t>(random_() >> 32); }
  uint32_t AnyOfAnySize() { return Any() >> (Any() % 32); }

  void Acks() {
    h_.Fill();
    h_.limited = Any() % 4 != 0;
    h_.ece = Any() % 4 == 0;
    for (uint32_t n = Any() % 8; n > 0; --n) {
      h_.now_us += AnyOfAnySize() >> 8;
      h_.Ack(AnyOfAnySize(), Any() % 4 == 0 ? 0 : AnyOfAnySize());
    }
  }
  void Event(CongestionEvent event) {
    prior_cwnd_ = h_.cb.cwnd;
    prior_ssthresh_ = h_.cb.ssthresh;
    h_.Event(event);
    ASSERT_GE(h_.cb.ssthresh, LeastThreshold(h_.cb));
    ASSERT_LE(h_.cb.ssthresh, std::max(prior_cwnd_, LeastThreshold(h_.cb)));
    h_.cb.cwnd = std::min(h_.cb.cwnd, prior_cwnd_);
    // Recovery need not end where it should.
    if (Any() % 8 == 0) h_.cb.cwnd = h_.cb.mss;
    if (Any() % 8 == 0) h_.cb.ssthresh = kMaxCwnd;
  }
  void Undo() {
    h_.cb.cwnd = std::max({h_.cb.cwnd, prior_cwnd_, uint32_t{h_.cb.mss}});
    h_.cb.ssthresh = std::max(h_.cb.ssthresh, prior_ssthresh_);
    UndoReduction(h_.cb, h_.tx, h_.context());
  }

  CongestionHarness h_;
  std::mt19937_64 random_;
  uint32_t prior_cwnd_ = 0;
  uint32_t prior_ssthresh_ = 1;
};

TEST_P(AnyControlTest, WindowStaysInBoundsWhateverComes) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomSamples samples(GetParam(), seed);
    for (int i = 0; i < 500; ++i) {
      samples.Step();
      samples.Check();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

// Of bytes in memory: nothing that can be in CongestionState divides by zero.
TEST_P(AnyControlTest, AnyStateIsSurvived) {
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto any = [&] {
      return static_cast<uint32_t>(random() >> (32 + random() % 32));
    };
    CongestionHarness h(GetParam());
    h.cb.mss = static_cast<uint16_t>(any());
    h.cb.cwnd = std::max({std::min(any(), kMaxCwnd), uint32_t{h.cb.mss}, 1u});
    h.cb.ssthresh = any();
    CubicState& cubic = h.tx.congestion.cubic;
    cubic.now = {.w_max = std::min(any(), kMaxCwnd),
                 .k = any(),
                 .cwnd_prior = any(),
                 .w_est = std::min(any(), kMaxCwnd),
                 .elapsed_us = any()};
    cubic.before = cubic.now;
    cubic.running = random() % 2 == 0;
    cubic.after_timeout = random() % 2 == 0;
    h.tx.congestion.round_end = SeqNum(any());
    h.tx.congestion.flight = any();
    h.tx.congestion.dctcp.unmarked_share = any();
    h.tx.congestion.hystart = {any(), any(), any(), static_cast<uint8_t>(any()),
                               static_cast<uint8_t>(any())};
    h.now_us = any();
    h.Fill();
    h.Ack(any(), any());
    ASSERT_GE(h.cb.cwnd, h.cb.mss);
    ASSERT_LE(h.cb.cwnd, kMaxCwnd);
    for (const auto event : {CongestionEvent::kLoss, CongestionEvent::kTimeout,
                             CongestionEvent::kEcn}) {
      ASSERT_GE(ThresholdAfter(h.cb, h.tx, event, h.context()),
                LeastThreshold(h.cb));
    }
  }
}

TEST_P(AnyControlTest, GrowsToTheEndAndNoFurther) {
  CongestionHarness h(GetParam(), 65'000);
  h.config.hystart = false;
  for (int i = 0; i < 40'000 && h.cb.cwnd < kMaxCwnd; ++i) {
    h.now_us += 1000;
    h.Fill();
    h.Ack(h.cb.cwnd, 1000);
  }
  EXPECT_EQ(h.cb.cwnd, kMaxCwnd);
  h.Round(1000, 100);
  EXPECT_EQ(h.cb.cwnd, kMaxCwnd);
}

// Duplicates, and acknowledgments outside of growth, change nothing that the
// sender sees.
TEST_P(AnyControlTest, ObservingChangesNoWindow) {
  CongestionHarness h(GetParam());
  h.Fill();
  const uint32_t cwnd = h.cb.cwnd;
  AckSample sample;
  sample.prior_flight = 10'000;
  sample.delivered = 1000;
  sample.cwnd_limited = true;
  for (int i = 0; i < 100; ++i) {
    h.now_us += 1000;
    ObserveAck(h.cb, h.tx, sample, h.context());
  }
  EXPECT_EQ(h.cb.cwnd, cwnd);
  EXPECT_EQ(h.cb.ssthresh, kMaxCwnd);
}

// A reduction that is undone at once leaves no trace in what follows.
TEST_P(AnyControlTest, UndoneAtOnce) {
  CongestionHarness h(GetParam());
  h.cb.cwnd = h.cb.ssthresh = 100'000;
  for (int i = 0; i < 10; ++i) h.Round(20'000);
  CongestionHarness other = h;
  const uint32_t cwnd = h.cb.cwnd;
  const uint32_t ssthresh = h.cb.ssthresh;
  h.Event(CongestionEvent::kTimeout);
  h.cb.cwnd = cwnd;
  h.cb.ssthresh = ssthresh;
  UndoReduction(h.cb, h.tx, h.context());
  EXPECT_EQ(h.tx.congestion.cubic.running, other.tx.congestion.cubic.running);
  for (int i = 0; i < 50; ++i) h.Round(20'000), other.Round(20'000);
  EXPECT_NEAR(h.cb.cwnd, other.cb.cwnd, 2);
}

}  // namespace
}  // namespace corelane::tcp
