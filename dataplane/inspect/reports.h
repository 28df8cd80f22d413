// What there is to know besides sockets: counters, devices, neighbours, routes.
// As JSON, which is what telemetry sends and clients read.
#ifndef CORELANE_DATAPLANE_INSPECT_REPORTS_H_
#define CORELANE_DATAPLANE_INSPECT_REPORTS_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/pipeline.h"
#include "pmd/port.h"

namespace corelane::inspect {

using Json = nlohmann::ordered_json;

// {"counters": {"rx_packets": 1, ...}, "tcp": {...}, "drops": {...},
//  "resources": {...}}; drops by reason, every one of them.
Json StatsReport(dataplane::Pipeline& pipeline);

// One device; `spread` says how its packets get to their cores. Every thread
// may call it.
// `vlans`: "3 4".
Json PortReport(const pmd::Port& port, const std::string& spread,
                const std::string& vlans);

// A list in pages; `next` is the cursor of the following one.
struct ListPage {
  Json rows = Json::array();
  std::optional<uint64_t> next;
};
// Rows of {"interface", "address", "mac", "state", "age_ms"}.
ListPage ReadNeighbors(dataplane::Pipeline& pipeline, uint64_t from,
                       size_t rows, uint32_t scanned);
// Rows of {"destination", "gateway", "interface", "source", "mtu"}.
ListPage ReadRoutes(dataplane::Pipeline& pipeline, uint64_t from, size_t rows);

// What a counter or a drop reason stands for, by its name in a stats report;
// empty for an unknown one.
const char* CounterText(const std::string& name);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_REPORTS_H_
