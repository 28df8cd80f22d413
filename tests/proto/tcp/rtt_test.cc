#include "proto/tcp/rtt.h"

#include <gtest/gtest.h>

namespace corelane::tcp {
namespace {

constexpr uint32_t kMs = 1000;

// RFC 6298 (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 * RTTVAR = 3R.
// rule: RFC6298-2.2
TEST(Rtt, FirstSample) {
  ControlBlock cb;
  OnRttSample(cb, 100 * kMs, Config());
  EXPECT_EQ(cb.srtt_us / 8, 100 * kMs);
  EXPECT_EQ(cb.rttvar_us / 4, 50 * kMs);
  EXPECT_EQ(cb.rto_us, 300 * kMs);
}

// (2.3), by hand: RTTVAR = 3/4 * 50 + 1/4 * |100 - 200| = 62.5 ms,
// SRTT = 7/8 * 100 + 1/8 * 200 = 112.5 ms, RTO = 362.5 ms.
// rule: RFC6298-2.3
TEST(Rtt, SecondSample) {
  ControlBlock cb;
  OnRttSample(cb, 100 * kMs, Config());
  OnRttSample(cb, 200 * kMs, Config());
  EXPECT_EQ(cb.rttvar_us / 4, 62'500u);
  EXPECT_EQ(cb.srtt_us / 8, 112'500u);
  EXPECT_EQ(cb.rto_us, 362'500u);
  // RTTVAR = 46.875 + 15.625, SRTT = 98.4375 + 6.25.
  OnRttSample(cb, 50 * kMs, Config());
  EXPECT_EQ(cb.rttvar_us / 4, 62'500u);
  EXPECT_EQ(cb.srtt_us / 8, 104'687u);
  EXPECT_EQ(cb.rto_us, 354'687u);
}

TEST(Rtt, SteadySamplesConverge) {
  ControlBlock cb;
  OnRttSample(cb, 900 * kMs, Config());
  for (int i = 0; i < 200; ++i) OnRttSample(cb, 80 * kMs, Config());
  EXPECT_LE(cb.srtt_us / 8 - 80 * kMs, 10u);
  EXPECT_LT(cb.rttvar_us, 20u);
  EXPECT_EQ(cb.rto_us, 280 * kMs);  // SRTT and the floor of 4 * RTTVAR
}

// rule: RFC6298-2.4 RFC6298-2.5
TEST(Rtt, Limits) {
  ControlBlock cb;
  OnRttSample(cb, 0, Config());
  EXPECT_GT(cb.srtt_us, 0u);
  EXPECT_EQ(cb.rto_us, 200 * kMs + 1);
  for (int i = 0; i < 1000; ++i) OnRttSample(cb, 0xffffffff, Config());
  EXPECT_EQ(cb.rto_us, 60'000 * kMs);
  EXPECT_LE(cb.srtt_us / 8, 60'000 * kMs);
  for (int i = 0; i < 1000; ++i) OnRttSample(cb, 0, Config());
  EXPECT_GT(cb.srtt_us, 0u);  // 0 would mean that there is no sample
}

// rule: RFC6298-5.5
TEST(Rtt, SampleEndsTheBackOff) {
  ControlBlock cb;
  cb.rto_us = 48'000 * kMs;
  OnRttSample(cb, 100 * kMs, Config());
  EXPECT_EQ(cb.rto_us, 300 * kMs);
  cb.rto_us = 48'000 * kMs;
  RestoreRto(cb, Config());
  EXPECT_EQ(cb.rto_us, 300 * kMs);
}

TEST(Rtt, RestoreWithoutSamples) {
  ControlBlock cb;
  cb.rto_us = 48'000 * kMs;
  RestoreRto(cb, Config());
  EXPECT_EQ(cb.rto_us, 1000 * kMs);
}

}  // namespace
}  // namespace corelane::tcp
