#include "proto/tcp/cubic_curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace corelane::tcp {
namespace {

constexpr double kUnit = 1 << kCurveTimeBits;

TEST(CubeRootTest, IsExact) {
  for (uint64_t y = 0; y < 3000; ++y) {
    const uint64_t cube = y * y * y;
    EXPECT_EQ(CubeRoot(cube), y);
    if (y > 1) {
      EXPECT_EQ(CubeRoot(cube - 1), y - 1);
    }
  }
  const uint64_t last = 2642245;  // the largest whose cube fits
  EXPECT_EQ(CubeRoot(last * last * last), last);
  EXPECT_EQ(CubeRoot(last * last * last - 1), last - 1);
  EXPECT_EQ(CubeRoot(UINT64_MAX), last);
}

TEST(CubeRootTest, AnyNumber) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t x = random() >> (random() % 64);
    const auto y = static_cast<unsigned __int128>(CubeRoot(x));
    EXPECT_LE(y * y * y, x);
    EXPECT_GT((y + 1) * (y + 1) * (y + 1), x);
  }
}

TEST(CurveTimeTest, IsBounded) {
  EXPECT_EQ(ToCurveTime(0), 0u);
  EXPECT_EQ(ToCurveTime(1'000'000), 1u << kCurveTimeBits);
  EXPECT_EQ(ToCurveTime(1'024'000'000), kMaxCurveTime);
  EXPECT_EQ(ToCurveTime(UINT64_MAX), kMaxCurveTime);
}

// Worked by hand: 100 segments below W_max take cbrt(100 / 0.4) = 6.29961 s.
TEST(CubicRiseTest, WorkedExample) {
  EXPECT_NEAR(CubicRise(146'000, 1460) / kUnit, 6.29961, 0.001);
  EXPECT_EQ(CubicRise(0, 1460), 0u);
}

// rule: RFC9438-4.2
TEST(CubicRiseTest, AgreesWithTheFormula) {
  for (const uint32_t mss : {88u, 536u, 1220u, 1460u, 8948u, 65495u}) {
    for (uint64_t bytes = 1; bytes <= 1u << 30; bytes += bytes / 7 + 1) {
      const double k = std::cbrt(static_cast<double>(bytes) / (0.4 * mss));
      const double got = CubicRise(static_cast<uint32_t>(bytes), mss) / kUnit;
      EXPECT_LE(got, k + 1e-9);
      // Rounded down by at most 2^-10 s, where it is so large that this is
      // nothing, else by 2^-14 s and the rounding of its cube.
      EXPECT_NEAR(got, k, k > 100 ? k * 1e-5 : 1 / kUnit + k * 2e-5)
          << "mss " << mss << " bytes " << bytes;
    }
  }
}

// The bound: a byte, or 2e-5 of the offset.
TEST(CubicOffsetTest, AgreesWithTheFormula) {
  for (const uint32_t mss : {88u, 536u, 1460u, 8948u, 65495u}) {
    for (uint64_t d = 0; d <= kMaxCurveTime; d += d / 13 + 1) {
      const double s = static_cast<double>(d) / kUnit;
      const double offset = 0.4 * mss * s * s * s;
      EXPECT_NEAR(
          static_cast<double>(CubicOffset(static_cast<CurveTime>(d), mss)),
          offset, 2 + offset * 2e-5 + 0.4 * mss * s / kUnit)
          << "mss " << mss << " d " << d;
    }
  }
}

// rule: RFC9438-4.2
TEST(CubicWindowTest, PassesThroughItsThreePoints) {
  for (const uint32_t mss : {536u, 1460u, 8948u}) {
    for (uint64_t w_max = uint64_t{mss} * 2; w_max < 1u << 30; w_max *= 2) {
      const auto high = static_cast<uint32_t>(w_max);
      const uint32_t low = high / 10 * 7;
      const CurveTime k = CubicRise(high - low, mss);
      const double bound = 2 + 1e-4 * high;
      EXPECT_NEAR(static_cast<double>(CubicWindow(high, k, 0, mss)), low,
                  bound);
      EXPECT_EQ(CubicWindow(high, k, k, mss), high);
      EXPECT_NEAR(static_cast<double>(CubicWindow(high, k, 2 * k, mss)),
                  2.0 * high - low, bound);
    }
  }
}

TEST(CubicWindowTest, NeverFalls) {
  const CurveTime k = CubicRise(3'000'000, 1460);
  uint64_t before = 0;
  for (CurveTime t = 0; t < kMaxCurveTime; t += 97) {
    const uint64_t w = CubicWindow(10'000'000, k, t, 1460);
    ASSERT_GE(w, before) << t;
    before = w;
  }
}

TEST(CubicWindowTest, AnyInputs) {
  std::mt19937_64 random(2);
  const auto any = [&] {
    return static_cast<uint32_t>(random() >> (32 + random() % 32));
  };
  for (int i = 0; i < 200'000; ++i) {
    const uint32_t mss = any() & 0xffff;
    EXPECT_LE(CubicRise(any(), mss), kMaxCurveTime);
    EXPECT_LE(CubicWindow(any(), any(), any(), mss), 1ull << 50);
    EXPECT_LE(CubicRise(any(), any()), kMaxCurveTime);
    EXPECT_LE(CubicOffset(any(), any()), 1ull << 50);
  }
}

}  // namespace
}  // namespace corelane::tcp
