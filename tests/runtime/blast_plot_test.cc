#include "dataplane/cli/blast_plot.h"

#include "dataplane/cli/blast_objective.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BlastPlotTest, DrawsBothPanels) {
  dataplane::Histogram latency;
  for (int i = 1; i <= 10'000; ++i) latency.Record(i * 10us);
  PlotData data;
  data.title = "corelane blast http 10.77.0.2:80 --slo 'p99<1ms'";
  data.latency = &latency;
  data.points = {{0.5, 100, 100, 0}, {1, 150, 200, 3}};
  const std::string svg = PlotSvg(data);
  EXPECT_THAT(svg, HasSubstr("p99&lt;1ms"));  // it has to be XML
  EXPECT_THAT(svg, HasSubstr("p99.9"));
  EXPECT_THAT(svg, HasSubstr("Rate over time"));
  EXPECT_THAT(svg, HasSubstr("failures"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(BlastPlotTest, LittleIsNoTrouble) {
  dataplane::Histogram one;
  one.Record(0ns);
  PlotData data;
  EXPECT_THAT(PlotSvg(data), HasSubstr("</svg>"));
  data.latency = &one;
  data.points = {{1, 0, 0, 0}};
  const std::string svg = PlotSvg(data);
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(BlastRatesTest, StepsAndRamps) {
  auto steps = ParseRates("--rate", "10k,20k,40k");
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps->rates, (std::vector<double>{1e4, 2e4, 4e4}));
  EXPECT_FALSE(steps->ramp);
  auto ramp = ParseRates("--rate", "10k..100k");
  ASSERT_TRUE(ramp.ok());
  EXPECT_EQ(ramp->rates, (std::vector<double>{1e4, 1e5}));
  EXPECT_TRUE(ramp->ramp);
  EXPECT_EQ(ParseRates("--rate", "1.5M")->rates.size(), 1u);
  for (const char* bad : {"", "10k,", ",", "10k..", "..", "0..10", "1k..2k..3k",
                          "1k,2k..3k", "1k,0"}) {
    EXPECT_FALSE(ParseRates("--rate", bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace corelane::cli
