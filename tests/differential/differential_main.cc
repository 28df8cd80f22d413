// corelane_differential SCRIPT: runs a script (tests/sim/scripts) on our stack,
// does the same to the Linux kernel, and prints what they sent differently. As
// root; scripts/differential runs them all.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/differential/kernel_stack.h"
#include "tests/differential/replay.h"
#include "tests/sim/script.h"

int main(int argc, char** argv) {
  using corelane::sim::KernelStack;
  if (argc != 2) {
    std::fputs("usage: corelane_differential SCRIPT\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1]);
  std::stringstream text;
  text << file.rdbuf();
  corelane::sim::ScriptRecord record;
  corelane::sim::Script script;
  script.set_record(&record);
  std::string wrong = file ? script.Run(text.str()) : "cannot be read";
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], wrong.c_str());
    return 2;
  }
  KernelStack kernel;
  wrong = kernel.Start(record.settings);
  if (!wrong.empty()) {
    std::printf("not compared: %s\n", wrong.c_str());
    return 0;
  }
  constexpr corelane::Duration kLongest = std::chrono::seconds(10);
  const auto comparison = ReplayOn(kernel, record, kLongest);
  const std::string differences = Differences(comparison);
  std::printf("%s%s\n%s", differences.empty() ? "same" : "different",
              comparison.cut ? " (the first 10 s)" : "", differences.c_str());
  return differences.empty() ? 0 : 1;
}
