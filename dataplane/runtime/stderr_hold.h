// Keeps a library from writing to stderr for a while.
#ifndef CORELANE_DATAPLANE_RUNTIME_STDERR_HOLD_H_
#define CORELANE_DATAPLANE_RUNTIME_STDERR_HOLD_H_

#include <string>

namespace corelane::runtime {

// While it lives, what is written to file descriptor 2 is kept. DPDK prints its
// reasons to stderr on top of its log, where they would stand beside the one
// line of ours that says the same.
class StderrHold {
 public:
  StderrHold();
  ~StderrHold();
  StderrHold(const StderrHold&) = delete;
  StderrHold& operator=(const StderrHold&) = delete;

  // The first line so far, at most some hundred bytes of it.
  std::string FirstLine() const;

 private:
  int saved_;
  int kept_;
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_STDERR_HOLD_H_
