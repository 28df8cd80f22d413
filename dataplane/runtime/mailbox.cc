#include "dataplane/runtime/mailbox.h"

namespace corelane::runtime {

absl::Status Mailbox::Call(const Request& request, Duration timeout) {
  const std::lock_guard lock(callers_);
  if (closed_.load()) return absl::UnavailableError("the stack is stopping");
  request_ = &request;
  state_.store(State::kPosted, std::memory_order_release);
  wake_();
  if (!answered_.try_acquire_for(timeout)) {
    State expected = State::kPosted;
    if (state_.compare_exchange_strong(expected, State::kEmpty)) {
      return absl::DeadlineExceededError("the stack does not answer");
    }
    // It has just been taken up, and `request` must outlive that.
    answered_.acquire();
  }
  const State end = state_.exchange(State::kEmpty);
  if (end == State::kRefused) {
    return absl::UnavailableError("the stack is stopping");
  }
  return absl::OkStatus();
}

bool Mailbox::Serve(dataplane::Pipeline& pipeline) {
  State expected = State::kPosted;
  if (!state_.compare_exchange_strong(expected, State::kRunning,
                                      std::memory_order_acquire)) {
    return false;  // withdrawn
  }
  (*request_)(pipeline);
  state_.store(State::kDone, std::memory_order_release);
  answered_.release();
  return true;
}

void Mailbox::Close() {
  closed_.store(true);
  State expected = State::kPosted;
  if (state_.compare_exchange_strong(expected, State::kRefused)) {
    answered_.release();
  }
}

}  // namespace corelane::runtime
