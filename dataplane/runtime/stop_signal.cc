#include "dataplane/runtime/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "pmd/idle.h"

namespace corelane::runtime {
namespace {

std::atomic<int> requests{0};
std::array<std::atomic<pmd::Idle*>, StopSignal::kMostSleepers> sleepers{};

// Puts `to` where `from` is.
void Swap(pmd::Idle* from, pmd::Idle* to) {
  for (std::atomic<pmd::Idle*>& sleeper : sleepers) {
    pmd::Idle* expected = from;
    if (sleeper.compare_exchange_strong(expected, to)) return;
  }
}

void OnSignal(int /*signal*/) {
  const int saved = errno;
  if (requests.fetch_add(1) >= 2) _exit(1);
  for (std::atomic<pmd::Idle*>& sleeper : sleepers) {
    if (pmd::Idle* idle = sleeper.load(); idle != nullptr) idle->Wake();
  }
  errno = saved;
}

}  // namespace

StopSignal::StopSignal() {
  requests.store(0);
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  // DPDK's threads do not expect their system calls to be interrupted.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    // nohup's wish is respected.
    if (kSignals[i] == SIGHUP && before_[i].sa_handler == SIG_IGN) continue;
    sigaction(kSignals[i], &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &pipe_before_);
}

StopSignal::~StopSignal() {
  for (std::atomic<pmd::Idle*>& sleeper : sleepers) sleeper.store(nullptr);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &before_[i], nullptr);
  }
  sigaction(SIGPIPE, &pipe_before_, nullptr);
}

int StopSignal::Requests() { return requests.load(std::memory_order_relaxed); }

void StopSignal::AddSleeper(pmd::Idle* idle) { Swap(nullptr, idle); }

void StopSignal::RemoveSleeper(pmd::Idle* idle) { Swap(idle, nullptr); }

}  // namespace corelane::runtime
