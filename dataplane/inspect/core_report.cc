#include "dataplane/inspect/core_report.h"

#include <nlohmann/json.hpp>

#include "dataplane/pipeline/drop_reason.h"

namespace corelane::inspect {

nlohmann::ordered_json CoreReport(dataplane::Pipeline& pipeline,
                                  const runtime::CoreLoad& load) {
  const dataplane::Counters& c = pipeline.core().counters;
  const dataplane::TcpLayer& tcp = pipeline.tcp();
  nlohmann::ordered_json drops = nlohmann::ordered_json::object();
  for (size_t i = 0; i < dataplane::kDropReasonCount; ++i) {
    if (c.drops[i] == 0) continue;
    drops[DropReasonName(static_cast<dataplane::DropReason>(i))] = c.drops[i];
  }
  return {
      {"cpu", load.cpu},
      {"up_us", load.up / 1us},
      {"busy_us", load.busy / 1us},
      {"slept_us", load.slept / 1us},
      {"rx_packets", c.rx_packets},
      {"rx_bytes", c.rx_bytes},
      {"tx_packets", c.tx_packets},
      {"tx_bytes", c.tx_bytes},
      {"connections", tcp.blocks().in_use()},
      {"accepts", c.tcp.passive_opens},
      {"retransmissions", c.tcp.retransmits},
      {"dropped", c.Drops()},
      {"free_packets", pipeline.core().pool.available()},
      {"drops", std::move(drops)},
  };
}

}  // namespace corelane::inspect
