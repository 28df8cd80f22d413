#include "dataplane/cli/blast_hold.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "dataplane/cli/blast_objective.h"
#include "dataplane/cli/blast_stateless.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/load/probe.h"
#include "dataplane/runtime/memory_plan.h"

namespace corelane::cli {
namespace {

using dataplane::Outcome;
using dataplane::Tally;

// "1%" of `all`, at least one.
absl::StatusOr<uint32_t> ParseShare(const std::string& text, uint32_t all) {
  absl::string_view number = text;
  double percent = 0;
  if (!absl::ConsumeSuffix(&number, "%") ||
      !absl::SimpleAtod(number, &percent) || !(percent > 0) || percent > 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("--active ", text.empty() ? "''" : text,
                     ": give a share of the connections above 0, like "
                     "1% or 0.1%"));
  }
  return std::max(1u, static_cast<uint32_t>(std::lround(all * percent / 100)));
}

}  // namespace

void BlastFlags::AddHold(CommandLine& line) {
  line.AddValue("--connections", connections_, "N",
                "hold: how many to open and to keep (1M)");
  line.AddValue("--active", active_, "PERCENT%",
                "hold: how many of them are asked, as echo is, at --rate in "
                "all (default: none; of each once a second)");
  line.AddValues("--sources", sources_, "A.B.C.D/N",
                 "Ask from these addresses in turn, which become ours (ARP is "
                 "answered for them); may be repeated. Where they are many, "
                 "let the server have a route to them by way of --addr, lest "
                 "each takes an entry of its ARP table");
}

absl::Status BlastFlags::UnderstandHold(BlastPlan& plan) const {
  if (!connections_.has_value()) {
    return absl::InvalidArgumentError(
        "no --connections; say how many to hold, like 10k or 1M");
  }
  dataplane::HoldLoadConfig& hold = plan.hold;
  hold.load.timeout = 2s;
  absl::Status s = UnderstandCommon(hold.load);
  Take(connections_, hold.load.concurrency, s, [](const std::string& t) {
    return ParseCountFlag("--connections", t, kMaxConcurrency);
  });
  Take(open_rate_, hold.open_rate, s,
       [](const std::string& t) { return ParseRate("--open-rate", t); });
  Take(active_, hold.active, s, [&](const std::string& t) {
    return ParseShare(t, hold.load.concurrency);
  });
  if (s.ok()) s = TakeRate(rate_, hold.load);
  uint32_t size = 64;
  Take(size_, size, s, [](const std::string& t) {
    return ParseNumber("--size", t, 1, kMaxEcho, "");
  });
  if (!s.ok()) return s;
  if (!active_ && (rate_ || size_ || poisson_)) {
    return absl::InvalidArgumentError(
        "--rate, --size and --poisson are for those that are --active; "
        "say how many, like --active 1%");
  }
  if (active_ && !rate_) hold.load.rate = hold.active;
  hold.load.poisson = poisson_;
  hold.request = EchoPattern(size);
  plan.udp.load = hold.load;
  return s;
}

absl::Status CheckHold(const BlastPlan& plan, size_t sources,
                       runtime::RuntimeOptions& options) {
  const uint32_t all = plan.hold.load.concurrency;
  const uint64_t ports =
      uint64_t{dataplane::ProbePlan::kPortsPerSource} * sources;
  if (all > ports) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--connections ", all, ": ", sources,
        sources == 1 ? " address has " : " addresses have ", ports,
        " ports towards one server; give --sources, like 10.77.16.0/20"));
  }
  if (plan.stateless) return absl::OkStatus();  // no memory for any
  const auto cores =
      static_cast<uint32_t>(std::max<size_t>(1, options.cores.size()));
  const uint32_t each = (all + cores - 1) / cores;
  if (each > runtime::kMaxConnections) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--connections ", all, ": at most ", runtime::kMaxConnections,
        " on each core; give more --cores"));
  }
  options.max_connections = std::max(options.max_connections, each);
  return absl::OkStatus();
}

std::string DescribeHold(const BlastPlan& plan) {
  const dataplane::HoldLoadConfig& h = plan.hold;
  std::string text =
      absl::StrCat(plan.stateless ? "stateless hold " : "hold ",
                   h.load.concurrency, " connections to ",
                   ToString(h.load.target.address), ":", h.load.target.port);
  if (h.open_rate > 0) absl::StrAppend(&text, ", ", h.open_rate, " opened/s");
  if (h.active > 0) {
    absl::StrAppend(&text, ", ", h.active, " of them active, ",
                    RatesText(h.load), " requests/s, ", h.request.size(),
                    " bytes");
  }
  return absl::StrCat(text, "; ", h.load.duration / 1ms,
                      " ms once they are "
                      "open");
}

std::string HoldLine(const Tally& second, const Tally& total, Duration lasted) {
  std::string text = absl::StrFormat("%d held", total.opened - total.ended);
  if (second.opened > 0) {
    absl::StrAppend(&text, ", ", second.opened, " opened");
  }
  if (second.sent > 0) {
    absl::StrAppend(&text,
                    absl::StrFormat(", %.0f/s ok, p50 %s, p99 %s",
                                    PerSecond(second.Of(Outcome::kOk), lasted),
                                    Spelled(second.latency.At(0.5)),
                                    Spelled(second.latency.At(0.99))));
  }
  return text;
}

std::string HoldTable(const BlastPlan& plan, const BlastResults& r) {
  const Tally& t = r.tally;
  const dataplane::HoldLoadConfig& h = plan.hold;
  std::string text =
      StatelessLabel(plan) +
      absl::StrFormat("held         %d of %d, %d were opened",
                      t.opened - t.ended, h.load.concurrency, t.opened);
  if (t.opening > 0s) {
    absl::StrAppend(&text, absl::StrFormat(" in %s, %.0f/s", Spelled(t.opening),
                                           PerSecond(t.opened, t.opening)));
  }
  absl::StrAppend(&text, "\n");
  if (h.active > 0) {
    absl::StrAppend(
        &text,
        absl::StrFormat("requests     %d sent, %d ok, %.1f/s on %d of them\n",
                        t.sent, t.Of(Outcome::kOk),
                        PerSecond(t.Of(Outcome::kOk), r.lasted), h.active),
        "latency      ", Quantiles(t.latency), "\n");
  }
  absl::StrAppend(&text, SliceTable(plan, r), "errors       ", ErrorList(t),
                  "\n");
  if (plan.stateless) return text + StatelessHoldLines(r);
  absl::StrAppend(&text, "connections  ", t.ended, " lost, ", r.retransmits,
                  " retransmissions\n");
  return text;
}

}  // namespace corelane::cli
