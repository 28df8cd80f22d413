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
#include "dataplane/cli/blast_replay.h"
#include "dataplane/cli/blast_stateless.h"
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
constexpr Duration kBehind = 5ms;

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

// From and to which rate it was.
std::pair<double, double> RatesOf(const BlastPlan& plan, size_t slice,
                                  size_t slices) {
  const dataplane::LoadConfig& l = plan.udp.load;
  if (!l.ramp) return {l.rates[slice], l.rates[slice]};
  auto at = [&](size_t i) {
    return l.rates[0] + (l.rates[1] - l.rates[0]) * static_cast<double>(i) /
                            static_cast<double>(slices);
  };
  return {at(slice), at(slice + 1)};
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
  absl::StrAppend(&text, "errors       ", ErrorList(t), "\n",
                  SliceTable(plan, r));
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
  if (plan.stateless) AddStatelessJson(r, out);
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
  if (plan.what == "replay") AddReplayJson(plan, r, out);
  if (!r.partial_why.empty()) out["partial_why"] = r.partial_why;
  if (!r.slices.empty()) {
    nlohmann::json& steps = out["by_rate"] = nlohmann::json::array();
    const Duration each = plan.udp.load.duration / r.slices.size();
    for (size_t i = 0; i < r.slices.size(); ++i) {
      const Tally& t = r.slices[i];
      const auto [from, to] = RatesOf(plan, i, r.slices.size());
      steps.push_back({{"from", from},
                       {"to", to},
                       {"sent", t.sent},
                       {"ok", t.Of(Outcome::kOk)},
                       {"ok_per_second", PerSecond(t.Of(Outcome::kOk), each)},
                       {"errors", t.Errors()},
                       {"latency_ns",
                        {{"p50", t.latency.At(0.5).count()},
                         {"p99", t.latency.At(0.99).count()},
                         {"p99.9", t.latency.At(0.999).count()},
                         {"max", t.latency.max().count()}}}});
    }
  }
  out["generator_busy"] = r.busy;
  out["generator_busiest_second"] = r.busiest;
  out["generator_behind_ns"] = r.behind.count();
  out["generator_was_limit"] = r.busy > kBusy;
  nlohmann::json& objectives = out["objectives"] = nlohmann::json::array();
  for (const Objective& o : plan.objectives) {
    objectives.push_back({{"text", o.text}, {"met", o.Met(r.tally, r.lasted)}});
  }
  return out;
}

std::string Plot(const BlastPlan& plan, const BlastResults& r) {
  PlotData data;
  data.title = plan.command;
  data.latency = &r.tally.latency;
  data.points = r.points;
  if (plan.IsBulk()) {
    data.unit = "bit/s";
    data.subtitle = BitRateText(
        PerSecond(std::max(r.tally.bytes_in, r.tally.bytes_out), r.lasted) * 8);
  } else {
    const bool replay = plan.what == "replay";
    if (plan.what == "pps" || replay) data.unit = "packets/s";
    if (replay) data.latency_name = "Lateness";
    data.subtitle =
        absl::StrFormat("%d ok, %.0f/s; ", r.tally.Of(Outcome::kOk),
                        PerSecond(r.tally.Of(Outcome::kOk), r.lasted)) +
        Quantiles(r.tally.latency);
  }
  absl::StrAppend(&data.subtitle, "; errors: ", ErrorList(r.tally),
                  r.partial ? "; PARTIAL" : "");
  return PlotSvg(data);
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

std::string SliceTable(const BlastPlan& plan, const BlastResults& r) {
  if (r.slices.empty()) return "";
  std::string text =
      absl::StrFormat("by rate      %17s %11s %10s %10s %10s %8s\n", "due/s",
                      "ok/s", "p50", "p99", "p99.9", "errors");
  const size_t n = r.slices.size();
  const Duration each = plan.udp.load.duration / n;
  for (size_t i = 0; i < n; ++i) {
    const Tally& t = r.slices[i];
    const auto [from, to] = RatesOf(plan, i, n);
    const std::string rates = from == to
                                  ? absl::StrFormat("%.0f", from)
                                  : absl::StrFormat("%.0f..%.0f", from, to);
    absl::StrAppend(
        &text,
        absl::StrFormat("             %17s %11.1f %10s %10s %10s %8d\n", rates,
                        PerSecond(t.Of(Outcome::kOk), each),
                        Spelled(t.latency.At(0.5)), Spelled(t.latency.At(0.99)),
                        Spelled(t.latency.At(0.999)), t.Errors()));
  }
  return text;
}

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
  } else if (plan.what == "replay") {
    text = ReplayLine(tally, lasted);
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

std::string BusyText(const BlastResults& r) {
  std::string text = absl::StrFormat("busy %.0f %%", r.busy * 100);
  if (r.busy > kBusy) {
    text += ": it was the limit; the server may be capable of more";
  } else if (r.busiest > kBusy) {
    absl::StrAppendFormat(
        &text,
        ", %.0f %% in its busiest second: it may have been the limit then",
        r.busiest * 100);
  } else {
    text += ": it is not the limit";
  }
  // A machine that others use as well, or a turn that took too long.
  if (r.behind > kBehind) {
    absl::StrAppend(&text, "\n             it was late by up to ",
                    Spelled(r.behind), ", which is in the latencies");
  }
  return text;
}

std::string Table(const BlastPlan& plan, const BlastResults& r) {
  std::string text = absl::StrCat(plan.Describe(), "\n");
  if (r.partial) {
    absl::StrAppend(&text, "PARTIAL: ",
                    r.partial_why.empty()
                        ? absl::StrCat("it was ended after ", Spelled(r.lasted))
                        : r.partial_why,
                    "\n");
  }
  absl::StrAppend(&text, plan.what == "pps"      ? PacketTable(plan, r)
                         : plan.what == "replay" ? ReplayTable(plan, r)
                         : plan.IsBulk()         ? BulkTable(plan, r)
                         : plan.what == "hold"   ? HoldTable(plan, r)
                         : plan.stateless        ? StatelessTable(plan, r)
                                                 : RequestTable(plan, r));
  absl::StrAppend(&text, "generator    ", BusyText(r), "\n");
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
  if (!plan.plot.empty()) {
    absl::Status s = WriteFile("--plot", plan.plot, Plot(plan, results));
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
