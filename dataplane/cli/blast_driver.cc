#include "dataplane/cli/blast_driver.h"

#include <algorithm>
#include <csignal>
#include <string>

#include "dataplane/runtime/log.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::cli {

void BlastBoard::Add(const dataplane::Tally& tally,
                     const std::vector<dataplane::Tally>& slices,
                     Duration lasted, uint64_t retransmits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  results_.slices.resize(slices.size());
  for (size_t i = 0; i < slices.size(); ++i) {
    results_.slices[i].Add(slices[i]);
    interval_.Add(slices[i]);
    results_.tally.Add(slices[i]);
  }
  interval_.Add(tally);
  results_.tally.Add(tally);
  results_.lasted = std::max(results_.lasted, lasted);
  results_.retransmits += retransmits;
}

void BlastBoard::NoteBusy(size_t core, double mean, double second,
                          Duration behind) {
  const std::lock_guard<std::mutex> lock(mutex_);
  busy_[core] = mean;
  interval_busy_ = std::max(interval_busy_, second);
  results_.busy = *std::max_element(busy_.begin(), busy_.end());
  results_.busiest = std::max(results_.busiest, second);
  results_.behind = std::max(results_.behind, behind);
}

void BlastBoard::Finished() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--running_ == 0) std::raise(SIGTERM);
}

void BlastBoard::NotePoint() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Duration lasted = results_.lasted - noted_;
  if (lasted < 10ms) return;  // nothing counts, or it is the end
  const dataplane::Tally& t = results_.tally;
  const uint64_t ok = t.Of(dataplane::Outcome::kOk);
  const uint64_t bytes = std::max(t.bytes_in, t.bytes_out);
  const Duration middle = noted_ + lasted / 2;
  noted_ = results_.lasted;
  results_.points.push_back(
      {.seconds = static_cast<double>(noted_.count()) / 1e9,
       .got = plan_.IsBulk() ? PerSecond(8 * (bytes - noted_bytes_), lasted)
                             : PerSecond(ok - noted_ok_, lasted),
       .meant = plan_.RateAt(middle),
       .errors = PerSecond(t.Errors() - noted_errors_, lasted)});
  noted_ok_ = ok;
  noted_bytes_ = bytes;
  noted_errors_ = t.Errors();
}

void BlastBoard::TellSecond(int second) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Duration lasted = results_.lasted - told_;
  told_ = results_.lasted;
  const std::string line = LiveLine(plan_, second, interval_, results_.tally,
                                    lasted > 0s ? lasted : 1s, interval_busy_);
  // What hold opens counts, although its time has not begun.
  const bool counts = lasted > 0s || plan_.what == "hold";
  runtime::LogInfo(counts ? line : line + " (not counted)");
  interval_ = dataplane::Tally();
  interval_busy_ = 0;
}

BlastResults BlastBoard::Results() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  BlastResults results = results_;
  results.partial = running_ > 0;
  return results;
}

Time BlastDriver::OnTurn(Time now) {
  if (load_->Lasted(now) > 0s && now > wanted_) {
    behind_ = std::max<Duration>(behind_, now - wanted_);
  }
  return wanted_ = TakeTurn(now);
}

Time BlastDriver::TakeTurn(Time now) {
  // The loop closes the connections itself now.
  if (finished_ || runtime::StopSignal::Requests() > 0) {
    if (!finished_) {
      load_->Stop();
      load_->OnTurn(now);  // it concludes what there is
      Report(now);
      ReportBusy();
    }
    finished_ = true;
    return kTimeNever;
  }
  if (report_at_ == kTimeZero) {
    report_at_ = now + often_;
    tell_at_ = now + 1s;
    second_ = counted_ = core_->load();
  }
  const Time next = load_->OnTurn(now);
  if (load_->Finished()) {
    Report(now);
    ReportBusy();
    if (tells_) board_.NotePoint();
    finished_ = true;
    board_.Finished();
    return kTimeNever;
  }
  if (now >= report_at_) {
    Report(now);
    report_at_ += often_;
    if (tells_) board_.NotePoint();
    if (now < tell_at_) return std::min(next, report_at_);
    ReportBusy();
    ++seconds_;
    tell_at_ += 1s;
    if (tells_) board_.TellSecond(seconds_);
  }
  return std::min(next, report_at_);
}

void BlastDriver::Report(Time now) {
  // What comes while it warms up is not counted.
  const Duration lasted = load_->Lasted(now);
  if (lasted == 0s) counted_ = core_->load();
  const uint64_t retransmits =
      core_->pipeline().core().counters.tcp.retransmits;
  dataplane::Tally tally = load_->TakeTally();
  board_.Add(tally, load_->TakeSlices(), lasted, retransmits - retransmits_);
  retransmits_ = retransmits;
}

void BlastDriver::ReportBusy() {
  const runtime::CoreLoad load = core_->load();
  auto since = [&](const runtime::CoreLoad& before) {
    const Duration up = load.up - before.up;
    if (up <= 0s) return 0.0;
    return static_cast<double>((load.busy - before.busy).count()) /
           static_cast<double>(up.count());
  };
  // A short rest at the end says nothing.
  const bool whole = seconds_ == 0 || load.up - second_.up >= 500ms;
  board_.NoteBusy(number_, since(counted_), whole ? since(second_) : 0,
                  behind_);
  second_ = load;
}

}  // namespace corelane::cli
