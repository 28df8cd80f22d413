// Runs one scenario a fixed number of times, for valgrind to count what the
// stack executes (scripts/check_instructions):
//   corelane_op_cost --list
//   corelane_op_cost --target       what it was compiled by, and for
//   corelane_op_cost NAME STEPS     prints the number of operations
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/scenario.h"

namespace {

#if defined(__AVX512F__)
constexpr char kTarget[] = "AVX-512";
#elif defined(__AVX2__)
constexpr char kTarget[] = "AVX2";
#else
constexpr char kTarget[] = "SSE2";
#endif
#if defined(__clang__)
constexpr char kCompiler[] = "clang";
#else
constexpr char kCompiler[] = "GCC";
#endif

}  // namespace

int main(int argc, char** argv) {
  using corelane::bench::Scenarios;
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto& s : Scenarios()) {
      if (s.counted) std::printf("%s\n", s.name.c_str());
    }
    return 0;
  }
  if (argc == 2 && std::strcmp(argv[1], "--target") == 0) {
    std::printf("%s %d, %s\n", kCompiler, __GNUC__, kTarget);
    return 0;
  }
  if (argc != 3) {
    std::fprintf(
        stderr,
        "usage: corelane_op_cost --list | --target | NAME STEPS, where NAME is "
        "one of those listed\n");
    return 2;
  }
  for (const auto& s : Scenarios()) {
    if (s.name != argv[1]) continue;
    const auto scenario = s.make();
    for (int i = 0; i < 64; ++i) scenario->Step();
    uint64_t operations = 0;
    for (int i = std::atoi(argv[2]); i > 0; --i) {
      operations += scenario->Step().operations;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(operations));
    return 0;
  }
  std::fprintf(stderr, "no scenario '%s'; see --list\n", argv[1]);
  return 2;
}
