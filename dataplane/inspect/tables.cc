#include "dataplane/inspect/tables.h"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace corelane::inspect {
namespace {

// Runs `format`, whose look-ups throw when a member is missing or of another
// type.
template <typename Format>
absl::StatusOr<std::string> Guarded(const Format& format) {
  try {
    return format();
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(absl::StrCat(
        "the instance sent a report of another shape: ", error.what()));
  }
}

std::string Text(const Json& row, const char* name) {
  return row.at(name).get<std::string>();
}
uint64_t Number(const Json& row, const char* name) {
  return row.at(name).get<uint64_t>();
}

std::string FormatGroup(const char* title, const Json& group, bool all) {
  std::string text;
  for (const auto& [name, value] : group.items()) {
    const auto count = value.get<uint64_t>();
    if (count == 0 && !all) continue;
    absl::StrAppend(&text, absl::StrFormat("  %-24s %15u  %s\n", name, count,
                                           CounterText(name)));
  }
  if (text.empty()) text = "  none\n";
  return absl::StrCat(title, "\n", text);
}

std::string FormatPort(const Json& row) {
  std::vector<std::string> hardware;
  std::vector<std::string> software;
  for (const auto& [name, got] : row.at("offloads").items()) {
    (got.get<uint64_t>() != 0 ? hardware : software).push_back(name);
  }
  auto list = [](const std::vector<std::string>& names) {
    return names.empty() ? "none" : absl::StrJoin(names, " ");
  };
  const uint64_t mbps = Number(row, "mbps");
  const std::string label = Text(row, "label");
  const std::string vlans = row.value("vlans", "");
  return absl::StrFormat(
      "port %u: %s%s, driver %s\n"
      "  MAC %s, link %s%s, MTU %u (at most %u)%s\n"
      "  queues %u, flows to cores: %s\n"
      "  descriptors %u rx %u tx, idle core wakes on a packet: %s\n"
      "  offloads wanted and got: %s\n"
      "  wanted, done in software: %s\n"
      "  rx %u packets %u bytes, %u missed, %u errors, %u without memory\n"
      "  tx %u packets %u bytes, %u errors\n",
      Number(row, "port"), Text(row, "name"),
      label.empty() ? "" : absl::StrCat(" (", label, ")"), Text(row, "driver"),
      Text(row, "mac"), Text(row, "link"),
      mbps == 0 ? "" : absl::StrCat(" ", mbps, " Mbit/s"), Number(row, "mtu"),
      Number(row, "max_mtu"),
      vlans.empty() ? "" : absl::StrCat(", VLANs ", vlans),
      Number(row, "queues"), Text(row, "spread"), Number(row, "rx_descriptors"),
      Number(row, "tx_descriptors"),
      Number(row, "rx_interrupt") != 0 ? "yes" : "no", list(hardware),
      list(software), Number(row, "rx_packets"), Number(row, "rx_bytes"),
      Number(row, "rx_missed"), Number(row, "rx_errors"),
      Number(row, "rx_no_packet"), Number(row, "tx_packets"),
      Number(row, "tx_bytes"), Number(row, "tx_errors"));
}

}  // namespace

absl::StatusOr<std::string> FormatStats(const Json& report, bool all) {
  return Guarded([&] {
    return absl::StrCat(FormatGroup("packets", report.at("counters"), all),
                        FormatGroup("TCP", report.at("tcp"), all),
                        FormatGroup("received packets dropped, by reason",
                                    report.at("drops"), all),
                        FormatGroup("in use", report.at("resources"), all));
  });
}

absl::StatusOr<std::string> FormatPorts(const Json& rows) {
  return Guarded([&] {
    std::string text;
    for (const Json& row : rows) text += FormatPort(row);
    return text;
  });
}

absl::StatusOr<std::string> FormatNeighbors(const Json& rows) {
  return Guarded([&] {
    std::string text = absl::StrFormat("%-16s %-18s %-11s %9s %s\n", "Address",
                                       "MAC", "State", "Age", "Interface");
    for (const Json& row : rows) {
      const std::string mac = Text(row, "mac");
      absl::StrAppend(
          &text, absl::StrFormat(
                     "%-16s %-18s %-11s %8us %s\n", Text(row, "address"),
                     mac.empty() ? "-" : mac, Text(row, "state"),
                     Number(row, "age_ms") / 1000, Text(row, "interface")));
    }
    return text;
  });
}

Json MergeNeighbors(const Json& rows) {
  std::map<std::string, Json> merged;
  auto better = [](const Json& a, const Json& b) {
    const bool a_known = !a.value("mac", "").empty();
    const bool b_known = !b.value("mac", "").empty();
    if (a_known != b_known) return a_known;
    return a.value("age_ms", uint64_t{0}) < b.value("age_ms", uint64_t{0});
  };
  Json result = Json::array();
  try {
    for (const Json& row : rows) {
      const std::string key =
          absl::StrCat(Text(row, "interface"), " ", Text(row, "address"));
      const auto [it, fresh] = merged.emplace(key, row);
      if (!fresh && better(row, it->second)) it->second = row;
    }
  } catch (const nlohmann::json::exception&) {
    return rows;  // of another shape: formatting says so
  }
  for (auto& [key, row] : merged) result.push_back(std::move(row));
  return result;
}

absl::StatusOr<std::string> FormatAddresses(const Json& rows) {
  return Guarded([&] {
    std::string text = absl::StrFormat("%-19s %-10s %6s %s\n", "Address",
                                       "State", "Device", "Interface");
    for (const Json& row : rows) {
      const std::string rival = Text(row, "rival");
      absl::StrAppend(
          &text,
          absl::StrFormat(
              "%-19s %-10s %6u %s%s\n", Text(row, "address"),
              Text(row, "state"), Number(row, "device"), Text(row, "interface"),
              rival.empty() ? "" : absl::StrCat(", also claimed by ", rival)));
    }
    return text;
  });
}

absl::StatusOr<std::string> FormatRoutes(const Json& rows) {
  return Guarded([&] {
    std::string text =
        absl::StrFormat("%-19s %-16s %-16s %6s %s\n", "Destination", "Gateway",
                        "Source", "MTU", "Interface");
    for (const Json& row : rows) {
      const std::string gateway = Text(row, "gateway");
      absl::StrAppend(
          &text, absl::StrFormat("%-19s %-16s %-16s %6u %s\n",
                                 Text(row, "destination"),
                                 gateway == "0.0.0.0" ? "on link" : gateway,
                                 Text(row, "source"), Number(row, "mtu"),
                                 Text(row, "interface")));
      if (Number(row, "dead") != 0) {
        text.insert(text.size() - 1, " (the gateway does not answer)");
      }
    }
    return text;
  });
}

}  // namespace corelane::inspect
