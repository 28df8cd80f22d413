// `corelane blast ... --stateless`: its checks and its report.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_STATELESS_H_
#define CORELANE_DATAPLANE_CLI_BLAST_STATELESS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/load/stateless_client.h"
#include "dataplane/runtime/options.h"

namespace corelane::cli {

// Of echo and http.
std::string DescribeStateless(const BlastPlan& plan);

// Whether the request fits into a segment, and there are ports for so many at
// once; and takes back the room for connections that nobody will have.
absl::Status CheckStateless(const BlastPlan& plan,
                            runtime::RuntimeOptions& options);

// What its connections are like. Reads the host's clock, once.
dataplane::StatelessConfig StatelessClientOf(const BlastPlan& plan);

// The line that says what kind of client it was; nothing if it was another.
std::string StatelessLabel(const BlastPlan& plan);
// Of echo and http; and what hold adds to its own.
std::string StatelessTable(const BlastPlan& plan, const BlastResults& results);
std::string StatelessHoldLines(const BlastResults& results);

void AddStatelessJson(const BlastResults& results, nlohmann::json& out);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_STATELESS_H_
