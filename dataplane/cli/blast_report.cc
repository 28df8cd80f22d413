#include "dataplane/cli/blast_report.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "dataplane/cli/blast_bulk.h"
#include "dataplane/cli/blast_hold.h"
#include "dataplane/cli/blast_packets.h"
#include "dataplane/cli/command_line.h"
#include "nlohmann/json.hpp"

namespace corelane::cli {
namespace {

using dataplane::kOutcomeNames;
using dataplane::kOutcomes;
using dataplane::Outcome;
using dataplane::Tally;

constexpr int kExitPartial = 3;
// Above this the generator's own work is part of what was measured.
constexpr double kBusy = 0.9;

constexpr std::array<std::pair<const char*, double>, 5> kShares = {{
    {"p50", 0.5},
    {"p90", 0.9},
    {"p99", 0.99},
    {"p99.9", 0.999},
    {"max", 1},
}};

std::string Megabits(uint64_t bytes, Duration lasted) {
  return absl::StrFormat("%.1f Mbit/s", PerSecond(bytes, lasted) * 8 / 1e6);
}

std::string RequestTable(const BlastPlan& plan, const BlastResults& r) {
  const Tally& t = r.tally;
  std::string text;
  absl::StrAppend(
      &text, absl::StrFormat("requests     %d sent, %d ok, %.1f/s\n", t.sent,
                             t.Of(Outcome::kOk),
                             PerSecond(t.Of(Outcome::kOk), r.lasted)));
  absl::StrAppend(&text, "latency      ", Quantiles(t.latency),
                  "\n             ",
                  plan.udp.load.rate > 0
                      ? "from when each was due (no coordinated omission)\n"
                      : "from when each was sent: a closed loop asks a slow "
                        "server less\n");
  absl::StrAppend(&text, "errors       ", ErrorList(t), "\n");
  absl::StrAppend(&text, "payload      out ", Megabits(t.bytes_out, r.lasted),
                  ", in ", Megabits(t.bytes_in, r.lasted), "\n");
  if (plan.IsTcp()) {
    absl::StrAppend(&text, "connections  ", t.opened, " opened, ",
                    r.retransmits, " retransmissions\n");
  }
  return text;
}

nlohmann::json ToJson(const BlastPlan& plan, const BlastResults& r) {
  nlohmann::json out;
  out["what"] = plan.what;
  out["description"] = plan.Describe();
  out["partial"] = r.partial;
  out["seconds"] = static_cast<double>(r.lasted.count()) / 1e9;
  out["sent"] = r.tally.sent;
  out["ok"] = r.tally.Of(Outcome::kOk);
  out["ok_per_second"] = PerSecond(r.tally.Of(Outcome::kOk), r.lasted);
  out["errors"] = r.tally.Errors();
  nlohmann::json& kinds = out["errors_by_kind"] = nlohmann::json::object();
  for (size_t i = 1; i < kOutcomes; ++i) {
    std::string name = kOutcomeNames[i];
    for (char& c : name) c = c == ' ' ? '_' : c;
    kinds[name] = r.tally.outcomes[i];
  }
  nlohmann::json& latency = out["latency_ns"] = nlohmann::json::object();
  for (const auto& [name, share] : kShares) {
    latency[name] = r.tally.latency.At(share).count();
  }
  latency["mean"] = r.tally.latency.Mean().count();
  latency["count"] = r.tally.latency.count();
  out["bytes_out"] = r.tally.bytes_out;
  out["bytes_in"] = r.tally.bytes_in;
  out["connections_opened"] = r.tally.opened;
  out["retransmissions"] = r.retransmits;
  if (plan.what == "hold") {
    out["connections_wanted"] = plan.hold.load.concurrency;
    out["connections_held"] = r.tally.opened - r.tally.ended;
    out["connections_lost"] = r.tally.ended;
    out["opened_per_second"] = PerSecond(r.tally.opened, r.tally.opening);
  }
  if (plan.IsBulk()) {
    out["bits_per_second_out"] = PerSecond(r.tally.bytes_out, r.lasted) * 8;
    out["bits_per_second_in"] = PerSecond(r.tally.bytes_in, r.lasted) * 8;
    out["segments_out"] = r.tally.segments_out;
    out["segments_in"] = r.tally.segments_in;
  }
  if (plan.what == "pps") {
    out["sent_per_second"] = PerSecond(r.tally.sent, r.lasted);
    out["overtaken"] = r.tally.late;
    out["doubled"] = r.tally.doubled;
    out["others"] = r.tally.foreign;
    nlohmann::json& found = out["found"] = nlohmann::json::array();
    for (const dataplane::FoundRate& f : r.found) {
      found.push_back({{"size", f.size},
                       {"packets_per_second", f.rate},
                       {"loss", f.loss},
                       {"trials", f.trials}});
    }
  }
  out["generator_busy"] = r.busy;
  nlohmann::json& objectives = out["objectives"] = nlohmann::json::array();
  for (const Objective& o : plan.objectives) {
    objectives.push_back({{"text", o.text}, {"met", o.Met(r.tally, r.lasted)}});
  }
  return out;
}

absl::Status WriteFile(const char* flag, const std::string& path,
                       const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " ", path, ": cannot be written"));
}

}  // namespace

