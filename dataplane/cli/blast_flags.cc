#include "dataplane/cli/blast_flags.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dataplane/cli/blast_bulk.h"
#include "dataplane/cli/blast_hold.h"
#include "dataplane/cli/blast_packets.h"
#include "dataplane/cli/blast_replay.h"
#include "dataplane/cli/blast_sources.h"
#include "dataplane/cli/blast_stateless.h"
#include "dataplane/cli/flag_values.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {
namespace {

using dataplane::TcpLoadConfig;

constexpr uint32_t kDefaultConcurrency = 100;
constexpr uint32_t kMaxDatagram = 65507;

auto Number(const char* flag, uint64_t low, uint64_t high) {
  return [=](const std::string& text) {
    return ParseNumber(flag, text, low, high, "");
  };
}

auto TimeOf(const char* flag, Duration low) {
  return [=](const std::string& text) {
    return ParseDuration(flag, text, low, 24h);
  };
}

}  // namespace

std::string EchoPattern(size_t size) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('!' + i % 94);
  }
  return text;
}

absl::Status TakeRate(const std::optional<std::string>& text,
                      dataplane::LoadConfig& load) {
  if (!text.has_value()) return absl::OkStatus();
  auto rates = ParseRates("--rate", *text);
  if (!rates.ok()) return rates.status();
  load.rate = *std::max_element(rates->rates.begin(), rates->rates.end());
  if (rates->rates.size() == 1) return absl::OkStatus();
  load.rates = rates->rates;
  load.ramp = rates->ramp;
  return absl::OkStatus();
}

BlastFlags::BlastFlags(CommandLine& line) {
  line.AddOperands(
      absl::StrCat(absl::StrJoin(kBlastModes, "|"), " [A.B.C.D:PORT|FILE]"),
      what_,
      "TCP echo, HTTP/1.1 GET, UDP echo, DNS queries, streams to (discard) or "
      "from (chargen) the server, connections that stay, packets as fast as "
      "they go, or the frames of a capture; and whom to "
      "ask, if --target does not say it, or the file to replay");
  line.AddValue("--target", target_, "A.B.C.D:PORT", "Whom to ask");
  line.AddValue("--rate", rate_, "N",
                "Requests per second (500, 20k, 1.5M), sent when they are due, "
                "whatever the server does; 10k..100k rises evenly, 10k,20k,40k "
                "in equal steps; of send and receive bits per second "
                "in all (100Mbps, 1Gbps; default: as the windows allow)");
  line.AddSwitch("--closed", closed_,
                 "Instead: each answer brings the next request");
  line.AddSwitch("--poisson", poisson_,
                 "Not evenly, but as independent users would");
  line.AddValue("--concurrency", concurrency_, "N",
                "Connections, or with --closed datagrams on their way "
                "(default: 100; of send and receive: 1)");
  line.AddValue("--open-rate", open_rate_, "N",
                "Open connections at this rate (default: at once)");
  line.AddSwitch("--once", once_, "A connection for each request");
  line.AddValue("--size", size_, "BYTES",
                "Of a request of echo or udp (default: 64); of pps's frames, "
                "with FCS: 64, imix or 64-1518");
  line.AddValue("--path", path_, "PATH", "What http asks for (default: /)");
  line.AddValue("--host", host_, "NAME",
                "Host field of http (default: the target)");
  line.AddValue("--status", status_, "CODE",
                "Status that http wants (default: 200)");
  line.AddValue("--sockets", sockets_, "N",
                "Source ports of udp and dns (default: 16)");
  line.AddValue("--duration", duration_, "TIME",
                "How long requests count (default: 5s)");
  line.AddValue("--warmup", warmup_, "TIME",
                "How long they do not, before (default: 1s)");
  line.AddValue("--timeout", timeout_, "TIME",
                "How long to wait for an answer (default: 2s)");
  line.AddValue("--slo", slo_, "LIST",
                "Objectives, like p99<50us,errors=0,rate>=10k: exit 1 if one "
                "is missed");
  line.AddValue("--json", json_, "FILE", "Write the results there");
  line.AddValue("--hgrm", hgrm_, "FILE",
                "Write the latency distribution there (HdrHistogram's format)");
  line.AddValue("--queries", queries_, "FILE",
                "dns: a query per line, name and type, and perhaps the answer "
                "(an address, a name, or an rcode): www.example.com A "
                "192.0.2.1");
  line.AddValue("--plot", plot_, "FILE",
                "Draw latency by percentile and rate over time there (SVG)");
  AddBulk(line);
  AddHold(line);
  AddStateless(line);
  AddPackets(line);
  AddReplay(line);
}

