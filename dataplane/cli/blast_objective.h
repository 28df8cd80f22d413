// What a blast has to achieve: --slo 'p99<50us,errors=0'.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_OBJECTIVE_H_
#define CORELANE_DATAPLANE_CLI_BLAST_OBJECTIVE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/load/tally.h"
#include "proto/base/time.h"

namespace corelane::cli {

struct Objective {
  enum class Metric : uint8_t {
    kP50,
    kP90,
    kP99,
    kP999,
    kMax,
    kMean,
    kErrors,
    kRate,
    kThroughput
  };
  enum class Relation : uint8_t { kBelow, kAtMost, kAbove, kAtLeast, kEqual };

  std::string text;  // as typed
  Metric metric = Metric::kP99;
  Relation relation = Relation::kBelow;
  // Nanoseconds, a count, requests or bits per second.
  double value = 0;

  // Whether it is about how long something took.
  bool IsTime() const { return metric < Metric::kErrors; }
  // `lasted` is how long requests were counted.
  bool Met(const dataplane::Tally& tally, Duration lasted) const;
};

absl::StatusOr<std::vector<Objective>> ParseObjectives(const std::string& text);

// "100", "20k", "1.5M": above zero.
absl::StatusOr<double> ParseRate(const std::string& flag,
                                 const std::string& text);
// "10k,20k,40k": one after the other; "10k..100k": from one to the other. What
// ParseRate takes is one of them.
struct Rates {
  std::vector<double> rates;
  bool ramp = false;
};
absl::StatusOr<Rates> ParseRates(const std::string& flag,
                                 const std::string& text);

// "500", "10k", "1M": a whole number of things, from 1 on.
absl::StatusOr<uint32_t> ParseCountFlag(const std::string& flag,
                                        const std::string& text, uint32_t most);

// "100Mbps", "1Gbps", "2.5G": above zero. Bits per second.
absl::StatusOr<double> ParseBitRate(const std::string& flag,
                                    const std::string& text);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_OBJECTIVE_H_
