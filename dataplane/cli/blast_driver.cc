#include "dataplane/cli/blast_driver.h"

#include <algorithm>
#include <csignal>
#include <string>

#include "dataplane/runtime/log.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::cli {

void BlastBoard::Add(const dataplane::Tally& tally, Duration lasted,
                     double busy, uint64_t retransmits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  interval_.Add(tally);
  interval_busy_ = std::max(interval_busy_, busy);
  results_.tally.Add(tally);
  results_.lasted = std::max(results_.lasted, lasted);
  results_.busy = std::max(results_.busy, busy);
  results_.retransmits += retransmits;
}

void BlastBoard::Finished() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--running_ == 0) std::raise(SIGTERM);
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
  // The loop closes the connections itself now.
  if (finished_ || runtime::StopSignal::Requests() > 0) {
    if (!finished_) {
      load_->Stop();
      load_->OnTurn(now);  // it concludes what there is
      Report(now);
    }
    finished_ = true;
    return kTimeNever;
  }
  if (report_at_ == kTimeZero) {
    report_at_ = now + 1s;
    before_ = core_->load();
  }
  const Time next = load_->OnTurn(now);
  if (load_->Finished()) {
    Report(now);
    finished_ = true;
    board_.Finished();
    return kTimeNever;
  }
  if (now >= report_at_) {
    Report(now);
    ++seconds_;
    report_at_ += 1s;
    if (tells_) board_.TellSecond(seconds_);
  }
  return std::min(next, report_at_);
}

void BlastDriver::Report(Time now) {
  const runtime::CoreLoad load = core_->load();
  const Duration up = load.up - before_.up;
  const double busy =
      up <= 0s ? 0
               : static_cast<double>((load.busy - before_.busy).count()) /
                     static_cast<double>(up.count());
  before_ = load;
  // Not counted while it warms up: neither is what it brings.
  const Duration lasted = load_->Lasted(now);
  const uint64_t retransmits =
      core_->pipeline().core().counters.tcp.retransmits;
  board_.Add(load_->TakeTally(), lasted, lasted > 0s ? busy : 0,
             retransmits - retransmits_);
  retransmits_ = retransmits;
}

}  // namespace corelane::cli
