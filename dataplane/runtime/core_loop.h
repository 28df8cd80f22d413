// One core: its queues, its packets, its stack, its idling.
#ifndef CORELANE_DATAPLANE_RUNTIME_CORE_LOOP_H_
#define CORELANE_DATAPLANE_RUNTIME_CORE_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/packet/packet_pool.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/runtime/capture_tap.h"
#include "dataplane/runtime/mailbox.h"
#include "pmd/clock.h"
#include "pmd/idle.h"
#include "pmd/packet_mempool.h"
#include "pmd/port.h"

namespace corelane::runtime {

// How a core has spent its time.
struct CoreLoad {
  uint32_t cpu = 0;  // where its loop runs just now
  Duration up{};     // since the loop began
  Duration busy{};   // in turns that found something to do
  Duration slept{};  // of the rest, asleep; else it polled for nothing
};

class CoreLoop {
 public:
  // Polls queue `queue` of each port, ports[i] being the pipeline's interface
  // i. Ports and mempool outlive it.
  static absl::StatusOr<std::unique_ptr<CoreLoop>> Create(
      const dataplane::PipelineConfig& config,
      std::span<const std::unique_ptr<pmd::Port>> ports, uint16_t queue,
      pmd::PacketMempool* mempool, pmd::IdleMode idle_mode, Duration grace);
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  // Something to be run at the start and about once a minute, on the core's own
  // thread.
  void SetHousekeeping(std::function<void(Time now)> housekeeping) {
    housekeeping_ = std::move(housekeeping);
  }

  // Turns until the addresses are known to be free, by asking for them. False:
  // another host has one, or a stop was asked for. Gives up asking after a
  // second.
  bool ClaimAddresses();

  // Turns until a stop is asked for and every connection has ended, or the
  // grace is over. On the core's own thread.
  void Run();

  // Before Run, from the thread that will run it; else through the mailbox.
  dataplane::Pipeline& pipeline() { return *pipeline_; }
  Mailbox& mailbox() { return mailbox_; }
  pmd::Idle& idle() { return *idle_; }
  // On the core's own thread.
  CoreLoad load() const;
  // Likewise. Shows every packet to `tap`, or to nobody.
  void SetTap(CaptureTap* tap) {
    for (TappedQueue& queue : queues_) queue.SetTap(tap);
  }

 private:
  CoreLoop(pmd::PacketMempool* mempool, std::unique_ptr<pmd::Idle> idle,
           Duration grace);

  // Polls, works, sends; returns how much there was to do.
  uint32_t TurnOnce(Time now);
  void KeepHouse(Time now);
  // Whether the loop is to end now.
  bool Stopping(Time now);
  // Resets what did not end in time: the peers need not find out by themselves.
  void AbortRemaining();
  Time NextDeadline(Time now);

  pmd::Clock clock_;
  std::unique_ptr<pmd::Idle> idle_;
  Mailbox mailbox_;
  dataplane::PacketPool pool_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  std::vector<TappedQueue> queues_;
  std::function<void(Time)> housekeeping_;
  Time keep_house_at_ = kTimeZero;
  Duration grace_;
  Time give_up_ = kTimeNever;  // set when a stop was asked for
  uint64_t opens_when_closed_ = 0;
  Time began_ = kTimeZero;
  Time turn_at_ = kTimeZero;  // when this turn began
  Duration busy_{};
};

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_CORE_LOOP_H_
