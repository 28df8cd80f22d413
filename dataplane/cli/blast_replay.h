// `corelane blast replay`: its flags and its report.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_REPLAY_H_
#define CORELANE_DATAPLANE_CLI_BLAST_REPLAY_H_

#include <string>

#include "absl/status/status.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"
#include "dataplane/runtime/options.h"
#include "nlohmann/json_fwd.hpp"

namespace corelane::cli {

// Reads the file, and checks what only file and device together tell.
absl::Status LoadReplay(BlastPlan& plan,
                        const runtime::RuntimeOptions& options);

std::string DescribeReplay(const BlastPlan& plan);

// For what one second has brought.
std::string ReplayLine(const dataplane::Tally& second, Duration lasted);

std::string ReplayTable(const BlastPlan& plan, const BlastResults& results);

void AddReplayJson(const BlastPlan& plan, const BlastResults& results,
                   nlohmann::json& out);

// After the core has stopped: what the load alone knows.
void FinishReplay(const BlastPlan& plan, const dataplane::ReplayLoad& load,
                  BlastResults& results);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_REPLAY_H_
