// How other threads get something done on a core's loop: they put one request
// into a slot and wait; the loop looks into the slot once per turn.
#ifndef CORELANE_DATAPLANE_RUNTIME_MAILBOX_H_
#define CORELANE_DATAPLANE_RUNTIME_MAILBOX_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <semaphore>
#include <utility>

#include "absl/status/status.h"
#include "dataplane/pipeline/pipeline.h"
#include "proto/base/time.h"

namespace corelane::runtime {

class Mailbox {
 public:
  // Runs on the loop between two turns: it must be short (it delays packets),
  // and must not block.
  using Request = std::function<void(dataplane::Pipeline&)>;

  // `wake` ends the loop's sleep; called from any thread.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // ---- Other threads
  // Returns when the request has run; when it will not run any more the result
  // is kDeadlineExceeded (the loop is stuck) or kUnavailable (it has ended).
  absl::Status Call(const Request& request, Duration timeout);

  // ---- The loop. Neither waits.
  // Runs the waiting request, if there is one.
  bool Poll(dataplane::Pipeline& pipeline) {
    if (state_.load(std::memory_order_relaxed) != State::kPosted) return false;
    return Serve(pipeline);
  }
  // From now on nothing is run.
  void Close();

 private:
  enum class State : int { kEmpty, kPosted, kRunning, kDone, kRefused };

  bool Serve(dataplane::Pipeline& pipeline);

  std::function<void()> wake_;
  std::mutex callers_;  // one request at a time
  std::atomic<State> state_{State::kEmpty};
  std::atomic<bool> closed_{false};
  const Request* request_ = nullptr;  // of the caller that holds callers_
  std::binary_semaphore answered_{0};
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_MAILBOX_H_