absl::StatusOr<BlastPlan> BlastFlags::Understand() {
  if (what_.empty() || what_.size() > 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "say what to ask for, one of ", absl::StrJoin(kBlastModes, ", "),
        ", as in: corelane blast http 10.77.0.2:80 --rate 10k"));
  }
  BlastPlan plan;
  plan.what = what_[0];
  if (std::find(kBlastModes.begin(), kBlastModes.end(), plan.what) ==
      kBlastModes.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.what, ": it is one of ", absl::StrJoin(kBlastModes, ", "),
        pmd::DidYouMean(plan.what, kBlastModes)));
  }
  if (what_.size() == 2 && plan.what == "replay") {
    file_ = what_[1];
  } else if (what_.size() == 2) {
    if (target_.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          what_[1], ": there is a --target as well; leave one of them out"));
    }
    target_ = what_[1];
  }
  absl::Status status = RefuseForeign(plan.what);
  if (status.ok()) status = CheckStatelessFlags();
  if (!status.ok()) return status;
  plan.stateless = stateless_;
  if (plan.what == "pps") {
    status = UnderstandPackets(plan);
  } else if (plan.what == "replay") {
    status = UnderstandReplay(plan);
  } else if (plan.IsBulk()) {
    status = UnderstandBulk(plan);
  } else if (plan.what == "dns") {
    status = UnderstandDns(plan);
  } else if (plan.what == "hold") {
    status = UnderstandHold(plan);
  } else {
    status = UnderstandLoad(plan.udp.load);
    plan.tcp.load = plan.udp.load;
    if (status.ok()) status = UnderstandRequest(plan);
  }
  if (!status.ok()) return status;
  auto sources = ParseSources(sources_);
  if (!sources.ok()) return sources.status();
  plan.sources = *std::move(sources);
  if (slo_.has_value()) {
    auto objectives = ParseObjectives(*slo_);
    if (!objectives.ok()) return objectives.status();
    plan.objectives = *std::move(objectives);
  }
  plan.json = json_.value_or("");
  plan.hgrm = hgrm_.value_or("");
  plan.plot = plot_.value_or("");
  return plan;
}

absl::Status BlastFlags::RefuseForeign(const std::string& what) const {
  struct Use {
    const char* flag;
    bool given;
    absl::string_view modes;  // that it means something to
  };
  constexpr absl::string_view kAllWithTarget =
      "echo http udp dns send receive hold pps";
  const Use uses[] = {
      {"--closed", closed_, "echo http udp dns"},
      {"--poisson", poisson_, "echo http udp dns hold"},
      {"--concurrency", concurrency_.has_value(),
       "echo http udp dns send receive"},
      {"--open-rate", open_rate_.has_value(), "echo http hold"},
      {"--once", once_, "echo http"},
      {"--size", size_.has_value(), "echo udp hold pps"},
      {"--path", path_.has_value(), "http"},
      {"--host", host_.has_value(), "http"},
      {"--status", status_.has_value(), "http"},
      {"--sockets", sockets_.has_value(), "udp dns"},
      {"--connections", connections_.has_value(), "hold"},
      {"--active", active_.has_value(), "hold"},
      {"--stateless", stateless_, "echo http hold"},
      {"--queries", queries_.has_value(), "dns"},
      {"--hgrm", hgrm_.has_value(), "echo http udp dns hold pps replay"},
      {"--any-bytes", any_bytes_, "receive"},
      {"--flows", flows_.has_value(), "pps"},
      {"--dst-mac", target_mac_.has_value(), "pps replay"},
      {"--loss", loss_.has_value(), "pps"},
      {"--tx-only", send_only_, "pps replay"},
      {"--rx-only", receive_only_, "pps"},
      {"--reflect", reflect_, "pps"},
      {"--find-max-rate", find_max_rate_, "pps"},
      {"--target", target_.has_value(), kAllWithTarget},
      {"--sources", !sources_.empty(), kAllWithTarget},
      {"--warmup", warmup_.has_value(), kAllWithTarget},
      {"--speed", speed_.has_value(), "replay"},
      {"--loop", loop_.has_value(), "replay"},
      {"--skip-unfit", skip_unfit_, "replay"},
  };
  for (const Use& use : uses) {
    if (!use.given) continue;
    const std::vector<std::string> modes = absl::StrSplit(use.modes, ' ');
    if (std::find(modes.begin(), modes.end(), what) != modes.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(use.flag, " is for ", absl::StrJoin(modes, ", "),
                     " only; leave it out with ", what));
  }
  return absl::OkStatus();
}

absl::Status BlastFlags::UnderstandCommon(dataplane::LoadConfig& load) const {
  if (!target_.has_value()) {
    return absl::InvalidArgumentError(
        "no --target; give the server's address and port, like 10.77.0.2:80");
  }
  absl::Status s;
  Take(target_, load.target, s,
       [](const std::string& text) { return ParseEndpoint("--target", text); });
  Take(concurrency_, load.concurrency, s,
       Number("--concurrency", 1, kMaxConcurrency));
  Take(duration_, load.duration, s, TimeOf("--duration", 1ms));
  Take(warmup_, load.warmup, s, TimeOf("--warmup", 0ms));
  Take(timeout_, load.timeout, s, TimeOf("--timeout", 1ms));
  return s;
}

