// JSON into DPDK's own tree of telemetry data.
#ifndef CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_
#define CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_

#include <rte_telemetry.h>

#include "dataplane/inspect/reports.h"

namespace corelane::inspect {

// Fills `out` from an object whose members are unsigned numbers, strings
// shorter than 128 bytes, and objects of the same kind. Returns what a
// telemetry callback returns: 0, or a negative number.
int FillTelemetry(const Json& json, rte_tel_data* out);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_
