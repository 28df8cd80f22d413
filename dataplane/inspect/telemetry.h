// The reports as commands of DPDK's telemetry socket, where dpdk-telemetry.py
// and `corelane netstat` find them:
//
//   /corelane/netstat[,CURSOR[,wide][,FILTER...]]   sockets (socket_filter.h)
//   /corelane/stats[,CORE]     counters, drops by reason, resources: the sum
//                              over all cores, or one core's
//   /corelane/cores            the same of each core in brief, and how busy
//   /corelane/ports            devices
//   /corelane/arp[,CURSOR]     neighbours, of each core in turn
//   /corelane/route[,CURSOR]   routes
//   /corelane/addr             own addresses, and how far each is claimed
//
// and those that change something (control.h).
//
// A list is {"0": row, "1": row, ...} (DPDK 22.11 has no arrays of objects).
// When there is a member "next" it is not complete: ask again with that cursor,
// since a reply holds 16 KiB. A failure is {"error": "..."}.
#ifndef CORELANE_DATAPLANE_INSPECT_TELEMETRY_H_
#define CORELANE_DATAPLANE_INSPECT_TELEMETRY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "dataplane/runtime/runtime.h"

namespace corelane::inspect {

// Rows per reply, so that the longest ones fit.
inline constexpr size_t kSocketRows = 96;
inline constexpr size_t kWideSocketRows = 25;
inline constexpr size_t kListRows = 96;

// One per process. While it lives, telemetry's threads reach into the runtime
// through the mailboxes of its cores.
class Telemetry {
 public:
  static absl::StatusOr<std::unique_ptr<Telemetry>> Start(
      runtime::Runtime* runtime);
  // Returns when no thread is inside any more.
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

 private:
  Telemetry() = default;
};

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_TELEMETRY_H_
