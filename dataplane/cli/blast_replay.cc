#include "dataplane/cli/blast_replay.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dataplane/cli/blast_packets.h"
#include "dataplane/cli/flag_values.h"
#include "dataplane/runtime/log.h"
#include "nlohmann/json.hpp"

namespace corelane::cli {
namespace {

using dataplane::FrameTape;
using dataplane::Outcome;
using dataplane::ReplayLoad;
using Pace = dataplane::ReplayLoadConfig::Pace;

constexpr uint64_t kMostPasses = 1'000'000'000;
constexpr Duration kLongest = 24h;
constexpr Duration kUnbounded = 24h * 365;

absl::StatusOr<double> ParseSpeed(const std::string& text) {
  double speed = 0;
  if (absl::SimpleAtod(text, &speed) && speed >= 1e-3 && speed <= 1e6) {
    return speed;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--speed ", text.empty() ? "''" : text,
                   ": give a factor from 0.001 to 1000000, like 2 for "
                   "half the time"));
}

std::string PaceText(const BlastPlan& plan) {
  const dataplane::ReplayLoadConfig& r = plan.replay;
  switch (r.pace) {
    case Pace::kOwn:
      if (r.speed == 1) return "at its own pace";
      return absl::StrCat("at ", r.speed, " times its pace");
    case Pace::kRate:
      return absl::StrCat("at ", PacketRateText(r.load.rate));
    case Pace::kFastest:
      break;
  }
  return "as fast as it goes";
}

std::string CutOffText(const BlastPlan& plan) {
  const ReplayFile& file = plan.replay_file;
  return absl::StrCat(plan.replay_path, " is cut off in frame ",
                      file.tape->size() + file.left_out() + 1,
                      "; the frames before it");
}

std::string TimesText(uint64_t passes) {
  if (passes == 0) return "again and again";
  return passes == 1 ? "once" : absl::StrCat(passes, " times");
}

}  // namespace

void BlastFlags::AddReplay(CommandLine& line) {
  line.AddValue("--speed", speed_, "FACTOR",
                "replay: so many times the file's pace (default: 1, or at "
                "--rate frames per second, or with --rate max as fast as it "
                "goes). The file, pcap or pcapng of Ethernet, is read into "
                "memory before, at most 1 GiB of it; one that is cut off is "
                "sent as far as it goes (exit code 3)");
  line.AddValue("--loop", loop_, "N",
                "replay: send the file so many times (default: 1; with "
                "--duration as often as there is time for)");
  line.AddSwitch("--skip-unfit", skip_unfit_,
                 "replay: leave out frames that were not captured in full, or "
                 "are too long for the --mtu, instead of refusing the file");
}

absl::Status BlastFlags::UnderstandReplay(BlastPlan& plan) const {
  if (file_.empty()) {
    return absl::InvalidArgumentError(
        "say which file to replay, as in: corelane blast replay web.pcap "
        "--dev af_packet,iface=veth0");
  }
  plan.replay_path = file_;
  plan.skip_unfit = skip_unfit_;
  dataplane::ReplayLoadConfig& replay = plan.replay;
  dataplane::LoadConfig& load = replay.load;
  load.duration = kUnbounded;
  load.timeout = 1s;
  absl::Status s;
  if (rate_) replay.pace = *rate_ == "max" ? Pace::kFastest : Pace::kRate;
  if (rate_ && speed_) {
    return absl::InvalidArgumentError(
        "--speed is of the file's own pace; leave it or --rate out");
  }
  if (replay.pace == Pace::kRate) {
    Take(rate_, load.rate, s,
         [](const std::string& t) { return ParseRate("--rate", t); });
  }
  Take(speed_, replay.speed, s, ParseSpeed);
  if (duration_) replay.passes = 0;
  Take(loop_, replay.passes, s, [](const std::string& t) {
    return ParseNumber("--loop", t, 1, kMostPasses, "");
  });
  Take(duration_, load.duration, s, [](const std::string& t) {
    return ParseDuration("--duration", t, 1ms, kLongest);
  });
  Take(timeout_, load.timeout, s, [](const std::string& t) {
    return ParseDuration("--timeout", t, 1ms, kLongest);
  });
  Take(target_mac_, replay.target_mac, s, ParseTargetMac);
  plan.udp.load = load;
  return s;
}

absl::Status LoadReplay(BlastPlan& plan,
                        const runtime::RuntimeOptions& options) {
  if (options.devices.size() > 1) {
    return absl::InvalidArgumentError(
        "replay sends on one device; give one --dev");
  }
  ReplayFileOptions how;
  if (options.mtu != 0) how.mtu = options.mtu;
  how.skip_unfit = plan.skip_unfit;
  auto file = ReadReplayFile(plan.replay_path, how);
  if (!file.ok()) return file.status();
  dataplane::ReplayLoadConfig& replay = plan.replay;
  replay.tape = file->tape;
  plan.replay_file = *std::move(file);
  if (plan.replay_file.cut_off) {
    runtime::LogError(absl::StrCat(CutOffText(plan), " are sent"));
  }
  if (replay.pace == Pace::kFastest) {
    for (const Objective& o : plan.objectives) {
      if (!o.IsTime()) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--slo ", o.text,
                       ": with --rate max nothing is ever late; give "
                       "rate, throughput or errors"));
    }
  }
  if (replay.pace != Pace::kOwn) return absl::OkStatus();
  const Duration pass = ReplayLoad::PassLength(*replay.tape, replay.speed);
  if (pass == 0ns && replay.passes != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.replay_path,
        ": all its frames are of one time, so that it has no pace to be "
        "repeated at; give a --rate"));
  }
  const double seconds = static_cast<double>(pass.count()) / 1e9 *
                         static_cast<double>(replay.passes);
  if (replay.load.duration == kUnbounded && seconds > 24 * 3600) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.replay_path, ": at this pace it takes ",
        absl::StrFormat("%.1f", seconds / 3600),
        " hours; give a higher --speed, a --rate or a --duration"));
  }
  return absl::OkStatus();
}

