// One core: its queues, its packets, its stack, its idling.
#ifndef CORELANE_DATAPLANE_RUNTIME_CORE_LOOP_H_
#define CORELANE_DATAPLANE_RUNTIME_CORE_LOOP_H_

#include <atomic>
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
#include "dataplane/steering/steering.h"
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

// A core's place among the others.
struct CorePlace {
  uint16_t core = 0;                      // and its queue of each port
  dataplane::CoreGroup* group = nullptr;  // nullptr: it is the only one
  std::vector<dataplane::PortShare> shares;
  bool rebalance = false;
  pmd::SharedClock* clock = nullptr;  // if it is not the only one
};

class CoreLoop {
 public:
  // Polls its queue of each port, ports[i] being the pipeline's interface i.
  // Takes packets from mempools[place.core]. All of these outlive it.
  static absl::StatusOr<std::unique_ptr<CoreLoop>> Create(
      const dataplane::PipelineConfig& config, CorePlace place,
      std::span<const std::unique_ptr<pmd::Port>> ports,
      std::span<pmd::PacketMempool> mempools, pmd::IdleMode idle_mode,
      Duration grace);
  CoreLoop(const CoreLoop&) = delete;
  CoreLoop& operator=(const CoreLoop&) = delete;

  // Something to be run at the start and about once a minute, on the core's own
  // thread.
  void SetHousekeeping(std::function<void(Time now)> housekeeping) {
    housekeeping_ = std::move(housekeeping);
  }

  // Turns once, before Run.
  uint32_t ClaimTurn(Time now) { return TurnOnce(now); }
  Time Now() { return clock_.Now(); }

  // Turns until a stop is asked for and every connection has ended, or the
  // grace is over; among several, until that holds for all of them. On the
  // core's own thread.
  void Run();
  // The same on a thread that EAL started, and the two ends of it on the one
  // that has it started and waits for it. EAL orders all this as well, but in
  // code that ThreadSanitizer does not see.
  void HandOver() { running_.store(true, std::memory_order_release); }
  void RunHandedOver() {
    static_cast<void>(running_.load(std::memory_order_acquire));
    Run();
    running_.store(false, std::memory_order_release);
  }
  void TakeBack() const {
    static_cast<void>(running_.load(std::memory_order_acquire));
  }
  // When every core's Run has returned: resets what did not end in time, so
  // that the peers need not find out by themselves. Any one thread, core by
  // core; LastTurn then has what that queued sent, also by other cores.
  void AbortRemaining();
  void LastTurn() { TurnOnce(clock_.Now()); }
  // Gives back what others posted and nobody will look at.
  void LetGoOfMail() { steering_.reset(); }

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
  CoreLoop(std::span<pmd::PacketMempool> mempools, uint16_t core,
           std::unique_ptr<pmd::Idle> idle, Duration grace);

  // Polls, works, sends; returns how much there was to do.
  uint32_t TurnOnce(Time now);
  void KeepHouse(Time now);
  void FollowClock() {
    if (shared_clock_ == nullptr || core_ == 0) return;
    const pmd::Clock::Line* line = shared_clock_->current();
    if (line == adopted_) return;
    adopted_ = line;
    clock_.Adopt(*line);
  }
  // Whether the loop is to end now.
  bool Stopping(Time now);
  Time NextDeadline(Time now);

  // Whether this core may leave: it is drained, and nobody needs it.
  bool MayLeave(bool drained);

  static uint32_t AvailablePackets(void* self);
  static dataplane::PacketBackend BackendOf(CoreLoop* loop);

  std::span<pmd::PacketMempool> mempools_;  // of all cores
  uint16_t core_;
  pmd::Clock clock_;
  // Core 0 corrects it; the others follow. nullptr: the only core.
  pmd::SharedClock* shared_clock_ = nullptr;
  const pmd::Clock::Line* adopted_ = nullptr;
  std::unique_ptr<pmd::Idle> idle_;
  Mailbox mailbox_;
  dataplane::PacketPool pool_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  dataplane::CoreGroup* group_ = nullptr;
  std::unique_ptr<dataplane::Steering> steering_;  // nullptr: the only core
  std::atomic<bool> running_{false};
  bool drained_ = false;
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
