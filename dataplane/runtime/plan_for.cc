#include "dataplane/runtime/plan_for.h"

#include <algorithm>

#include "pmd/huge_pages.h"

namespace corelane::runtime {

absl::StatusOr<MemoryPlan> PlanFor(const RuntimeOptions& options) {
  MemoryDemand demand;
  demand.ports = static_cast<uint16_t>(options.devices.size());
  if (options.mtu != 0) demand.mtu = options.mtu;
  demand.cores =
      static_cast<uint16_t>(std::max<size_t>(1, options.cores.size()));
  demand.max_connections = options.max_connections;
  demand.memory_mb = options.memory_mb;
  // Planned for huge pages first: with them less is needed, and whether there
  // are enough depends on how much that is.
  demand.huge_pages = true;
  absl::StatusOr<MemoryPlan> plan = PlanMemory(demand);
  if (!plan.ok()) return plan;
  const auto pages = pmd::DecideHugePages(options.huge_pages, plan->memory_mb,
                                          "", pmd::SurveyHugePages());
  if (pages.ok() && !pages->use) {
    demand.huge_pages = false;
    plan = PlanMemory(demand);
  }
  return plan;
}

}  // namespace corelane::runtime
