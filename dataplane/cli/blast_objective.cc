#include "dataplane/cli/blast_objective.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace corelane::cli {
namespace {

using Metric = Objective::Metric;
using Relation = Objective::Relation;

constexpr std::array<std::pair<const char*, Metric>, 9> kMetrics = {{
    {"p50", Metric::kP50},
    {"p90", Metric::kP90},
    {"p99", Metric::kP99},
    {"p99.9", Metric::kP999},
    {"max", Metric::kMax},
    {"mean", Metric::kMean},
    {"errors", Metric::kErrors},
    {"rate", Metric::kRate},
    {"throughput", Metric::kThroughput},
}};

// The longer ones first.
constexpr std::array<std::pair<const char*, Relation>, 5> kRelations = {{
    {"<=", Relation::kAtMost},
    {">=", Relation::kAtLeast},
    {"<", Relation::kBelow},
    {">", Relation::kAbove},
    {"=", Relation::kEqual},
}};

bool IsTime(Metric metric) { return metric < Metric::kErrors; }

absl::Status Bad(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("--slo ", text.empty() ? "''" : text,
                   ": give conditions like p99<50us,errors=0,rate>=10k; of "
                   "p50, p90, p99, p99.9, max, mean (with ns, us, ms or s), "
                   "errors, rate and throughput (bits, like 1Gbps)"));
}

// A number with a unit of those given.
bool ParseScaled(absl::string_view text,
                 std::initializer_list<std::pair<const char*, double>> units,
                 double& out) {
  for (const auto& [unit, scale] : units) {
    absl::string_view number = text;
    if (!absl::ConsumeSuffix(&number, unit) || number.empty() ||
        !absl::ascii_isdigit(static_cast<unsigned char>(number.back()))) {
      continue;
    }
    if (!absl::SimpleAtod(number, &out)) return false;
    out *= scale;
    return out >= 0;
  }
  return false;
}

bool ParseCount(absl::string_view text, double& out) {
  return ParseScaled(text, {{"k", 1e3}, {"M", 1e6}, {"", 1}}, out);
}

bool ParseTime(absl::string_view text, double& out) {
  return ParseScaled(text, {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}},
                     out);
}

bool ParseBits(absl::string_view text, double& out) {
  absl::ConsumeSuffix(&text, "bps");
  return ParseScaled(text, {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"", 1}}, out);
}

bool ParseValue(Metric metric, absl::string_view text, double& out) {
  if (metric == Metric::kThroughput) return ParseBits(text, out);
  return IsTime(metric) ? ParseTime(text, out) : ParseCount(text, out);
}

double ValueOf(Metric metric, const dataplane::Tally& tally, Duration lasted) {
  auto at = [&](double share) {
    return static_cast<double>(tally.latency.At(share).count());
  };
  switch (metric) {
    case Metric::kP50:
      return at(0.5);
    case Metric::kP90:
      return at(0.9);
    case Metric::kP99:
      return at(0.99);
    case Metric::kP999:
      return at(0.999);
    case Metric::kMax:
      return at(1);
    case Metric::kMean:
      return static_cast<double>(tally.latency.Mean().count());
    case Metric::kErrors:
      return static_cast<double>(tally.Errors());
    case Metric::kRate:
    case Metric::kThroughput:
      break;
  }
  if (lasted <= 0s) return 0;
  // Of the busier direction.
  const uint64_t n = metric == Metric::kRate
                         ? tally.Of(dataplane::Outcome::kOk)
                         : 8 * std::max(tally.bytes_in, tally.bytes_out);
  return static_cast<double>(n) * 1e9 / static_cast<double>(lasted.count());
}

}  // namespace

bool Objective::Met(const dataplane::Tally& tally, Duration lasted) const {
  // No answer is no fast answer.
  if (IsTime() && tally.latency.count() == 0) return false;
  const double got = ValueOf(metric, tally, lasted);
  switch (relation) {
    case Relation::kBelow:
      return got < value;
    case Relation::kAtMost:
      return got <= value;
    case Relation::kAbove:
      return got > value;
    case Relation::kAtLeast:
      return got >= value;
    case Relation::kEqual:
      break;
  }
  return got == value;
}

absl::StatusOr<std::vector<Objective>> ParseObjectives(
    const std::string& text) {
  std::vector<Objective> all;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    const size_t at = part.find_first_of("<>=");
    if (at == absl::string_view::npos) return Bad(part);
    Objective o;
    o.text.assign(part.data(), part.size());
    const absl::string_view name =
        absl::StripAsciiWhitespace(part.substr(0, at));
    absl::string_view rest = part.substr(at);
    bool known = false;
    for (const auto& [word, metric] : kMetrics) {
      if (name != word) continue;
      o.metric = metric;
      known = true;
    }
    if (!known) return Bad(part);
    for (const auto& [sign, relation] : kRelations) {
      if (!absl::ConsumePrefix(&rest, sign)) continue;
      o.relation = relation;
      break;
    }
    rest = absl::StripAsciiWhitespace(rest);
    if (!ParseValue(o.metric, rest, o.value)) return Bad(part);
    all.push_back(std::move(o));
  }
  return all;
}

absl::StatusOr<double> ParseRate(const std::string& flag,
                                 const std::string& text) {
  double rate = 0;
  std::string number = text;
  if (absl::EndsWith(number, "pps")) number.resize(number.size() - 3);
  if (!ParseCount(number, rate) || rate <= 0 || rate > 1e8) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " ", text.empty() ? "''" : text,
        ": give requests per second above 0, at most 100M, like 500, 20k or "
        "1.5M"));
  }
  return rate;
}

absl::StatusOr<Rates> ParseRates(const std::string& flag,
                                 const std::string& text) {
  constexpr size_t kMostSteps = 64;
  Rates result;
  const std::pair<std::string, std::string> ends =
      absl::StrSplit(text, absl::MaxSplits("..", 1));
  result.ramp = absl::StrContains(text, "..");
  std::vector<std::string> parts = absl::StrSplit(text, ',');
  if (result.ramp) parts = {ends.first, ends.second};
  if (parts.size() > kMostSteps) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": ", parts.size(), " steps; give at most ", kMostSteps));
  }
  for (const std::string& part : parts) {
    auto rate = ParseRate(flag, part);
    if (!rate.ok()) return rate.status();
    result.rates.push_back(*rate);
  }
  return result;
}

absl::StatusOr<uint32_t> ParseCountFlag(const std::string& flag,
                                        const std::string& text,
                                        uint32_t most) {
  double count = 0;
  if (!ParseCount(text, count) || count < 1 || count > most ||
      count != std::floor(count)) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text.empty() ? "''" : text,
                     ": give a number from 1 to ", most, ", like 10k or 1M"));
  }
  return static_cast<uint32_t>(count);
}

absl::StatusOr<double> ParseBitRate(const std::string& flag,
                                    const std::string& text) {
  double rate = 0;
  if (!ParseBits(text, rate) || rate < 1e3 || rate > 1e12) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text.empty() ? "''" : text,
                     ": give bits per second from 1kbps to 1000Gbps, like "
                     "100Mbps or 1Gbps"));
  }
  return rate;
}

}  // namespace corelane::cli
