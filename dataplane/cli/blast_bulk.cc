#include "dataplane/cli/blast_bulk.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dataplane/cli/blast_objective.h"
#include "dataplane/cli/flag_values.h"

namespace corelane::cli {
namespace {

using Way = dataplane::BulkLoadConfig::Way;

std::string SegmentsPerSecond(uint64_t n, Duration lasted) {
  return absl::StrFormat("%.0f/s", PerSecond(n, lasted));
}

}  // namespace

void BlastFlags::AddBulk(CommandLine& line) {
  line.AddSwitch("--any-bytes", any_bytes_,
                 "receive: whatever comes is right, not chargen's text alone");
}

absl::Status BlastFlags::UnderstandBulk(BlastPlan& plan) const {
  dataplane::LoadConfig& load = plan.bulk.load;
  load.warmup = 1s;
  load.timeout = 2s;
  absl::Status s = UnderstandCommon(load);
  Take(rate_, load.rate, s,
       [](const std::string& text) { return ParseBitRate("--rate", text); });
  load.rate /= 8;  // bytes
  plan.bulk.way = plan.what == "send" ? Way::kSend : Way::kReceive;
  plan.bulk.check = !any_bytes_;
  plan.udp.load = load;
  return s;
}

std::string DescribeBulk(const BlastPlan& plan) {
  const dataplane::LoadConfig& l = plan.bulk.load;
  const bool sends = plan.bulk.way == Way::kSend;
  return absl::StrCat(
      sends ? "send to " : "receive from ", ToString(l.target.address), ":",
      l.target.port, ", ", l.concurrency,
      l.concurrency == 1 ? " connection, " : " connections, ",
      l.rate > 0 ? BitRateText(l.rate * 8) : "as fast as the windows allow",
      "; ", l.duration / 1ms, " ms after ", l.warmup / 1ms, " ms");
}

std::string BulkLine(const dataplane::Tally& t, Duration lasted) {
  return absl::StrCat("out ", BitRateText(PerSecond(t.bytes_out, lasted) * 8),
                      ", in ", BitRateText(PerSecond(t.bytes_in, lasted) * 8),
                      ", segments ", SegmentsPerSecond(t.segments_out, lasted),
                      " out, ", SegmentsPerSecond(t.segments_in, lasted),
                      " in");
}

std::string BulkTable(const BlastPlan& plan, const BlastResults& r) {
  const dataplane::Tally& t = r.tally;
  const bool sends = plan.bulk.way == Way::kSend;
  std::string text;
  const uint64_t bytes = sends ? t.bytes_out : t.bytes_in;
  absl::StrAppend(&text, "throughput   ",
                  BitRateText(PerSecond(bytes, r.lasted) * 8), ", ", bytes,
                  " bytes ",
                  sends             ? "acknowledged"
                  : plan.bulk.check ? "received, all of them chargen's"
                                    : "received, not looked at",
                  "\n");
  if (sends && t.bytes_in > 0) {
    absl::StrAppend(&text, "             ", t.bytes_in,
                    " bytes came back and were not looked at\n");
  }
  absl::StrAppend(&text, "segments     ",
                  SegmentsPerSecond(t.segments_out, r.lasted), " out, ",
                  SegmentsPerSecond(t.segments_in, r.lasted), " in\n");
  absl::StrAppend(&text, "connections  ", t.opened, " opened, ",
                  t.Of(dataplane::Outcome::kOk), " to the end, ", r.retransmits,
                  " retransmissions\n");
  absl::StrAppend(&text, "errors       ", ErrorList(t), "\n");
  return text;
}

}  // namespace corelane::cli
