// The idle ladder: what a core does while there is nothing to do.
#ifndef CORELANE_PMD_IDLE_H_
#define CORELANE_PMD_IDLE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "pmd/idle_mode.h"
#include "pmd/port.h"
#include "proto/base/time.h"

namespace corelane::pmd {

struct IdleOptions {
  IdleMode mode = IdleMode::kAdaptive;
  // Spinning goes on for this long after the last packet.
  Duration spin_for = 100us;
  // Sleeps where a queue cannot wake us: the first, doubling up to the last.
  Duration first_sleep = 50us;
  Duration longest_sleep = 750us;
  // Sleeps where every queue can. Bounded, so that a driver that loses an
  // interrupt costs a delay and not a hang.
  Duration longest_interrupt_sleep = 20ms;
};

// One core's. All calls but Wake come from that core's thread.
//
//   for (;;) {
//     now = clock.Now();
//     bool worked = poll everything, mailboxes included;
//     if (worked) idle.Worked(now); else idle.Wait(now, next_deadline);
//   }
//
// Nothing is lost between the last poll and the sleep: before it sleeps, Wait
// arms what shall wake it and returns, so that the loop polls once more.
class Idle {
 public:
  static absl::StatusOr<std::unique_ptr<Idle>> Create(
      const IdleOptions& options);
  ~Idle();
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

  // Makes one receive queue wake this core, if its port can. The port must
  // outlive this object.
  void Watch(Port* port, uint16_t queue);

  // The poll found something.
  void Worked(Time now) {
    last_work_ = now;
    if (armed_.load(std::memory_order_relaxed)) [[unlikely]] {
      Disarm();
    }
    sleep_ = options_.first_sleep;
  }

  // The poll found nothing. Returns at once or after a while, at the latest at
  // `next_deadline` (kTimeNever: none). The caller reads the clock again.
  void Wait(Time now, Time next_deadline);

  // Cuts a sleep short. From any thread, after what the core is to see was
  // published; cheap while the core is awake.
  void Wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (armed_.load(std::memory_order_relaxed)) Ring();
  }

  IdleMode mode() const { return options_.mode; }
  // Whether packets of every watched queue end a sleep.
  bool interrupt_driven() const {
    return !queues_.empty() && interrupt_queues_ == queues_.size();
  }
  uint64_t sleeps() const { return sleeps_; }
  Duration slept() const { return slept_; }

 private:
  struct Queue {
    uint16_t port_id;
    uint16_t queue;
    bool interrupt;  // registered with epoll_fd_
    bool masked;     // the driver has a mask that must be opened and closed
  };

  Idle(const IdleOptions& options, int epoll_fd, int event_fd)
      : options_(options),
        epoll_fd_(epoll_fd),
        event_fd_(event_fd),
        sleep_(options.first_sleep) {}

  void Arm();
  void Disarm();
  void Ring();
  // Whether something other than time ended the sleep.
  bool Sleep(Duration longest);

  IdleOptions options_;
  int epoll_fd_;
  int event_fd_;
  std::vector<Queue> queues_;
  size_t interrupt_queues_ = 0;
  Duration sleep_;
  Time last_work_{};
  bool woken_ = false;  // the last sleep was ended by a packet or a call
  uint64_t sleeps_ = 0;
  Duration slept_{};
  std::atomic<bool> armed_{false};
};

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_IDLE_H_
