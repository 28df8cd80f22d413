// Counters as Prometheus reads them (text exposition format 0.0.4).
#ifndef CORELANE_DATAPLANE_INSPECT_METRICS_TEXT_H_
#define CORELANE_DATAPLANE_INSPECT_METRICS_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

namespace corelane::inspect {

// From the stats report of each core (reports.h), to which "load" was added:
// {"busy_us": 1, "up_us": 1}. Every sample has a label `core`.
std::string MetricsText(std::span<const nlohmann::ordered_json> cores);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_METRICS_TEXT_H_
