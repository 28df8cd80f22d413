#include "dataplane/cli/blast_stateless.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dataplane/cli/blast_hold.h"
#include "dataplane/cli/blast_sources.h"
#include "nlohmann/json.hpp"

namespace corelane::cli {
namespace {

using dataplane::Outcome;
using dataplane::StatelessConfig;
using dataplane::StatelessRules;
using dataplane::Tally;

// IPv4 and TCP headers with the timestamps option.
constexpr uint32_t kHeaders = 20 + 20 + 12;
// For the little that the stack itself does meanwhile.
constexpr uint32_t kOwnConnections = 1024;

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

std::string LatencyLine(const char* name, const dataplane::Histogram& latency) {
  return absl::StrFormat("%-12s ", name) +
         (latency.count() > 0
              ? Quantiles(latency)
              : std::string("not known: no timestamps came back")) +
         "\n";
}

}  // namespace

void BlastFlags::AddStateless(CommandLine& line) {
  line.AddSwitch(
      "--stateless", stateless_,
      "echo, http (a connection for each request) and hold: by a client that "
      "remembers no connection and computes each answer from the packet alone, "
      "for the highest rates and tens of millions of connections. It is not a "
      "complete TCP: it sends nothing again, and acknowledges whatever comes, "
      "so that what a lossy path loses counts as lost or is not noticed. "
      "--closed goes as fast as --concurrency at once allow; with --rate there "
      "is no such limit by default");
}

absl::Status BlastFlags::CheckStatelessFlags() const {
  if (!stateless_) return absl::OkStatus();
  if (active_) {
    return Bad(
        "--active needs a client that remembers what it asked; leave it out, "
        "or --stateless");
  }
  if (open_rate_ && !connections_) {
    return Bad(
        "--open-rate is for connections that stay; with --stateless, --rate "
        "says how many are opened");
  }
  return absl::OkStatus();
}

absl::Status CheckStateless(const BlastPlan& plan,
                            runtime::RuntimeOptions& options) {
  const uint32_t mtu = options.mtu != 0 ? options.mtu : 1500;
  const size_t request = plan.tcp.request.size();
  if (plan.what != "hold" && request + kHeaders > mtu) {
    return Bad(absl::StrCat(
        plan.what == "echo" ? "--size " : "a request of ", request,
        ": with --stateless it goes in one segment, which is at most ",
        mtu - kHeaders, " bytes with an MTU of ", mtu));
  }
  const uint64_t sources = std::max<size_t>(1, SourcesOf(options).size());
  const uint64_t ports = sources * StatelessConfig::kMostPorts;
  const dataplane::LoadConfig& load = plan.udp.load;
  if (plan.what != "hold" && load.concurrency > ports &&
      load.concurrency < kMaxConcurrency) {
    return Bad(absl::StrCat(
        "--concurrency ", load.concurrency, ": ", sources,
        sources == 1 ? " address has " : " addresses have ", ports,
        " ports towards one server; give --sources, like 10.77.16.0/20"));
  }
  options.max_connections = kOwnConnections;
  return absl::OkStatus();
}

StatelessConfig StatelessClientOf(const BlastPlan& plan) {
  StatelessConfig config;
  StatelessRules& rules = config.rules;
  rules.kind = plan.what == "hold"   ? StatelessRules::Kind::kHold
               : plan.what == "echo" ? StatelessRules::Kind::kEcho
                                     : StatelessRules::Kind::kHttp;
  rules.request = plan.tcp.request;
  rules.status = plan.tcp.expected_status;
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  config.epoch = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since_1970)
          .count());
  return config;
}

std::string DescribeStateless(const BlastPlan& plan) {
  if (plan.what == "hold") return DescribeHold(plan);
  const dataplane::LoadConfig& l = plan.udp.load;
  std::string text =
      absl::StrCat("stateless ", plan.what, " to ", ToString(l.target.address),
                   ":", l.target.port, ", ");
  if (l.rate > 0) {
    absl::StrAppend(&text, "open loop, ", RatesText(l),
                    l.poisson ? "/s at random (Poisson)" : "/s evenly");
    if (l.concurrency < kMaxConcurrency) {
      absl::StrAppend(&text, ", at most ", l.concurrency, " at once");
    }
  } else {
    absl::StrAppend(&text, "as fast as ", l.concurrency, " at once allow");
  }
  absl::StrAppend(&text, ", a connection for each request");
  if (plan.what == "echo") {
    absl::StrAppend(&text, ", ", plan.tcp.request.size(), " bytes");
  }
  return absl::StrCat(text, "; ", l.duration / 1ms, " ms after ",
                      l.warmup / 1ms, " ms");
}

std::string StatelessLabel(const BlastPlan& plan) {
  if (!plan.stateless) return "";
  return "client       stateless: not a complete TCP; what is lost is not sent "
         "again\n";
}

std::string StatelessTable(const BlastPlan& plan, const BlastResults& r) {
  const Tally& t = r.tally;
  auto per_second = [&](uint64_t n) { return PerSecond(n, r.lasted); };
  std::string text = StatelessLabel(plan);
  absl::StrAppend(
      &text,
      absl::StrFormat("connections  %d SYNs (%.1f/s), %d answered, %d closed "
                      "in order\n",
                      t.sent, per_second(t.sent), t.opened, t.finished),
      absl::StrFormat("requests     %d ok, %.1f/s\n", t.Of(Outcome::kOk),
                      per_second(t.Of(Outcome::kOk))),
      LatencyLine("latency", t.latency));
  if (t.latency.count() > 0) {
    absl::StrAppend(&text, "             from when each was ",
                    plan.udp.load.rate > 0 ? "due" : "opened",
                    " to its answer's first bytes, by timestamps\n");
  }
  absl::StrAppend(&text, LatencyLine("handshake", t.handshake), "errors       ",
                  ErrorList(t), "\n", SliceTable(plan, r),
                  absl::StrFormat("payload      out %.1f Mbit/s, in %.1f "
                                  "Mbit/s\n",
                                  per_second(t.bytes_out) * 8 / 1e6,
                                  per_second(t.bytes_in) * 8 / 1e6));
  if (t.foreign > 0) {
    absl::StrAppend(&text, "others       ", t.foreign,
                    " segments that acknowledge what was not sent\n");
  }
  return text;
}

std::string StatelessHoldLines(const BlastResults& r) {
  const Tally& t = r.tally;
  std::string text = LatencyLine("handshake", t.handshake);
  absl::StrAppend(&text, "connections  ", t.ended, " lost\n");
  if (t.foreign > 0) {
    absl::StrAppend(&text, "others       ", t.foreign,
                    " segments that acknowledge what was not sent\n");
  }
  return text;
}

void AddStatelessJson(const BlastResults& r, nlohmann::json& out) {
  const Tally& t = r.tally;
  out["stateless"] = true;
  out["sent_per_second"] = PerSecond(t.sent, r.lasted);
  out["connections_finished"] = t.finished;
  out["others"] = t.foreign;
  out["handshake_ns"] = {{"p50", t.handshake.At(0.5).count()},
                         {"p99", t.handshake.At(0.99).count()},
                         {"p99.9", t.handshake.At(0.999).count()},
                         {"max", t.handshake.max().count()},
                         {"count", t.handshake.count()}};
}

}  // namespace corelane::cli
