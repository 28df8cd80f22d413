#include "dataplane/inspect/metrics_collector.h"

#include <signal.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "dataplane/inspect/answers.h"
#include "dataplane/inspect/metrics_text.h"
#include "dataplane/inspect/reports.h"

namespace corelane::inspect {

MetricsCollector::MetricsCollector(runtime::Runtime* runtime,
                                   dataplane::MetricsPage* page)
    : runtime_(*runtime), page_(*page) {
  // Signals are for the threads that were there before.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

MetricsCollector::~MetricsCollector() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MetricsCollector::Loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    Collect();
    lock.lock();
    changed_.wait_for(lock, std::chrono::seconds(1), [&] { return stop_; });
  }
}

void MetricsCollector::Collect() {
  std::vector<Json> cores;
  for (uint32_t i = 0; i < runtime_.cores(); ++i) {
    runtime::CoreLoop& core = runtime_.core(i);
    Json report;
    const absl::Status s = core.mailbox().Call(
        [&](dataplane::Pipeline& pipeline) {
          report = StatsReport(pipeline);
          const runtime::CoreLoad load = core.load();
          report["load"] = {{"busy_us", load.busy / 1us},
                            {"up_us", load.up / 1us}};
        },
        kAnswerTimeout);
    if (!s.ok()) return;
    cores.push_back(std::move(report));
  }
  page_.Publish({MetricsText(cores), std::time(nullptr)});
}

}  // namespace corelane::inspect
