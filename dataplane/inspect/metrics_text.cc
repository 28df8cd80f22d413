#include "dataplane/inspect/metrics_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "dataplane/inspect/reports.h"

namespace corelane::inspect {
namespace {

void Family(const std::string& name, const char* type, const std::string& help,
            std::string& text) {
  absl::StrAppend(&text, "# HELP ", name, " ", help, "\n# TYPE ", name, " ",
                  type, "\n");
}

// One family for each member of a group.
void Group(std::span<const Json> cores, const char* group, const char* prefix,
           bool counter, std::string& text) {
  if (cores.empty()) return;
  for (const auto& [member, unused] : cores[0].at(group).items()) {
    const std::string name =
        absl::StrCat("corelane_", prefix, member, counter ? "_total" : "");
    const std::string help = CounterText(member);
    Family(name, counter ? "counter" : "gauge", help.empty() ? member : help,
           text);
    for (size_t i = 0; i < cores.size(); ++i) {
      absl::StrAppend(&text, name, "{core=\"", i, "\"} ",
                      cores[i].at(group).at(member).get<uint64_t>(), "\n");
    }
  }
}

void Drops(std::span<const Json> cores, std::string& text) {
  Family("corelane_drops_total", "counter",
         "received packets dropped, by reason", text);
  for (size_t i = 0; i < cores.size(); ++i) {
    for (const auto& [reason, count] : cores[i].at("drops").items()) {
      absl::StrAppend(&text, "corelane_drops_total{core=\"", i, "\",reason=\"",
                      reason, "\"} ", count.get<uint64_t>(), "\n");
    }
  }
}

void Seconds(std::span<const Json> cores, const char* member,
             const std::string& name, const char* help, std::string& text) {
  Family(name, "counter", help, text);
  for (size_t i = 0; i < cores.size(); ++i) {
    const double seconds = cores[i].at("load").at(member).get<double>() / 1e6;
    absl::StrAppend(&text, name, "{core=\"", i, "\"} ", seconds, "\n");
  }
}

}  // namespace

std::string MetricsText(std::span<const Json> cores) {
  std::string text;
  Group(cores, "counters", "", true, text);
  Group(cores, "tcp", "tcp_", true, text);
  Drops(cores, text);
  Group(cores, "resources", "", false, text);
  Seconds(cores, "busy_us", "corelane_busy_seconds_total",
          "time in turns of the loop that found something to do", text);
  Seconds(cores, "up_us", "corelane_loop_seconds_total",
          "time since the loop began", text);
  return text;
}

}  // namespace corelane::inspect