std::string Spelled(Duration d) {
  const auto ns = static_cast<double>(d.count());
  if (d < 1us) return absl::StrFormat("%d ns", d.count());
  if (d < 1ms) return absl::StrFormat("%.1f us", ns / 1e3);
  if (d < 1s) return absl::StrFormat("%.2f ms", ns / 1e6);
  return absl::StrFormat("%.2f s", ns / 1e9);
}

std::string Quantiles(const dataplane::Histogram& latency) {
  std::vector<std::string> parts;
  parts.reserve(kShares.size() + 1);
  for (const auto& [name, share] : kShares) {
    parts.push_back(absl::StrCat(name, " ", Spelled(latency.At(share))));
  }
  parts.push_back(absl::StrCat("mean ", Spelled(latency.Mean())));
  return absl::StrJoin(parts, ", ");
}

std::string BitRateText(double bits) {
  if (bits >= 1e9) return absl::StrFormat("%.2f Gbit/s", bits / 1e9);
  return absl::StrFormat("%.1f Mbit/s", bits / 1e6);
}

double PerSecond(uint64_t n, Duration lasted) {
  if (lasted <= 0s) return 0;
  return static_cast<double>(n) * 1e9 / static_cast<double>(lasted.count());
}

std::string ErrorList(const Tally& tally) {
  std::vector<std::string> parts;
  for (size_t i = 1; i < kOutcomes; ++i) {
    if (tally.outcomes[i] == 0) continue;
    parts.push_back(absl::StrCat(tally.outcomes[i], " ", kOutcomeNames[i]));
  }
  return parts.empty() ? "none" : absl::StrJoin(parts, ", ");
}

std::string LiveLine(const BlastPlan& plan, int second, const Tally& tally,
                     const Tally& total, Duration lasted, double busy) {
  std::string text;
  if (plan.IsBulk()) {
    text = BulkLine(tally, lasted);
  } else if (plan.what == "hold") {
    text = HoldLine(tally, total, lasted);
  } else {
    text = absl::StrFormat("%.0f/s ok, p50 %s, p99 %s, p99.9 %s",
                           PerSecond(tally.Of(Outcome::kOk), lasted),
                           Spelled(tally.latency.At(0.5)),
                           Spelled(tally.latency.At(0.99)),
                           Spelled(tally.latency.At(0.999)));
  }
  return absl::StrFormat("%3d s  %s, %d errors, busy %.0f %%", second, text,
                         tally.Errors(), busy * 100);
}

std::string Table(const BlastPlan& plan, const BlastResults& r) {
  std::string text = absl::StrCat(plan.Describe(), "\n");
  if (r.partial) {
    absl::StrAppend(&text, "PARTIAL: it was ended after ", Spelled(r.lasted),
                    "\n");
  }
  absl::StrAppend(&text, plan.what == "pps"    ? PacketTable(plan, r)
                         : plan.IsBulk()       ? BulkTable(plan, r)
                         : plan.what == "hold" ? HoldTable(plan, r)
                                               : RequestTable(plan, r));
  absl::StrAppend(
      &text,
      absl::StrFormat("generator    busy %.0f %%: %s\n", r.busy * 100,
                      r.busy > kBusy ? "it may be the limit, not the server"
                                     : "it is not the limit"));
  for (const Objective& o : plan.objectives) {
    absl::StrAppend(&text, "objective    ", o.text, ": ",
                    o.Met(r.tally, r.lasted) ? "met" : "MISSED", "\n");
  }
  return text;
}

absl::Status WriteFiles(const BlastPlan& plan, const BlastResults& results) {
  if (!plan.json.empty()) {
    absl::Status s =
        WriteFile("--json", plan.json, ToJson(plan, results).dump(2) + "\n");
    if (!s.ok()) return s;
  }
  if (plan.hgrm.empty()) return absl::OkStatus();
  return WriteFile("--hgrm", plan.hgrm, results.tally.latency.ToHgrm());
}

int ExitCodeOf(const BlastPlan& plan, const BlastResults& results) {
  if (results.partial) return kExitPartial;
  if (plan.search.has_value()) {
    const bool all = results.found.size() == plan.search->sizes.size() &&
                     std::all_of(results.found.begin(), results.found.end(),
                                 [](const auto& f) { return f.rate > 0; });
    return all ? kExitOk : kExitFailed;
  }
  const dataplane::Tally& t = results.tally;
  const bool asks = plan.what != "hold" || t.sent > 0;
  if (asks ? t.Of(Outcome::kOk) == 0 : t.opened == t.ended) return kExitFailed;
  for (const Objective& o : plan.objectives) {
    if (!o.Met(results.tally, results.lasted)) return kExitFailed;
  }
  return kExitOk;
}

}  // namespace corelane::cli
