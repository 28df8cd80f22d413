#include "dataplane/inspect/core_rates.h"

#include <nlohmann/json.hpp>

#include "dataplane/inspect/core_report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::inspect {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

Json Report(TestStack& stack, uint32_t core, Duration up, Duration busy) {
  runtime::CoreLoad load;
  load.cpu = core + 2;
  load.up = up;
  load.busy = busy;
  Json report = CoreReport(stack.pipeline(), load);
  report["core"] = core;
  return report;
}

TEST(CoreRatesTest, DividesByTheCoresOwnTime) {
  TestStack stack;
  dataplane::Counters& c = stack.pipeline().core().counters;
  const Json before = Json::array({Report(stack, 0, 10s, 1s)});
  c.rx_packets += 3000;
  c.rx_bytes += 3'000'000;
  c.Drop(dataplane::DropReason::kUdpNoSocket) += 4;
  const Json after = Json::array({Report(stack, 0, 12s, 2s)});
  const auto rates = RatesOf(before, after);
  ASSERT_TRUE(rates.ok()) << rates.status();
  ASSERT_EQ(rates->size(), 1u);
  const CoreRates& r = (*rates)[0];
  EXPECT_DOUBLE_EQ(r.busy_percent, 50);
  EXPECT_DOUBLE_EQ(r.rx_packets, 1500);
  EXPECT_DOUBLE_EQ(r.rx_bits, 12e6);
  EXPECT_DOUBLE_EQ(r.dropped, 2);
  EXPECT_DOUBLE_EQ(r.drops.at("udp_no_socket"), 2);
  const std::string text = FormatRates(*rates);
  EXPECT_THAT(text, HasSubstr("1.50k"));
  EXPECT_THAT(text, HasSubstr("12.0M"));
  EXPECT_THAT(text, HasSubstr("core 0: udp_no_socket 2.0/s"));
  EXPECT_DOUBLE_EQ(RatesJson(*rates)[0]["rx_packets_per_s"], 1500);
}

TEST(CoreRatesTest, SumsUpSeveralCores) {
  TestStack stack;
  const Json before =
      Json::array({Report(stack, 0, 1s, 0s), Report(stack, 1, 1s, 0s)});
  stack.pipeline().core().counters.tx_packets += 10;
  const Json after =
      Json::array({Report(stack, 0, 2s, 1s), Report(stack, 1, 2s, 0s)});
  const auto rates = RatesOf(before, after);
  ASSERT_TRUE(rates.ok());
  ASSERT_EQ(rates->size(), 3u);
  EXPECT_EQ((*rates)[2].core, "all");
  EXPECT_DOUBLE_EQ((*rates)[2].tx_packets, 20);
  EXPECT_DOUBLE_EQ((*rates)[2].busy_percent, 50);
}

TEST(CoreRatesTest, RefusesOtherShapes) {
  EXPECT_FALSE(RatesOf(Json::array(), Json::array({1})).ok());
  EXPECT_FALSE(RatesOf(Json::array({1}), Json::array({1})).ok());
  EXPECT_FALSE(
      RatesOf(Json::array({Json::object()}), Json::array({Json::object()}))
          .ok());
}

}  // namespace
}  // namespace corelane::inspect
