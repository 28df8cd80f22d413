// The picture of a blast: --plot FILE.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_PLOT_H_
#define CORELANE_DATAPLANE_CLI_BLAST_PLOT_H_

#include <string>
#include <vector>

#include "dataplane/load/histogram.h"

namespace corelane::cli {

// One point in time of a blast.
struct PlotPoint {
  double seconds = 0;  // since what counts began; the end of its interval
  double got = 0;      // answers per second, or bits per second
  double meant = 0;    // what was due per second; 0: nothing was
  double errors = 0;   // per second
};

struct PlotData {
  std::string title;     // the command
  std::string subtitle;  // its outcome in a few words
  std::string unit = "answers/s";
  std::string latency_name = "Latency";
  // nullptr, or without a count: no panel for it.
  const dataplane::Histogram* latency = nullptr;
  std::vector<PlotPoint> points;
};

// An SVG picture that needs nothing else, readable on light and dark.
std::string PlotSvg(const PlotData& data);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_PLOT_H_
