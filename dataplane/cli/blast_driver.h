// A load on one core, with a look at it every second.
#ifndef CORELANE_DATAPLANE_CLI_BLAST_DRIVER_H_
#define CORELANE_DATAPLANE_CLI_BLAST_DRIVER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "dataplane/cli/blast_report.h"
#include "dataplane/load/load.h"
#include "dataplane/runtime/core_loop.h"

namespace corelane::cli {

// What the drivers of all cores have in common. Each adds to it once a second.
class BlastBoard {
 public:
  // `drivers` say Finished before all is over. `plan` outlives it.
  BlastBoard(const BlastPlan& plan, size_t drivers)
      : plan_(plan), running_(drivers) {}

  // `lasted`: how long requests have counted. Not on the packet path.
  void Add(const dataplane::Tally& tally, Duration lasted, double busy,
           uint64_t retransmits);
  // The last one asks the process to stop.
  void Finished();
  // One line for what came in since the last.
  void TellSecond(int second);
  // After the cores have stopped.
  BlastResults Results() const;

 private:
  const BlastPlan& plan_;
  mutable std::mutex mutex_;
  size_t running_;
  dataplane::Tally interval_;
  double interval_busy_ = 0;
  Duration told_{};  // until when `lasted` was told
  BlastResults results_;
};

class BlastDriver final : public dataplane::Application {
 public:
  BlastDriver(std::unique_ptr<dataplane::Load> load, BlastBoard* board)
      : load_(std::move(load)), board_(*board) {}

  // Before the first turn.
  void Watch(runtime::CoreLoop* core, bool tells) {
    core_ = core;
    tells_ = tells;
  }

  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time now) override {
    load_->OnConnections(ready, now);
  }
  void OnDatagrams(std::span<dataplane::Datagram> datagrams,
                   Time now) override {
    load_->OnDatagrams(datagrams, now);
  }
  void OnDatagramError(const dataplane::DatagramError& error) override {
    load_->OnDatagramError(error);
  }
  Time OnTurn(Time now) override;

  const dataplane::Load& load() const { return *load_; }

 private:
  void Report(Time now);

  std::unique_ptr<dataplane::Load> load_;
  BlastBoard& board_;
  runtime::CoreLoop* core_ = nullptr;
  bool tells_ = false;
  bool finished_ = false;
  int seconds_ = 0;
  Time report_at_ = kTimeZero;
  runtime::CoreLoad before_;
  uint64_t retransmits_ = 0;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_DRIVER_H_
