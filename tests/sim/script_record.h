// What happened while a script ran.
#ifndef CORELANE_TESTS_SIM_SCRIPT_RECORD_H_
#define CORELANE_TESTS_SIM_SCRIPT_RECORD_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/frames.h"

namespace corelane::sim {

struct ScriptEvent {
  enum class Kind : uint8_t {
    kArrives,      // a frame, at the stack
    kSent,         // a frame, by the stack
    kApplication,  // does what `words` say
  };
  Kind kind = Kind::kArrives;
  Duration at{};  // since the start
  Frame frame;
  std::vector<std::string> words;
};

struct ScriptRecord {
  uint32_t peer_isn = 0;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<ScriptEvent> events;  // in order
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_RECORD_H_
