// What is wrong, or could be better: rules over facts, nothing else.
#ifndef CORELANE_DATAPLANE_INSPECT_DOCTOR_H_
#define CORELANE_DATAPLANE_INSPECT_DOCTOR_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/inspect/host_facts.h"

namespace corelane::inspect {

struct Finding {
  // A problem keeps something from working or loses packets; advice makes it
  // faster.
  enum class Kind : uint8_t { kProblem, kAdvice };

  Kind kind = Kind::kAdvice;
  std::string about;   // "huge pages"
  std::string what;    // what was found
  std::string costs;   // what that costs
  std::string remedy;  // what to type
};

std::vector<Finding> ExamineHost(const HostFacts& facts);

// What a running instance says of itself: the answers to /corelane/stats, and
// the rows of ports, cores and of netstat's busiest connections with all
// columns.
absl::StatusOr<std::vector<Finding>> ExamineInstance(
    const nlohmann::ordered_json& stats, const nlohmann::ordered_json& ports,
    const nlohmann::ordered_json& cores, const nlohmann::ordered_json& busiest);

// For people; and for programs.
std::string FormatFindings(std::span<const Finding> findings);
nlohmann::ordered_json FindingsJson(std::span<const Finding> findings);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_DOCTOR_H_
