// Ctrl-C and its relatives, turned into something a loop can look at.
#ifndef CORELANE_DATAPLANE_RUNTIME_STOP_SIGNAL_H_
#define CORELANE_DATAPLANE_RUNTIME_STOP_SIGNAL_H_

#include <signal.h>

#include <array>

namespace corelane::pmd {
class Idle;
}

namespace corelane::runtime {

// While it lives, SIGINT, SIGTERM and SIGHUP ask for a stop instead of killing
// the process, and SIGPIPE is ignored: a telemetry client that goes away in the
// middle of an answer must not take the stack with it. One at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // How often a stop was asked for: at 1 in order, from 2 on at once. A third
  // signal ends the process on the spot.
  static int Requests();

  // Whom a signal wakes. Signals may be delivered to any thread, so that a
  // sleeping loop's own system call is not always cut short. At most
  // kMostSleepers.
  static constexpr int kMostSleepers = 128;
  static void AddSleeper(pmd::Idle* idle);
  static void RemoveSleeper(pmd::Idle* idle);

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

  std::array<struct sigaction, kSignals.size()> before_;
  struct sigaction pipe_before_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_STOP_SIGNAL_H_
