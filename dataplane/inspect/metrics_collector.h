// Keeps the metrics page up to date: asks every core once a second.
#ifndef CORELANE_DATAPLANE_INSPECT_METRICS_COLLECTOR_H_
#define CORELANE_DATAPLANE_INSPECT_METRICS_COLLECTOR_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "dataplane/app/metrics_app.h"
#include "dataplane/runtime/runtime.h"

namespace corelane::inspect {

class MetricsCollector {
 public:
  // Starts a thread. Both outlive it.
  MetricsCollector(runtime::Runtime* runtime, dataplane::MetricsPage* page);
  // Ends it; at once while the cores' loops run, and when they have ended.
  ~MetricsCollector();
  MetricsCollector(const MetricsCollector&) = delete;
  MetricsCollector& operator=(const MetricsCollector&) = delete;

 private:
  void Loop();
  // Leaves the page as it is when a core does not answer any more.
  void Collect();

  runtime::Runtime& runtime_;
  dataplane::MetricsPage& page_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_METRICS_COLLECTOR_H_
