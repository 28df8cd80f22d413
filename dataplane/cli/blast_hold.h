// `corelane blast hold`: its checks and its report.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_HOLD_H_
#define CORELANE_DATAPLANE_CLI_BLAST_HOLD_H_

#include <string>

#include "absl/status/status.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/runtime/options.h"

namespace corelane::cli {

std::string DescribeHold(const BlastPlan& plan);

// Whether `sources` addresses have ports for them; and makes room for so many
// connections on each of the cores.
absl::Status CheckHold(const BlastPlan& plan, size_t sources,
                       runtime::RuntimeOptions& options);

// Of one second, and what there is after it.
std::string HoldLine(const dataplane::Tally& second,
                     const dataplane::Tally& total, Duration lasted);

std::string HoldTable(const BlastPlan& plan, const BlastResults& results);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_HOLD_H_