absl::Status BlastFlags::UnderstandLoad(dataplane::LoadConfig& load) const {
  // A stateless client has no connections that could be too few.
  load.concurrency =
      stateless_ && !closed_ ? kMaxConcurrency : kDefaultConcurrency;
  load.warmup = 1s;
  load.timeout = 2s;
  load.poisson = poisson_;
  absl::Status s = UnderstandCommon(load);
  if (!s.ok()) return s;
  if (closed_ == rate_.has_value()) {
    return absl::InvalidArgumentError(
        "give either --rate, like 10k, or --closed");
  }
  if (closed_ && poisson_) {
    return absl::InvalidArgumentError("--poisson needs a --rate");
  }
  return TakeRate(rate_, load);
}

absl::Status BlastFlags::UnderstandRequest(BlastPlan& plan) const {
  const bool http = plan.what == "http";
  const bool udp = plan.what == "udp";
  if (once_ && open_rate_) {
    return absl::InvalidArgumentError(
        "--open-rate is for connections that stay; with --once, --rate says "
        "how many are opened");
  }
  uint32_t size = 64;
  plan.udp.sockets = 16;
  absl::Status s;
  Take(size_, size, s,
       Number("--size", udp ? dataplane::UdpLoad::kMinSize : 1,
              udp ? kMaxDatagram : kMaxEcho));
  Take(sockets_, plan.udp.sockets, s, Number("--sockets", 1, 1024));
  Take(status_, plan.tcp.expected_status, s, Number("--status", 200, 599));
  Take(open_rate_, plan.tcp.open_rate, s,
       [](const std::string& text) { return ParseRate("--open-rate", text); });
  plan.udp.size = size;
  const bool once = once_ || stateless_;
  plan.tcp.connection_per_request = once;
  if (!http) {
    plan.tcp.request = EchoPattern(size);
    return s;
  }
  const std::string path = path_.value_or("/");
  const std::string host = host_.value_or(absl::StrCat(
      ToString(plan.tcp.load.target.address), ":", plan.tcp.load.target.port));
  for (const std::string& text : {path, host}) {
    const bool odd = std::any_of(text.begin(), text.end(),
                                 [](char c) { return c <= ' ' || c == 127; });
    if (text.empty() || odd) {
      return absl::InvalidArgumentError(
          absl::StrCat(text == path ? "--path" : "--host",
                       ": no blanks or control characters; write them as %20"));
    }
  }
  if (path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("--path ", path, ": it begins with /"));
  }
  plan.tcp.protocol = TcpLoadConfig::Protocol::kHttp;
  plan.tcp.request =
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: ", host,
                   once ? "\r\nConnection: close" : "", "\r\n\r\n");
  return s;
}

// "10000", "10000 to 100000" or "10000, 20000, 40000".
std::string RatesText(const dataplane::LoadConfig& load) {
  if (load.rates.empty()) return absl::StrCat(load.rate);
  return absl::StrJoin(load.rates, load.ramp ? " to " : ", ");
}

double BlastPlan::RateAt(Duration after) const {
  const dataplane::LoadConfig& l = udp.load;
  if (IsBulk()) return l.rate * 8;
  if (l.rates.empty()) return l.rate;
  const double share = std::clamp(static_cast<double>(after.count()) /
                                      static_cast<double>(l.duration.count()),
                                  0.0, 1.0);
  if (l.ramp) return l.rates[0] + share * (l.rates[1] - l.rates[0]);
  const auto step =
      static_cast<size_t>(share * static_cast<double>(l.rates.size()));
  return l.rates[std::min(step, l.rates.size() - 1)];
}

std::string BlastPlan::Describe() const {
  if (what == "pps") return DescribePackets(*this);
  if (what == "replay") return DescribeReplay(*this);
  if (IsBulk()) return DescribeBulk(*this);
  if (stateless) return DescribeStateless(*this);
  if (what == "hold") return DescribeHold(*this);
  const dataplane::LoadConfig& l = udp.load;
  std::string text = absl::StrCat(what, " to ", ToString(l.target.address), ":",
                                  l.target.port, ", ");
  if (l.rate > 0) {
    absl::StrAppend(&text, "open loop, ", RatesText(l),
                    l.poisson ? "/s at random (Poisson)" : "/s evenly");
  } else {
    absl::StrAppend(&text, "closed loop");
  }
  if (!IsTcp()) {
    if (what == "udp") {
      absl::StrAppend(&text, ", ", udp.size, " bytes");
    } else {
      absl::StrAppend(&text, ", ", dns.queries->size(),
                      dns.queries->size() == 1 ? " query" : " queries");
    }
    if (l.rate == 0) absl::StrAppend(&text, ", ", l.concurrency, " at once");
  } else {
    absl::StrAppend(&text, ", ", l.concurrency,
                    tcp.connection_per_request
                        ? " at once, a connection for each request"
                        : " connections");
    if (what == "echo") absl::StrAppend(&text, ", ", udp.size, " bytes");
  }
  absl::StrAppend(&text, "; ", l.duration / 1ms, " ms after ", l.warmup / 1ms,
                  " ms");
  return text;
}

}  // namespace corelane::cli
