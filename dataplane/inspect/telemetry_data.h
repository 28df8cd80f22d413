// JSON into DPDK's own tree of telemetry data.
#ifndef CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_
#define CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_

#include <rte_telemetry.h>

#include <vector>

#include "dataplane/inspect/reports.h"

namespace corelane::inspect {

// Fills `out` from an object whose members are unsigned numbers, strings
// shorter than 128 bytes, and objects of the same kind. Returns what a
// telemetry callback returns: 0, or a negative number.
//
// The objects inside become containers of their own, appended to `containers`.
// DPDK frees them with a reply that it sends, and never otherwise: whoever does
// not return `out` with 0 from a callback frees them, and `out`.
int FillTelemetry(const Json& json, rte_tel_data* out,
                  std::vector<rte_tel_data*>& containers);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_TELEMETRY_DATA_H_
