// `corelane blast send` and `receive`: their report.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_BULK_H_
#define CORELANE_DATAPLANE_CLI_BLAST_BULK_H_

#include <string>

#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_report.h"

namespace corelane::cli {

std::string DescribeBulk(const BlastPlan& plan);

std::string BulkLine(const dataplane::Tally& tally, Duration lasted);

std::string BulkTable(const BlastPlan& plan, const BlastResults& results);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_BULK_H_
