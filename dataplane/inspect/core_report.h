// One core in brief: what `corelane top` and the metrics show.
#ifndef CORELANE_DATAPLANE_INSPECT_CORE_REPORT_H_
#define CORELANE_DATAPLANE_INSPECT_CORE_REPORT_H_

#include <nlohmann/json_fwd.hpp>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/runtime/core_loop.h"

namespace corelane::inspect {

// {"cpu": 2, "up_us": 1, "busy_us": 1, "rx_packets": 1, ..., "drops": {...}},
// drops that are not 0 only. To be run by the core itself.
nlohmann::ordered_json CoreReport(dataplane::Pipeline& pipeline,
                                  const runtime::CoreLoad& load);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_CORE_REPORT_H_
