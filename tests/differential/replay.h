// Does to the kernel what a script did to our stack, and says where they
// differ.
#ifndef CORELANE_TESTS_DIFFERENTIAL_REPLAY_H_
#define CORELANE_TESTS_DIFFERENTIAL_REPLAY_H_

#include <string>
#include <vector>

#include "proto/base/time.h"
#include "tests/differential/kernel_stack.h"
#include "tests/sim/script_record.h"

namespace corelane::sim {

// A segment that one of the two stacks sent, as it can be compared: numbers
// count from the SYNs, and windows and PSH are left out.
struct Reply {
  std::string text;
  Duration after{};  // since something was last done to the stack
};

struct Comparison {
  std::vector<Reply> ours;
  std::vector<Reply> kernel;
  bool cut = false;  // the script takes longer than `longest`
};

// In real time, at most for `longest`; where our stack had sent something
// before the next thing was done to it, the kernel is given a little longer.
Comparison ReplayOn(KernelStack& kernel, const ScriptRecord& record,
                    Duration longest);

// "- ours", "+ kernel", line by line, and "~" where only the time differs (by
// more than 60 ms and a third); empty if there is no difference.
std::string Differences(const Comparison& comparison);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DIFFERENTIAL_REPLAY_H_
