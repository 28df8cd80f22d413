// How the results of a blast are told.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_REPORT_H_
#define CORELANE_DATAPLANE_CLI_BLAST_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/cli/blast_flags.h"
#include "dataplane/cli/blast_plot.h"
#include "dataplane/load/tally.h"
#include "proto/base/time.h"

namespace corelane::cli {

struct BlastResults {
  dataplane::Tally tally;
  Duration lasted{};        // for how long requests were counted
  bool partial = false;     // it was ended before its time
  std::string partial_why;  // instead; else empty
  uint64_t retransmits = 0;
  // 0..1, of the generator's busiest core: while requests counted, and in its
  // busiest second.
  double busy = 0;
  double busiest = 0;
  Duration behind{};  // how late it was with what was due, at most
  // Of each of several rates, or each tenth of a ramp.
  std::vector<dataplane::Tally> slices;
  std::vector<PlotPoint> points;
  std::vector<dataplane::FoundRate> found;  // of --find-max-rate
};

// "12.3 us".
std::string Spelled(Duration d);

// "p50 12.3 us, ..., mean 13.0 us".
std::string Quantiles(const dataplane::Histogram& latency);

// "9.41 Gbit/s", of bits per second.
std::string BitRateText(double bits);
double PerSecond(uint64_t n, Duration lasted);
// "2 refused, 1 reset", or "none".
std::string ErrorList(const dataplane::Tally& tally);

// Whether the generator, not the server, was the limit, as far as it knows.
std::string BusyText(const BlastResults& results);

// What there was at each of several rates; nothing if there was one.
std::string SliceTable(const BlastPlan& plan, const BlastResults& results);

// One line for what one second has brought; `total`: and all before.
std::string LiveLine(const BlastPlan& plan, int second,
                     const dataplane::Tally& tally,
                     const dataplane::Tally& total, Duration lasted,
                     double busy);

// The table at the end.
std::string Table(const BlastPlan& plan, const BlastResults& results);

// Writes the files that were asked for.
absl::Status WriteFiles(const BlastPlan& plan, const BlastResults& results);

// 0; 1 if an objective is missed or nothing was answered; 3 if it was ended
// before its time.
int ExitCodeOf(const BlastPlan& plan, const BlastResults& results);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_REPORT_H_
