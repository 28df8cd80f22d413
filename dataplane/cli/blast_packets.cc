#include "dataplane/cli/blast_packets.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dataplane/cli/blast_sources.h"
#include "dataplane/cli/flag_values.h"

namespace corelane::cli {
namespace {

using dataplane::PacketLoad;
using dataplane::PacketLoadConfig;
using dataplane::ProbePlan;
using Mode = PacketLoadConfig::Mode;

constexpr Ipv4Address kDefaultTarget(198, 18, 0, 2);
constexpr uint16_t kDiscardPort = 9;
// Where nobody is who would answer ARP: a locally administered address.
constexpr MacAddress kNobodysMac({2, 0, 0, 0, 0, 2});
// RFC 2544 section 9.1.
const std::vector<uint16_t> kSearchSizes = {64,   128,  256, 512,
                                            1024, 1280, 1518};
// Preamble and gap: what a frame takes on the wire beside itself (with FCS).
constexpr double kWireOverhead = 20;
// Ethernet header and FCS.
constexpr uint32_t kFraming = 18;

const char* NameOf(Mode mode) {
  switch (mode) {
    case Mode::kSend:
      return "sent only";
    case Mode::kReceive:
      return "received only";
    case Mode::kReflect:
      return "turned round";
    case Mode::kBoth:
      return "sent, and expected back";
  }
  return "";
}

std::string SizeText(const std::vector<uint16_t>& sizes) {
  const auto [low, high] = std::minmax_element(sizes.begin(), sizes.end());
  if (*low == *high) return absl::StrCat(*low, " bytes");
  return absl::StrCat(*low, " to ", *high, " bytes");
}

std::string SearchTable(const BlastResults& r) {
  std::string text =
      "frame size   most without more loss than allowed     on the wire\n";
  for (const dataplane::FoundRate& f : r.found) {
    absl::StrAppend(
        &text,
        absl::StrFormat(
            "%10d   %-34s %9.1f Mbit/s   %d trials\n", f.size,
            f.rate > 0
                ? absl::StrCat(PacketRateText(f.rate), " (lost ",
                               absl::StrFormat("%.4f", f.loss * 100), " %)")
                : std::string("none: something is always lost"),
            f.rate * (f.size + kWireOverhead) * 8 / 1e6, f.trials));
  }
  return text;
}

}  // namespace

std::string PacketRateText(double per_second) {
  if (per_second >= 1e6) return absl::StrFormat("%.3f Mpps", per_second / 1e6);
  if (per_second >= 1e4) return absl::StrFormat("%.1f kpps", per_second / 1e3);
  return absl::StrFormat("%.0f pps", per_second);
}

double WireBits(uint64_t frames, uint64_t bytes, Duration lasted) {
  constexpr auto kEach =
      static_cast<uint64_t>(kWireOverhead) + dataplane::kFcsLength;
  return PerSecond(bytes + frames * kEach, lasted) * 8;
}

std::string PacketRow(const char* name, uint64_t frames, uint64_t bytes,
                      Duration lasted) {
  return absl::StrFormat("%-12s %d, %s, %.1f Mbit/s on the wire\n", name,
                         frames, PacketRateText(PerSecond(frames, lasted)),
                         WireBits(frames, bytes, lasted) / 1e6);
}

absl::StatusOr<MacAddress> ParseTargetMac(const std::string& text) {
  const auto mac = ParseMac(text);
  if (mac.has_value()) return *mac;
  return absl::InvalidArgumentError(absl::StrCat(
      "--dst-mac ", text, ": give six bytes, like 02:00:00:00:00:02"));
}

void BlastFlags::AddPackets(CommandLine& line) {
  line.AddValue("--flows", flows_, "N",
                "pps: distinct source ports, and addresses if there are "
                "several --addr or --sources (default: 1)");
  line.AddValue("--dst-mac", target_mac_, "MAC",
                "pps: where frames go (default: as ARP says; without --target "
                "02:00:00:00:00:02); replay: instead of where the file's went, "
                "and then from our address (default: unchanged)");
  line.AddSwitch("--tx-only", send_only_,
                 "pps: expect nothing back, as replay does");
  line.AddSwitch("--rx-only", receive_only_,
                 "pps: count what another one sends");
  line.AddSwitch("--reflect", reflect_,
                 "pps: swap addresses and ports of what comes, send it back");
  line.AddSwitch("--find-max-rate", find_max_rate_,
                 "pps: the highest rate without loss, for each size (RFC "
                 "2544; default sizes 64 to 1518), --rate at most");
  line.AddValue("--loss", loss_, "PERCENT",
                "pps: how much --find-max-rate lets get lost (default: 0)");
}

absl::Status BlastFlags::UnderstandMode(BlastPlan& plan) const {
  if (send_only_ + receive_only_ + reflect_ > 1) {
    return absl::InvalidArgumentError(
        "give one of --tx-only, --rx-only and --reflect");
  }
  plan.packets.mode = send_only_      ? Mode::kSend
                      : receive_only_ ? Mode::kReceive
                      : reflect_      ? Mode::kReflect
                                      : Mode::kBoth;
  const bool passive = receive_only_ || reflect_;
  if (passive && (rate_ || size_ || flows_ || target_ || target_mac_)) {
    return absl::InvalidArgumentError(
        "--rx-only and --reflect send nothing of their own: leave out --rate, "
        "--size, --flows, --target and --dst-mac");
  }
  if (find_max_rate_ && (passive || send_only_)) {
    return absl::InvalidArgumentError(
        "--find-max-rate sends and counts what comes back: leave out "
        "--tx-only, --rx-only and --reflect");
  }
  if (loss_ && !find_max_rate_) {
    return absl::InvalidArgumentError("--loss is for --find-max-rate");
  }
  return absl::OkStatus();
}

absl::Status BlastFlags::UnderstandPackets(BlastPlan& plan) const {
  if (absl::Status s = UnderstandMode(plan); !s.ok()) return s;
  PacketLoadConfig& packets = plan.packets;
  dataplane::LoadConfig& load = packets.load;
  load.duration = find_max_rate_ ? 1s : 5s;
  load.warmup = find_max_rate_ ? 100ms : 0ms;
  load.timeout = find_max_rate_ ? 200ms : 1s;
  load.target = {kDefaultTarget, kDiscardPort};
  if (!target_.has_value()) packets.target_mac = kNobodysMac;
  absl::Status s;
  Take(target_, load.target, s,
       [](const std::string& t) { return ParseEndpoint("--target", t); });
  if (rate_ && *rate_ != "max") s.Update(TakeRate(rate_, load));
  if (find_max_rate_ && !load.rates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rate ", *rate_,
                     ": --find-max-rate tries rates by itself; give the "
                     "highest one"));
  }
  auto time = [](const char* flag, Duration low) {
    return
        [=](const std::string& t) { return ParseDuration(flag, t, low, 24h); };
  };
  Take(duration_, load.duration, s, time("--duration", 1ms));
  Take(warmup_, load.warmup, s, time("--warmup", 0ms));
  Take(timeout_, load.timeout, s, time("--timeout", 1ms));
  Take(flows_, packets.flows, s, [](const std::string& t) {
    return ParseNumber("--flows", t, 1, PacketLoad::kMaxFlows, "");
  });
  Take(target_mac_, packets.target_mac, s, ParseTargetMac);
  if (find_max_rate_) packets.sizes = kSearchSizes;
  Take(size_, packets.sizes, s,
       [](const std::string& t) -> absl::StatusOr<std::vector<uint16_t>> {
         auto sizes = dataplane::ParseProbeSizes(t);
         if (sizes.has_value()) return *std::move(sizes);
         return absl::InvalidArgumentError(
             absl::StrCat("--size ", t,
                          ": give bytes like 64, several like 64,512, a "
                          "range like 64-1518, or imix"));
       });
  if (!find_max_rate_) {
    plan.udp.load = load;
    return s;
  }
  plan.search.emplace();
  plan.search->sizes = packets.sizes;
  Take(loss_, plan.search->loss, s,
       [](const std::string& t) -> absl::StatusOr<double> {
         double percent = 0;
         if (absl::SimpleAtod(t, &percent) && percent >= 0 && percent < 100) {
           return percent / 100;
         }
         return absl::InvalidArgumentError(
             absl::StrCat("--loss ", t,
                          ": give per cent from 0 to below 100, like "
                          "0.1"));
       });
  plan.udp.load = load;
  return s;
}