std::string DescribeReplay(const BlastPlan& plan) {
  const FrameTape& tape = *plan.replay.tape;
  std::string text =
      absl::StrCat("replay of ", plan.replay_path, ", ", tape.size(),
                   tape.size() == 1 ? " frame, " : " frames, ", tape.bytes(),
                   " bytes, ", Spelled(tape.length()), "; ", PaceText(plan),
                   ", ", TimesText(plan.replay.passes));
  if (plan.replay.load.duration != kUnbounded) {
    absl::StrAppend(&text, ", for ", plan.replay.load.duration / 1ms, " ms");
    if (plan.replay.passes != 0) absl::StrAppend(&text, " at most");
  }
  return text;
}

std::string ReplayLine(const dataplane::Tally& t, Duration lasted) {
  std::string text =
      absl::StrCat(PacketRateText(PerSecond(t.sent, lasted)), " sent, ",
                   BitRateText(WireBits(t.sent, t.bytes_out, lasted)));
  if (t.latency.count() > 0) {
    absl::StrAppend(&text, ", late p99 ", Spelled(t.latency.At(0.99)), ", max ",
                    Spelled(t.latency.max()));
  }
  return absl::StrCat(text, ", ", t.received, " received");
}

std::string ReplayTable(const BlastPlan& plan, const BlastResults& r) {
  const dataplane::Tally& t = r.tally;
  const ReplayFile& file = plan.replay_file;
  std::string text =
      absl::StrCat(PacketRow("sent", t.sent, t.bytes_out, r.lasted),
                   "bytes    "
                   "    ",
                   t.bytes_out, " sent, in ", Spelled(r.lasted), "\n");
  if (t.Of(Outcome::kNotSent) > 0) {
    absl::StrAppend(&text, "not sent     ", t.Of(Outcome::kNotSent),
                    ": due, but the device did not take them\n");
  }
  if (t.latency.count() > 0) {
    absl::StrAppend(&text, "late         ", Quantiles(t.latency), "\n");
  }
  absl::StrAppend(&text,
                  PacketRow("received", t.received, t.bytes_in, r.lasted));
  if (file.left_out() > 0) {
    absl::StrAppend(&text, "left out     ", file.cut,
                    " frames of the file as not captured in full, ",
                    file.too_long, " as too long, ", file.too_short,
                    " as too short\n");
  }
  const FrameTape& tape = *file.tape;
  if (tape.padded() > 0) {
    absl::StrAppend(&text, "padded       ", tape.padded(),
                    " frames of the file, to 60 bytes\n");
  }
  if (tape.backwards() > 0) {
    absl::StrAppend(&text, "out of order ", tape.backwards(),
                    " frames of the file are older than the one before; "
                    "sent right behind it\n");
  }
  return text;
}

void AddReplayJson(const BlastPlan& plan, const BlastResults& r,
                   nlohmann::json& out) {
  const dataplane::Tally& t = r.tally;
  const ReplayFile& file = plan.replay_file;
  // What it is called elsewhere would mislead.
  out["late_ns"] = out["latency_ns"];
  out.erase("latency_ns");
  out["sent_per_second"] = PerSecond(t.sent, r.lasted);
  out["wire_bits_per_second"] = WireBits(t.sent, t.bytes_out, r.lasted);
  out["received"] = t.received;
  out["file"] = {{"path", plan.replay_path},
                 {"frames", file.tape->size()},
                 {"bytes", file.tape->bytes()},
                 {"ns", file.tape->length().count()},
                 {"cut_off", file.cut_off},
                 {"padded", file.tape->padded()},
                 {"out_of_order", file.tape->backwards()},
                 {"left_out",
                  {{"not_in_full", file.cut},
                   {"too_long", file.too_long},
                   {"too_short", file.too_short}}}};
}

void FinishReplay(const BlastPlan& plan, const ReplayLoad& load,
                  BlastResults& results) {
  load.TakeBackUnsent(results.tally);
  if (load.gave_up()) {
    results.partial = true;
    results.partial_why = "the device took no more frames";
  } else if (plan.replay_file.cut_off && !results.partial) {
    results.partial = true;
    results.partial_why = absl::StrCat(
        plan.replay_path, " is cut off within frame ",
        plan.replay_file.tape->size() + plan.replay_file.left_out() + 1,
        "; those before it were sent");
  }
}

}  // namespace corelane::cli
