#include "dataplane/load/pace.h"

#include "gtest/gtest.h"

namespace corelane::dataplane {
namespace {

// How many are due before `end`.
int CountUntil(Pace& pace, Time end) {
  int n = 0;
  for (; pace.next() < end; pace.Take()) ++n;
  return n;
}

TEST(PaceTest, ARateIsExact) {
  for (const double rate : {1.0, 3.0, 2000.0, 33'333.0}) {
    Pace pace(rate, false, 1);
    pace.Start(kTimeZero + 5s);
    EXPECT_EQ(pace.next(), kTimeZero + 5s);
    EXPECT_EQ(CountUntil(pace, kTimeZero + 6s), static_cast<int>(rate));
  }
}

TEST(PaceTest, StepsFollowOneAnother) {
  Pace pace(1, false, 1);
  pace.Follow({1000, 2000, 500}, false, 1s, 3s);
  pace.Start(kTimeZero);
  EXPECT_EQ(CountUntil(pace, kTimeZero + 1s), 1000);  // the lead
  EXPECT_EQ(CountUntil(pace, kTimeZero + 2s), 1000);
  EXPECT_EQ(CountUntil(pace, kTimeZero + 3s), 2000);
  EXPECT_EQ(CountUntil(pace, kTimeZero + 4s), 500);
  EXPECT_EQ(CountUntil(pace, kTimeZero + 5s), 500);  // and so on
}

TEST(PaceTest, ARampRisesEvenly) {
  Pace pace(1, false, 1);
  pace.Follow({1000, 3000}, true, 0s, 4s);
  pace.Start(kTimeZero);
  // 1,250, 1,750, 2,250 and 2,750 per second in the middle of each.
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(CountUntil(pace, kTimeZero + (i + 1) * 1s), 1250 + 500 * i, 1);
  }
}

TEST(PaceTest, ARampMayFall) {
  Pace pace(1, false, 1);
  pace.Follow({3000, 1000}, true, 0s, 4s);
  pace.Start(kTimeZero);
  EXPECT_NEAR(CountUntil(pace, kTimeZero + 2s), 5000, 1);
  EXPECT_NEAR(CountUntil(pace, kTimeZero + 4s), 3000, 1);
}

// In one go what CountUntil finds one by one, and what nobody would.
TEST(PaceTest, CountsWhatIsDue) {
  for (const bool ramp : {false, true}) {
    Pace pace(1, false, 1);
    pace.Follow({1000, 3000}, ramp, 1s, 4s);
    pace.Start(kTimeZero);
    for (const int ms : {500, 1000, 1500, 3000, 3100, 5000, 7000}) {
      const Duration end = ms * 1ms;
      const uint64_t due = pace.DueBefore(kTimeZero + end);
      EXPECT_NEAR(static_cast<double>(due), CountUntil(pace, kTimeZero + end),
                  1)
          << ms;
      EXPECT_EQ(pace.DueBefore(kTimeZero), 0u);
    }
  }
  Pace fast(1e8, false, 1);
  fast.Start(kTimeZero);
  EXPECT_NEAR(static_cast<double>(fast.DueBefore(kTimeZero + 24h)), 8.64e12,
              1e3);
}

TEST(PaceTest, PoissonKeepsToIt) {
  Pace pace(1, true, 1);
  pace.Follow({10'000, 20'000}, false, 0s, 2s);
  pace.Start(kTimeZero);
  EXPECT_NEAR(CountUntil(pace, kTimeZero + 1s), 10'000, 500);
  EXPECT_NEAR(CountUntil(pace, kTimeZero + 2s), 20'000, 700);
}

}  // namespace
}  // namespace corelane::dataplane
