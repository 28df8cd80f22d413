#include "dataplane/inspect/core_rates.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace corelane::inspect {
namespace {

using Json = nlohmann::ordered_json;

// What a counter grew by; 0 where there is none before (DPDK's drops that are
// zero are left out).
double Growth(const Json& before, const Json& after, const char* name) {
  const double now = after.value(name, 0.0);
  return std::max(0.0, now - before.value(name, 0.0));
}

CoreRates RatesOfCore(const Json& before, const Json& after) {
  CoreRates rates;
  rates.core = absl::StrCat(after.at("core").get<uint64_t>());
  rates.cpu = absl::StrCat(after.at("cpu").get<uint64_t>());
  const double us = std::max(1.0, Growth(before, after, "up_us"));
  const double per_second = 1e6 / us;
  auto rate = [&](const char* name) {
    return Growth(before, after, name) * per_second;
  };
  rates.busy_percent =
      std::min(100.0, 100 * Growth(before, after, "busy_us") / us);
  rates.rx_packets = rate("rx_packets");
  rates.rx_bits = 8 * rate("rx_bytes");
  rates.tx_packets = rate("tx_packets");
  rates.tx_bits = 8 * rate("tx_bytes");
  rates.connections = after.at("connections");
  rates.accepts = rate("accepts");
  rates.retransmissions = rate("retransmissions");
  rates.dropped = rate("dropped");
  rates.free_packets = after.at("free_packets");
  for (const auto& [reason, count] : after.at("drops").items()) {
    const double now = count.get<double>();
    const double then = before.at("drops").value(reason, 0.0);
    if (now > then) rates.drops[reason] = (now - then) * per_second;
  }
  return rates;
}

CoreRates Sum(std::span<const CoreRates> all) {
  CoreRates sum;
  sum.core = "all";
  for (const CoreRates& r : all) {
    sum.busy_percent += r.busy_percent / static_cast<double>(all.size());
    sum.rx_packets += r.rx_packets;
    sum.rx_bits += r.rx_bits;
    sum.tx_packets += r.tx_packets;
    sum.tx_bits += r.tx_bits;
    sum.connections += r.connections;
    sum.accepts += r.accepts;
    sum.retransmissions += r.retransmissions;
    sum.dropped += r.dropped;
    sum.free_packets += r.free_packets;
    for (const auto& [reason, rate] : r.drops) sum.drops[reason] += rate;
  }
  return sum;
}

// At most six characters: 999, 12.3k, 4.56M.
std::string Short(double value) {
  constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) {
    // A thing now and then is not nothing.
    return value > 0 && value < 9.95 ? absl::StrFormat("%.1f", value)
                                     : absl::StrFormat("%.0f", value);
  }
  return absl::StrFormat("%.*f%s", value < 9.995 ? 2 : (value < 99.95 ? 1 : 0),
                         value, kUnits[unit]);
}

}  // namespace

absl::StatusOr<std::vector<CoreRates>> RatesOf(const Json& before,
                                               const Json& after) {
  try {
    if (before.size() != after.size()) {
      return absl::DataLossError("the instance was started anew meanwhile");
    }
    std::vector<CoreRates> rates;
    for (size_t i = 0; i < after.size(); ++i) {
      rates.push_back(RatesOfCore(before.at(i), after.at(i)));
    }
    if (rates.size() > 1) rates.push_back(Sum(rates));
    return rates;
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(absl::StrCat(
        "the instance sent a report of another shape: ", error.what()));
  }
}

std::string RatesHead() {
  return absl::StrFormat("%-4s %3s %6s %8s %8s %8s %8s %8s %8s %8s %8s %9s\n",
                         "CORE", "CPU", "BUSY%", "RX pkt/s", "RX bit/s",
                         "TX pkt/s", "TX bit/s", "CONNS", "ACCEPT/s", "RETR/s",
                         "DROP/s", "MBUF FREE");
}

std::string FormatRates(std::span<const CoreRates> rates) {
  std::string text;
  for (const CoreRates& r : rates) {
    absl::StrAppend(
        &text, absl::StrFormat(
                   "%-4s %3s %6.1f %8s %8s %8s %8s %8u %8s %8s %8s %9u\n",
                   r.core, r.cpu, r.busy_percent, Short(r.rx_packets),
                   Short(r.rx_bits), Short(r.tx_packets), Short(r.tx_bits),
                   r.connections, Short(r.accepts), Short(r.retransmissions),
                   Short(r.dropped), r.free_packets));
  }
  for (const CoreRates& r : rates) {
    for (const auto& [reason, rate] : r.drops) {
      absl::StrAppend(&text, "  drops, core ", r.core, ": ", reason, " ",
                      Short(rate), "/s\n");
    }
  }
  return text;
}

Json RatesJson(std::span<const CoreRates> rates) {
  Json rows = Json::array();
  for (const CoreRates& r : rates) {
    Json drops = Json::object();
    for (const auto& [reason, rate] : r.drops) drops[reason] = rate;
    rows.push_back({{"core", r.core},
                    {"cpu", r.cpu},
                    {"busy_percent", r.busy_percent},
                    {"rx_packets_per_s", r.rx_packets},
                    {"rx_bits_per_s", r.rx_bits},
                    {"tx_packets_per_s", r.tx_packets},
                    {"tx_bits_per_s", r.tx_bits},
                    {"connections", r.connections},
                    {"accepts_per_s", r.accepts},
                    {"retransmissions_per_s", r.retransmissions},
                    {"dropped_per_s", r.dropped},
                    {"free_packets", r.free_packets},
                    {"drops_per_s", std::move(drops)}});
  }
  return rows;
}

}  // namespace corelane::inspect
