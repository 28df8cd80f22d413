#include "dataplane/inspect/reports.h"

#include <rte_telemetry.h>

#include <string>
#include <vector>

#include "dataplane/inspect/tables.h"
#include "dataplane/inspect/telemetry_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::inspect {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StatsReportTest, EveryCounterHasAMeaning) {
  TestStack stack;
  const Json report = StatsReport(stack.pipeline());
  for (const char* group : {"counters", "tcp", "drops"}) {
    EXPECT_GT(report[group].size(), 20u);
    for (const auto& [name, value] : report[group].items()) {
      EXPECT_STRNE(CounterText(name), "") << name;
    }
    // What telemetry takes in one object.
    EXPECT_LT(report[group].size(), size_t{RTE_TEL_MAX_DICT_ENTRIES});
  }
  EXPECT_EQ(report["drops"].size(), dataplane::kDropReasonCount);
  EXPECT_STREQ(CounterText("no_such_counter"), "");
  EXPECT_LT(report.dump().size(), 12000u);
}

TEST(StatsReportTest, PrintsWhatIsNotZero) {
  TestStack stack;
  dataplane::Counters& c = stack.pipeline().core().counters;
  c.rx_packets = 42;
  c.Drop(dataplane::DropReason::kUdpNoSocket) = 7;
  const Json report = StatsReport(stack.pipeline());
  const auto brief = FormatStats(report, false);
  ASSERT_TRUE(brief.ok());
  EXPECT_THAT(*brief, HasSubstr("rx_packets"));
  EXPECT_THAT(*brief, HasSubstr("udp_no_socket"));
  EXPECT_THAT(*brief, HasSubstr("no socket on that port"));
  EXPECT_THAT(*brief, Not(HasSubstr("gave_up")));
  EXPECT_THAT(*FormatStats(report, true), HasSubstr("gave_up"));
}

TEST(RoutesTest, AreReadInPages) {
  TestStack stack;
  const ListPage all = ReadRoutes(stack.pipeline(), 0, 10);
  ASSERT_EQ(all.rows.size(), 2u);
  EXPECT_FALSE(all.next.has_value());
  EXPECT_EQ(all.rows[0]["destination"], "10.77.0.0/24");
  EXPECT_EQ(all.rows[1]["gateway"], "10.77.0.1");
  const ListPage first = ReadRoutes(stack.pipeline(), 0, 1);
  ASSERT_EQ(first.rows.size(), 1u);
  ASSERT_TRUE(first.next.has_value());
  const ListPage second = ReadRoutes(stack.pipeline(), *first.next, 1);
  EXPECT_EQ(second.rows[0], all.rows[1]);
  EXPECT_FALSE(second.next.has_value());
  const auto text = FormatRoutes(all.rows);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("10.77.0.0/24        on link"));
}

TEST(NeighborsTest, AreReadInPages) {
  TestStack stack;
  ASSERT_TRUE(
      stack.pipeline().tcp().Connect(Ipv4Address(10, 77, 0, 9), 80, 0).ok());
  stack.pipeline().BeginTurn(kTimeZero + 2s);
  stack.pipeline().EndTurn();
  std::optional<uint64_t> next = 0;
  Json rows = Json::array();
  int pages = 0;
  while (next.has_value()) {
    ASSERT_LT(++pages, 100000);
    ListPage page = ReadNeighbors(stack.pipeline(), *next, 1, 16);
    for (Json& row : page.rows) rows.push_back(std::move(row));
    next = page.next;
  }
  EXPECT_GT(pages, 1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["address"], "10.77.0.9");
  EXPECT_EQ(rows[0]["state"], "incomplete");
  EXPECT_EQ(rows[0]["mac"], "");
  EXPECT_THAT(*FormatNeighbors(rows), HasSubstr("incomplete"));
}

TEST(TablesTest, RefuseOtherShapes) {
  const Json junk = Json::parse(R"([{"a": 1}, 7])");
  EXPECT_FALSE(FormatStats(junk, false).ok());
  EXPECT_FALSE(FormatPorts(junk).ok());
  EXPECT_FALSE(FormatNeighbors(junk).ok());
  EXPECT_FALSE(FormatRoutes(junk).ok());
  EXPECT_FALSE(
      FormatStats(Json::parse(R"({"counters": {"a": "b"}})"), false).ok());
}

TEST(TelemetryDataTest, TakesReports) {
  TestStack stack;
  // What a sent reply would free; LeakSanitizer watches.
  auto fill = [](const Json& json) {
    std::vector<rte_tel_data*> containers = {rte_tel_data_alloc()};
    std::vector<rte_tel_data*> inner;
    const int result = FillTelemetry(json, containers[0], inner);
    containers.insert(containers.end(), inner.begin(), inner.end());
    for (rte_tel_data* container : containers) rte_tel_data_free(container);
    return result;
  };
  EXPECT_EQ(fill(StatsReport(stack.pipeline())), 0);
  EXPECT_EQ(fill(Json{{"text", "x"}, {"number", 1}}), 0);
  // Longer than DPDK's strings, at the top and below.
  const std::string text(200, 'x');
  EXPECT_NE(fill(Json{{"text", text}}), 0);
  EXPECT_NE(fill(Json{{"object", {{"text", text}}}}), 0);
}

}  // namespace
}  // namespace corelane::inspect
