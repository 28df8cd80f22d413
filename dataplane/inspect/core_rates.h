// What each core did between two looks at it: `corelane top`.
#ifndef CORELANE_DATAPLANE_INSPECT_CORE_RATES_H_
#define CORELANE_DATAPLANE_INSPECT_CORE_RATES_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace corelane::inspect {

// Per second, but for what is an amount.
struct CoreRates {
  std::string core;  // its number, or "all"
  std::string cpu;
  double busy_percent = 0;
  double rx_packets = 0;
  double rx_bits = 0;
  double tx_packets = 0;
  double tx_bits = 0;
  uint64_t connections = 0;  // now
  double accepts = 0;
  double retransmissions = 0;
  double dropped = 0;
  uint64_t free_packets = 0;            // now
  std::map<std::string, double> drops;  // by reason, those above 0
};

// From two lists of core reports (core_report.h), the earlier first. The last
// of the result is the sum over all cores when there are several.
absl::StatusOr<std::vector<CoreRates>> RatesOf(
    const nlohmann::ordered_json& before, const nlohmann::ordered_json& after);

// A head line, a line for each core, and the reasons of drops below.
std::string RatesHead();
std::string FormatRates(std::span<const CoreRates> rates);
nlohmann::ordered_json RatesJson(std::span<const CoreRates> rates);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_CORE_RATES_H_
