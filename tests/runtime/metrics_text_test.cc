#include "dataplane/inspect/metrics_text.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "dataplane/inspect/reports.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::inspect {
namespace {

// A family has one HELP and one TYPE, in front of its samples, which stand
// together.
TEST(MetricsTextTest, IsAnExposition) {
  TestStack stack;
  stack.pipeline().core().counters.rx_packets = 42;
  Json report = StatsReport(stack.pipeline());
  report["load"] = {{"busy_us", 1500000u}, {"up_us", 3000000u}};
  const std::vector<Json> cores = {report, report};
  const std::string text = MetricsText(cores);
  EXPECT_THAT(text,
              testing::HasSubstr("# TYPE corelane_rx_packets_total counter\n"
                                 "corelane_rx_packets_total{core=\"0\"} 42\n"
                                 "corelane_rx_packets_total{core=\"1\"} 42\n"));
  EXPECT_THAT(text, testing::HasSubstr(
                        "corelane_busy_seconds_total{core=\"1\"} 1.5\n"));
  EXPECT_THAT(text, testing::HasSubstr("corelane_connections{core=\"0\"} 0\n"));
  EXPECT_EQ(text.back(), '\n');
  std::set<std::string> families;
  std::string family;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "#" && words[1] == "HELP") {
      EXPECT_TRUE(families.insert(words[2]).second) << words[2];
      EXPECT_GT(words.size(), 3u);
      family = words[2];
    } else if (words[0] == "#") {
      EXPECT_EQ(words[2], family);
    } else {
      EXPECT_TRUE(absl::StartsWith(line, family + "{core=\"")) << line;
    }
  }
  EXPECT_GT(families.size(), 60u);
}

}  // namespace
}  // namespace corelane::inspect
