// Runs simulated worlds, one per seed. The first seed that fails is printed;
// run that alone with --trace and --pcap to see what happened.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "proto/tcp/congestion_control.h"
#include "tests/sim/golden_tables.h"
#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"

namespace {

using corelane::sim::DrawScenario;
using corelane::sim::RunScenario;
using corelane::sim::Scenario;
using corelane::sim::SwarmOptions;
using corelane::sim::SwarmResult;

constexpr char kUsage[] =
    "usage: corelane_swarm [--seed N] [--seeds COUNT] [--trace] [--frames]\n"
    "                      [--keep-going] [--golden] [--pcap FILE]\n"
    "                      [--congestion NAME]\n"
    "       corelane_swarm --golden-tables\n"
    "  --seed N       the first seed (default 1)\n"
    "  --seeds COUNT  how many, from there on (default 1)\n"
    "  --trace        print each world, its trace hash, frames and duration\n"
    "  --frames       print every frame that arrives\n"
    "  --keep-going   run all seeds, whatever fails\n"
    "  --golden       print only seed and hash, as golden_traces.txt wants it\n"
    "  --golden-tables  print golden_tables.txt and nothing else\n"
    "  --pcap FILE    write every frame there\n"
    "  --congestion NAME  of all hosts, instead of what the seed says\n";

struct Arguments {
  uint64_t seed = 1;
  uint64_t seeds = 1;
  bool trace = false;
  bool golden = false;
  bool keep_going = false;
  std::optional<corelane::tcp::CongestionControl> congestion;
  SwarmOptions options;
};

bool Parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      out.trace = true;
      continue;
    }
    if (flag == "--golden") {
      out.golden = true;
      continue;
    }
    if (flag == "--frames") {
      out.options.print_frames = true;
      continue;
    }
    if (flag == "--keep-going") {
      out.keep_going = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    char* end = nullptr;
    if (flag == "--pcap") {
      out.options.pcap = value;
    } else if (flag == "--congestion") {
      out.congestion = corelane::tcp::CongestionControlByName(value);
      if (!out.congestion) return false;
    } else if (flag == "--seed") {
      out.seed = std::strtoull(value, &end, 0);
    } else if (flag == "--seeds") {
      out.seeds = std::strtoull(value, &end, 0);
    } else {
      return false;
    }
    if (end != nullptr && (*end != '\0' || end == value)) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--golden-tables") == 0) {
    std::fputs(corelane::sim::GoldenTables().c_str(), stdout);
    return 0;
  }
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  int status = 0;
  uint64_t frames = 0;
  double hours = 0;
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    Scenario scenario = DrawScenario(arguments.seed + i);
    if (arguments.congestion) {
      for (auto* node : {&scenario.client, &scenario.server}) {
        node->pipeline.tcp.congestion = *arguments.congestion;
      }
    }
    if (arguments.trace) std::puts(scenario.Summary().c_str());
    const SwarmResult result = RunScenario(scenario, arguments.options);
    if (arguments.trace) {
      std::printf("  trace %016llx, %llu frames, %llu events, %.6f s\n",
                  static_cast<unsigned long long>(result.trace_hash),
                  static_cast<unsigned long long>(result.frames),
                  static_cast<unsigned long long>(result.events),
                  static_cast<double>(result.lasted.count()) * 1e-9);
    }
    if (arguments.golden) {
      std::printf("%llu %016llx\n",
                  static_cast<unsigned long long>(scenario.seed),
                  static_cast<unsigned long long>(result.trace_hash));
    }
    frames += result.frames;
    hours += static_cast<double>(result.lasted.count()) * 1e-9 / 3600;
    if (!result.failure.empty()) {
      std::fprintf(stderr, "FAILED seed %llu: %s\n",
                   static_cast<unsigned long long>(scenario.seed),
                   result.failure.c_str());
      status = 1;
      if (!arguments.keep_going) break;
    }
  }
  if (!arguments.golden) {
    std::printf("%llu seeds from %llu: %llu frames, %.1f virtual hours\n",
                static_cast<unsigned long long>(arguments.seeds),
                static_cast<unsigned long long>(arguments.seed),
                static_cast<unsigned long long>(frames), hours);
  }
  return status;
}
