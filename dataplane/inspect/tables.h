// Reports as tables for people.
#ifndef CORELANE_DATAPLANE_INSPECT_TABLES_H_
#define CORELANE_DATAPLANE_INSPECT_TABLES_H_

#include <string>

#include "absl/status/statusor.h"
#include "dataplane/inspect/reports.h"

namespace corelane::inspect {

// What a report of another shape gives is an error, not a crash: it came from
// another process.

// Counters that are not zero, or all of them, with their meaning.
absl::StatusOr<std::string> FormatStats(const Json& report, bool all);
absl::StatusOr<std::string> FormatPorts(const Json& rows);
absl::StatusOr<std::string> FormatNeighbors(const Json& rows);
// Each core has a replica of the neighbours: of those that several know, the
// one with a MAC address, or the most recent.
Json MergeNeighbors(const Json& rows);
absl::StatusOr<std::string> FormatAddresses(const Json& rows);
absl::StatusOr<std::string> FormatRoutes(const Json& rows);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_TABLES_H_
