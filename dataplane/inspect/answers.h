// What a running instance answers to each command of the telemetry socket.
// Called by telemetry's threads, one at a time; whatever belongs to a core is
// read by the core itself, between two of its turns.
#ifndef CORELANE_DATAPLANE_INSPECT_ANSWERS_H_
#define CORELANE_DATAPLANE_INSPECT_ANSWERS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/runtime/runtime.h"
#include "proto/base/time.h"

namespace corelane::inspect {

// A loop answers within one turn; a stuck one must not hold a client for long.
inline constexpr Duration kAnswerTimeout = 2s;

using Parameters = std::vector<std::string>;
using Answer = absl::StatusOr<nlohmann::ordered_json> (*)(runtime::Runtime&,
                                                          const Parameters&);

absl::StatusOr<nlohmann::ordered_json> AnswerNetstat(runtime::Runtime& runtime,
                                                     const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AnswerStats(runtime::Runtime& runtime,
                                                   const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AnswerCores(runtime::Runtime& runtime,
                                                   const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AnswerPorts(runtime::Runtime& runtime,
                                                   const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AnswerArp(runtime::Runtime& runtime,
                                                 const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AnswerRoute(runtime::Runtime& runtime,
                                                   const Parameters& p);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_ANSWERS_H_
