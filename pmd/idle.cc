#include "pmd/idle.h"

#include <poll.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_pause.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace corelane::pmd {
namespace {

// Below this, falling asleep takes longer than the wait.
constexpr Duration kShortestSleep = 10us;
constexpr int kPausesPerPoll = 8;

int64_t MonotonicNow() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Idle>> Idle::Create(const IdleOptions& options) {
  const int event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (event_fd < 0 || epoll_fd < 0) {
    const int error = errno;
    if (event_fd >= 0) close(event_fd);
    return absl::ResourceExhaustedError(
        absl::StrCat("no file descriptors left for the idle loop (",
                     std::strerror(error), "); raise ulimit -n"));
  }
  return std::unique_ptr<Idle>(new Idle(options, epoll_fd, event_fd));
}

Idle::~Idle() {
  Disarm();
  for (const Queue& queue : queues_) {
    if (!queue.interrupt) continue;
    rte_eth_dev_rx_intr_ctl_q(queue.port_id, queue.queue, epoll_fd_,
                              RTE_INTR_EVENT_DEL, nullptr);
  }
  close(epoll_fd_);
  close(event_fd_);
}

void Idle::Watch(Port* port, uint16_t queue) {
  Queue entry{port->id(), queue, false, false};
  if (options_.mode == IdleMode::kAdaptive && port->caps().rx_interrupt) {
    entry.interrupt =
        rte_eth_dev_rx_intr_ctl_q(entry.port_id, queue, epoll_fd_,
                                  RTE_INTR_EVENT_ADD, nullptr) == 0;
  }
  if (entry.interrupt) {
    ++interrupt_queues_;
    // net_tap's descriptor reports packets without being asked to.
    entry.masked = rte_eth_dev_rx_intr_enable(entry.port_id, queue) == 0;
    if (entry.masked) rte_eth_dev_rx_intr_disable(entry.port_id, queue);
  }
  queues_.push_back(entry);
}

void Idle::Wait(Time now, Time next_deadline) {
  if (woken_) {
    // What woke us may take a moment to show up in a poll: net_tap's burst
    // looks at a counter that a signal handler raises.
    woken_ = false;
    last_work_ = now;
  }
  const Duration left =
      next_deadline == kTimeNever ? Duration::max() : next_deadline - now;
  if (options_.mode == IdleMode::kSpin ||
      now - last_work_ < options_.spin_for || left < kShortestSleep) {
    for (int i = 0; i < kPausesPerPoll; ++i) rte_pause();
    return;
  }
  if (!armed_.load(std::memory_order_relaxed)) {
    Arm();
    return;
  }
  const Duration longest =
      interrupt_driven() ? options_.longest_interrupt_sleep : sleep_;
  woken_ = Sleep(std::min(left, longest));
  sleep_ = std::min(sleep_ * 2, options_.longest_sleep);
  Disarm();
}

void Idle::Arm() {
  for (const Queue& queue : queues_) {
    if (queue.masked) rte_eth_dev_rx_intr_enable(queue.port_id, queue.queue);
  }
  armed_.store(true, std::memory_order_relaxed);
  // Pairs with Wake's: either it sees `armed_`, or the poll that follows sees
  // what it published.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Idle::Disarm() {
  if (!armed_.load(std::memory_order_relaxed)) return;
  armed_.store(false, std::memory_order_relaxed);
  for (const Queue& queue : queues_) {
    if (queue.masked) rte_eth_dev_rx_intr_disable(queue.port_id, queue.queue);
  }
}

void Idle::Ring() {
  const uint64_t one = 1;
  // Fails only when it is rung already.
  [[maybe_unused]] const ssize_t written = write(event_fd_, &one, sizeof(one));
}

bool Idle::Sleep(Duration longest) {
  if (sleeps_ == 0) {
    // The default slack of 50 us would double the shortest sleeps.
    prctl(PR_SET_TIMERSLACK, 5'000UL);
  }
  ++sleeps_;
  // poll rather than rte_epoll_wait, which counts in milliseconds.
  pollfd fds[2] = {{event_fd_, POLLIN, 0}, {epoll_fd_, POLLIN, 0}};
  const nfds_t count = interrupt_queues_ > 0 ? 2 : 1;
  const int64_t start = MonotonicNow();
  const timespec timeout = {.tv_sec = longest / 1s,
                            .tv_nsec = (longest % 1s).count()};
  const int ready = ppoll(fds, count, &timeout, nullptr);
  slept_ += Duration(MonotonicNow() - start);
  if (ready == 0) return false;
  if ((fds[0].revents & POLLIN) != 0) {
    uint64_t rings = 0;
    [[maybe_unused]] const ssize_t n = read(event_fd_, &rings, sizeof(rings));
  }
  if ((fds[1].revents & POLLIN) != 0) {
    // Runs DPDK's own handler, which empties the descriptor.
    rte_epoll_event events[8];
    rte_epoll_wait(epoll_fd_, events, 8, 0);
  }
  return true;
}

}  // namespace corelane::pmd
