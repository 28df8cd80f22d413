// corelane_script FILE...: runs scripts and says of each whether it passes. For
// scripts that are being written, and for those in scripts/pending.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/sim/script.h"

int main(int argc, char** argv) {
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::stringstream text;
    text << file.rdbuf();
    const std::string wrong =
        file ? corelane::sim::Script().Run(text.str()) : "cannot be read";
    if (!wrong.empty()) ++failed;
    std::printf("%s %s%s%s\n", wrong.empty() ? "ok  " : "FAIL", argv[i],
                wrong.empty() ? "" : ": ", wrong.c_str());
  }
  std::printf("%d of %d failed\n", failed, argc - 1);
  return failed == 0 ? 0 : 1;
}