std::string DescribePackets(const BlastPlan& plan) {
  const PacketLoadConfig& p = plan.packets;
  if (p.mode == Mode::kReceive || p.mode == Mode::kReflect) {
    return absl::StrCat("packets, ", NameOf(p.mode), "; ",
                        p.load.duration / 1ms, " ms");
  }
  std::string text =
      absl::StrCat("packets to ", ToString(p.load.target.address), ":",
                   p.load.target.port, ", ");
  if (plan.search.has_value()) {
    return absl::StrCat(text, "the highest rate that loses at most ",
                        plan.search->loss * 100, " %, trials of ",
                        p.load.duration / 1ms, " ms");
  }
  absl::StrAppend(&text, SizeText(p.sizes), ", ",
                  p.load.rates.empty()
                      ? (p.load.rate > 0 ? PacketRateText(p.load.rate)
                                         : std::string("as fast as it goes"))
                      : absl::StrCat(RatesText(p.load), " pps"),
                  ", ", p.flows, p.flows == 1 ? " flow, " : " flows, ",
                  NameOf(p.mode), "; ", p.load.duration / 1ms, " ms");
  if (p.load.warmup > 0s) {
    absl::StrAppend(&text, " after ", p.load.warmup / 1ms, " ms");
  }
  return text;
}

