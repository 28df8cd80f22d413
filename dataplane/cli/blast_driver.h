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
      : plan_(plan), running_(drivers), busy_(drivers) {}

  // `lasted`: how long requests have counted. Not on the packet path.
  void Add(const dataplane::Tally& tally,
           const std::vector<dataplane::Tally>& slices, Duration lasted,
           uint64_t retransmits);
  // How busy core number `core` was: since requests counted, and in a second.
  // `behind`: by how much it was late, at most.
  void NoteBusy(size_t core, double mean, double second, Duration behind);
  // A point of the plot, for what came in since the last.
  void NotePoint();
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
  std::vector<double> busy_;  // of each core
  Duration told_{};           // until when `lasted` was told
  // Since the last point of the plot.
  Duration noted_{};
  uint64_t noted_ok_ = 0;
  uint64_t noted_bytes_ = 0;
  uint64_t noted_errors_ = 0;
  BlastResults results_;
};

class BlastDriver final : public dataplane::Application {
 public:
  // Reports every `often`, at most a second.
  BlastDriver(std::unique_ptr<dataplane::Load> load, BlastBoard* board,
              Duration often)
      : load_(std::move(load)), board_(*board), often_(often) {}

  // Before the first turn.
  void Watch(runtime::CoreLoop* core, size_t number) {
    core_ = core;
    number_ = number;
    tells_ = number == 0;
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
  Time TakeTurn(Time now);
  void Report(Time now);
  void ReportBusy();

  std::unique_ptr<dataplane::Load> load_;
  BlastBoard& board_;
  runtime::CoreLoop* core_ = nullptr;
  bool tells_ = false;
  bool finished_ = false;
  int seconds_ = 0;
  Duration often_;  // how often it reports
  Time report_at_ = kTimeZero;
  Time tell_at_ = kTimeZero;
  Time wanted_ = kTimeNever;  // when the next turn was to be
  Duration behind_{};         // how late one was, at most
  size_t number_ = 0;
  runtime::CoreLoad second_;   // when the second began
  runtime::CoreLoad counted_;  // when requests began to count
  uint64_t retransmits_ = 0;
};

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_BLAST_DRIVER_H_
