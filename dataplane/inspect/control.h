// Commands of the telemetry socket that change a running instance. A request
// that is not exactly what it should be is refused and changes nothing.
//
//   /corelane/addr/add,A.B.C.D/N[@DEVICE]
//   /corelane/addr/del,A.B.C.D
//   /corelane/route/add,A.B.C.D/N,GATEWAY
//   /corelane/route/del,A.B.C.D/N
//   /corelane/arp/flush
//   /corelane/capture/start[,FILTER]
//   /corelane/capture/stop
#ifndef CORELANE_DATAPLANE_INSPECT_CONTROL_H_
#define CORELANE_DATAPLANE_INSPECT_CONTROL_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "dataplane/inspect/answers.h"
#include "dataplane/runtime/runtime.h"

namespace corelane::inspect {

// Rows of {"address", "interface", "device", "state", "rival"}.
absl::StatusOr<nlohmann::ordered_json> AnswerAddresses(
    runtime::Runtime& runtime, const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AddAddress(runtime::Runtime& runtime,
                                                  const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> RemoveAddress(runtime::Runtime& runtime,
                                                     const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> AddRoute(runtime::Runtime& runtime,
                                                const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> RemoveRoute(runtime::Runtime& runtime,
                                                   const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> FlushNeighbors(runtime::Runtime& runtime,
                                                      const Parameters& p);
// {"pid", "fd", "rings", "ring_bytes"}: see runtime/capture_session.h.
absl::StatusOr<nlohmann::ordered_json> StartCapture(runtime::Runtime& runtime,
                                                    const Parameters& p);
absl::StatusOr<nlohmann::ordered_json> StopCapture(runtime::Runtime& runtime,
                                                   const Parameters& p);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_CONTROL_H_