absl::Status CheckPackets(const BlastPlan& plan,
                          const runtime::RuntimeOptions& options) {
  const uint32_t mtu = options.mtu != 0 ? options.mtu : 1500;
  for (const uint16_t size : plan.packets.sizes) {
    if (size < dataplane::kMinProbe) {
      return absl::InvalidArgumentError(
          absl::StrCat("--size ", size, ": an Ethernet frame has at least ",
                       dataplane::kMinProbe, " bytes (with FCS)"));
    }
    if (size > mtu + kFraming) {
      return absl::InvalidArgumentError(
          absl::StrCat("--size ", size, ": at most ", mtu + kFraming,
                       " bytes with an MTU of ", mtu,
                       "; give a larger --mtu if the device takes it"));
    }
  }
  const size_t cores = std::max<size_t>(1, options.cores.size());
  if (plan.search.has_value() && cores > 1) {
    return absl::InvalidArgumentError(
        "--find-max-rate searches with one core; give one CPU's number");
  }
  if (plan.packets.Sends() && plan.packets.flows < cores) {
    return absl::InvalidArgumentError(
        absl::StrCat("--flows ", plan.packets.flows,
                     ": fewer than there are cores; give at least ", cores));
  }
  const size_t sources = std::max<size_t>(1, SourcesOf(options).size());
  const uint64_t most = uint64_t{ProbePlan::kPortsPerSource} * sources;
  if (plan.packets.flows > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("--flows ", plan.packets.flows, ": ", sources,
                     sources == 1 ? " address has" : " addresses have",
                     " ports for ", most, "; give more --addr, or --sources"));
  }
  return absl::OkStatus();
}

void CountLost(const BlastPlan& plan, size_t cores, BlastResults& results) {
  PacketLoadConfig config = plan.packets;
  config.cores = static_cast<uint32_t>(cores);
  const bool mine = plan.what == "pps" && config.mode == Mode::kBoth;
  if (!mine || PacketLoad::CountsLost(config)) return;
  auto count = [](dataplane::Tally& t) {
    const uint64_t ok = t.Of(dataplane::Outcome::kOk);
    if (t.sent > ok) {
      t.outcomes[static_cast<size_t>(dataplane::Outcome::kLost)] += t.sent - ok;
    }
  };
  count(results.tally);
  for (dataplane::Tally& t : results.slices) count(t);
}

std::string PacketTable(const BlastPlan& plan, const BlastResults& r) {
  using dataplane::Outcome;
  const dataplane::Tally& t = r.tally;
  std::string text;
  if (plan.search.has_value()) return SearchTable(r);
  auto frames = [&](const char* name, uint64_t n, uint64_t bytes) {
    absl::StrAppend(&text, PacketRow(name, n, bytes, r.lasted));
  };
  const Mode mode = plan.packets.mode;
  if (mode != Mode::kReceive) frames("sent", t.sent, t.bytes_out);
  if (mode != Mode::kSend) {
    frames(mode == Mode::kBoth ? "came back" : "received", t.Of(Outcome::kOk),
           t.bytes_in);
  }
  if (mode == Mode::kBoth || mode == Mode::kReceive) {
    const uint64_t lost = t.Of(Outcome::kLost);
    const uint64_t all = lost + t.Of(Outcome::kOk);
    absl::StrAppend(
        &text,
        absl::StrFormat(
            "lost         %d (%.4f %%), %d overtaken, %d doubled\n", lost,
            all == 0
                ? 0
                : 100.0 * static_cast<double>(lost) / static_cast<double>(all),
            t.late, t.doubled));
  }
  if (t.Of(Outcome::kNotSent) > 0) {
    absl::StrAppend(&text, "not sent     ", t.Of(Outcome::kNotSent),
                    mode == Mode::kReflect
                        ? ": the device did not take them back\n"
                        : ": due, but the device did not take so many\n");
  }
  if (t.foreign > 0) {
    absl::StrAppend(&text, "others       ", t.foreign, " frames\n");
  }
  if (t.latency.count() > 0) {
    absl::StrAppend(&text, "latency      ", Quantiles(t.latency), "\n");
  }
  return text + SliceTable(plan, r);
}

}  // namespace corelane::cli
