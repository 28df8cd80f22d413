#include "dataplane/load/rate_search.h"

#include <algorithm>
#include <utility>

namespace corelane::dataplane {
namespace {

constexpr double kPrecision = 0.01;
constexpr uint32_t kMaxTrials = 12;  // for one size

}  // namespace

absl::Status RateSearch::Attach(Pipeline* pipeline, uint16_t id) {
  pipeline_ = pipeline;
  id_ = id;
  return NextTrial();
}

absl::Status RateSearch::NextTrial() {
  trial_config_.sizes = {search_.sizes[size_]};
  sum_ = Tally();
  trial_ = std::make_unique<PacketLoad>(trial_config_);
  ++trials_;
  return trial_->Attach(pipeline_, id_);
}

Tally RateSearch::TakeTally() {
  Tally part = trial_->TakeTally();
  sum_.Add(part);
  return part;
}

Time RateSearch::OnTurn(Time now) {
  if (over_) return kTimeNever;
  if (began_at_ == kTimeZero) began_at_ = now;
  if (stopped()) trial_->Stop();
  const Time next = trial_->OnTurn(now);
  if (!trial_->Finished()) return next;
  tally_ = TakeTally();
  why_ = trial_->why();
  over_ = stopped() || !why_.empty();
  if (!over_) Judge();
  return over_ ? kTimeNever : now;
}

void RateSearch::Judge() {
  const double seconds =
      static_cast<double>(trial_config_.load.duration.count()) / 1e9;
  const auto sent = static_cast<double>(sum_.sent);
  const auto back = static_cast<double>(sum_.Of(Outcome::kOk));
  // What was due and never sent is lost as well.
  const double due = sent + static_cast<double>(sum_.Of(Outcome::kNotSent));
  const double loss = due > 0 ? 1 - back / due : 1;
  const bool good = loss <= search_.loss;
  const bool first = trials_ == 1;
  const double rate =
      trial_config_.load.rate == 0 ? sent / seconds : trial_config_.load.rate;
  if (good && back / seconds > best_.rate) {
    best_ = {search_.sizes[size_], back / seconds, loss, 0};
  }
  if (first) {
    low_ = 0;
    high_ = rate;
  } else {
    (good ? low_ : high_) = rate;
  }
  const bool done = (good && first) || high_ - low_ < kPrecision * high_ ||
                    high_ < 1 || trials_ >= kMaxTrials;
  if (!done) {
    trial_config_.load.rate = (low_ + high_) / 2;
  } else {
    best_.size = search_.sizes[size_];
    best_.trials = trials_;
    found_.push_back(std::exchange(best_, FoundRate()));
    trials_ = 0;
    trial_config_.load.rate = first_rate_;
    if (++size_ == search_.sizes.size()) {
      over_ = true;
      return;
    }
  }
  over_ = !NextTrial().ok();
}

}  // namespace corelane::dataplane
