#include "dataplane/runtime/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "pmd/idle.h"

namespace corelane::runtime {
namespace {

std::atomic<int> requests{0};
std::atomic<pmd::Idle*> sleeper{nullptr};

void OnSignal(int /*signal*/) {
  const int saved = errno;
  if (requests.fetch_add(1) >= 2) _exit(1);
  pmd::Idle* idle = sleeper.load();
  if (idle != nullptr) idle->Wake();
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
  sleeper.store(nullptr);
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &before_[i], nullptr);
  }
  sigaction(SIGPIPE, &pipe_before_, nullptr);
}

int StopSignal::Requests() { return requests.load(std::memory_order_relaxed); }

void StopSignal::SetSleeper(pmd::Idle* idle) { sleeper.store(idle); }

}  // namespace corelane::runtime
