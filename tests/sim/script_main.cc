// corelane_script [-k] FILE...: runs scripts and says of each whether it
// passes. -k: goes on after a line that failed. For scripts that are being
// written, and for those in scripts/pending.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/sim/script.h"

int main(int argc, char** argv) {
  int failed = 0;
  const bool keep_going = argc > 1 && std::string_view(argv[1]) == "-k";
  const int first = keep_going ? 2 : 1;
  for (int i = first; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::stringstream text;
    text << file.rdbuf();
    corelane::sim::Script script;
    script.set_keep_going(keep_going);
    const std::string wrong = file ? script.Run(text.str()) : "cannot be read";
    if (!wrong.empty()) ++failed;
    std::printf("%s %s%s%s\n", wrong.empty() ? "ok  " : "FAIL", argv[i],
                wrong.empty() ? "" : ": ", wrong.c_str());
  }
  std::printf("%d of %d failed\n", failed, argc - first);
  return failed == 0 ? 0 : 1;
}
