// The memory that a whole set of options comes to on this host.
#ifndef CORELANE_DATAPLANE_RUNTIME_PLAN_FOR_H_
#define CORELANE_DATAPLANE_RUNTIME_PLAN_FOR_H_

#include "absl/status/statusor.h"
#include "dataplane/runtime/memory_plan.h"
#include "dataplane/runtime/options.h"

namespace corelane::runtime {

// Looks at the host's huge pages; starts nothing.
absl::StatusOr<MemoryPlan> PlanFor(const RuntimeOptions& options);

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_PLAN_FOR_H_
