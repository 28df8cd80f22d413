#include "dataplane/runtime/core_loop.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/loop.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::runtime {

dataplane::PacketBackend CoreLoop::BackendOf(CoreLoop* loop) {
  dataplane::PacketBackend backend;
  backend.self = loop;
  backend.take = [](void* self, dataplane::Packet** out, uint32_t n) {
    const auto* me = static_cast<CoreLoop*>(self);
    return me->mempools_[me->core_].Take(out, n);
  };
  backend.give = [](void* self, dataplane::Packet** packets, uint32_t n) {
    const auto* me = static_cast<CoreLoop*>(self);
    me->mempools_[me->core_].Give(packets, n);
  };
  backend.available = AvailablePackets;
  return backend;
}

// Steered packets stay in the pool of the core that received them, so that any
// core may be the one that has to let go: the poorest pool counts.
uint32_t CoreLoop::AvailablePackets(void* self) {
  const auto* me = static_cast<CoreLoop*>(self);
  uint32_t least = UINT32_MAX;
  for (const pmd::PacketMempool& pool : me->mempools_) {
    least = std::min(least, pool.Available());
  }
  return least;
}

CoreLoop::CoreLoop(std::span<pmd::PacketMempool> mempools, uint16_t core,
                   std::unique_ptr<pmd::Idle> idle, Duration grace)
    : mempools_(mempools),
      core_(core),
      idle_(std::move(idle)),
      mailbox_([this] { idle_->Wake(); }),
      pool_(BackendOf(this)),
      grace_(grace) {}

absl::StatusOr<std::unique_ptr<CoreLoop>> CoreLoop::Create(
    const dataplane::PipelineConfig& config, CorePlace place,
    std::span<const std::unique_ptr<pmd::Port>> ports,
    std::span<pmd::PacketMempool> mempools, pmd::IdleMode idle_mode,
    Duration grace) {
  pmd::IdleOptions idle_options;
  idle_options.mode = idle_mode;
  auto idle = pmd::Idle::Create(idle_options);
  if (!idle.ok()) return idle.status();
  std::unique_ptr<CoreLoop> loop(
      new CoreLoop(mempools, place.core, *std::move(idle), grace));
  if (place.clock != nullptr) {
    loop->shared_clock_ = place.clock;
    loop->clock_ = place.clock->original();
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    // Without one of our own it stands for nothing and is never polled.
    loop->queues_.emplace_back(ports[i].get(), place.core);
    if (place.group != nullptr && place.shares[i].sender != place.core) {
      continue;
    }
    loop->idle_->Watch(ports[i].get(), place.core);
  }
  auto pipeline =
      dataplane::Pipeline::Create(config, &loop->pool_, loop->clock_.Now());
  if (!pipeline.ok()) return pipeline.status();
  loop->pipeline_ = *std::move(pipeline);
  if (place.group == nullptr) return loop;
  loop->group_ = place.group;
  loop->steering_ = std::make_unique<dataplane::Steering>(
      place.group, place.core, loop->pipeline_.get(), std::move(place.shares));
  if (place.rebalance) loop->steering_->Rebalance();
  place.group->SetWaker(place.core, {loop->idle_.get(), [](void* sleeper) {
                                       static_cast<pmd::Idle*>(sleeper)->Wake();
                                     }});
  return loop;
}

uint32_t CoreLoop::TurnOnce(Time now) {
  const std::span<TappedQueue> queues(queues_);
  if (steering_ == nullptr) return dataplane::Turn(*pipeline_, queues, now);
  return dataplane::TurnShared(*pipeline_, *steering_, queues, now);
}

void CoreLoop::KeepHouse(Time now) {
  if (core_ == 0) clock_.Correct();
  if (core_ == 0 && shared_clock_ != nullptr) shared_clock_->Publish(clock_);
  if (housekeeping_) housekeeping_(now);
  keep_house_at_ = now + 60s;
}

void CoreLoop::Run() {
  StopSignal::AddSleeper(idle_.get());
  began_ = turn_at_ = clock_.Now();
  bool worked = false;
  for (;;) {
    FollowClock();
    // A line that is adopted late may lie some nanoseconds behind.
    const Time now = std::max(clock_.Now(), turn_at_);
    if (worked) busy_ += now - turn_at_;
    turn_at_ = now;
    if (now >= keep_house_at_) KeepHouse(now);
    uint32_t work = TurnOnce(now);
    if (mailbox_.Poll(*pipeline_)) ++work;
    if (StopSignal::Requests() > 0 && MayLeave(Stopping(now))) [[unlikely]] {
      break;
    }
    worked = work > 0;
    if (worked) {
      idle_->Worked(now);
      continue;
    }
    idle_->Wait(now, NextDeadline(now));
  }
  StopSignal::RemoveSleeper(idle_.get());
  mailbox_.Close();
}

// A connection that is on its way here fills the core again.
bool CoreLoop::MayLeave(bool drained) {
  if (group_ == nullptr) return drained;
  group_->NoteDrained(core_, drained);
  if (drained != drained_) {
    drained_ = drained;
    for (uint16_t i = 0; i < group_->cores(); ++i) group_->Wake(i);
  }
  if (!drained || !group_->AllDrained()) return false;
  // Who waits for just this may sleep.
  for (uint16_t i = 0; i < group_->cores(); ++i) group_->Wake(i);
  return true;
}

CoreLoad CoreLoop::load() const {
  CoreLoad load;
  load.cpu = static_cast<uint32_t>(sched_getcpu());
  load.up = turn_at_ - began_;
  load.busy = busy_;
  load.slept = idle_->slept();
  return load;
}

void CoreLoop::AbortRemaining() {
  dataplane::TcpLayer& tcp = pipeline_->tcp();
  pipeline_->BeginTurn(clock_.Now());
  // As many resets as fit into the transmit queues, and no waiting.
  uint32_t budget = dataplane::TxQueue::kCapacity;
  for (uint32_t i = 0; i < tcp.blocks().high_water() && budget > 0; ++i) {
    const tcp::ControlBlock& cb = tcp.block(i);
    if (cb.generation == 0 || cb.state == tcp::State::kClosed) continue;
    tcp.Abort(i);
    --budget;
  }
  TurnOnce(clock_.Now());
}

Time CoreLoop::NextDeadline(Time now) {
  for (size_t i = 0; i < queues_.size(); ++i) {
    // A full device does not wake anybody when it has room again.
    if (!pipeline_->tx(static_cast<uint16_t>(i)).frames().empty()) return now;
  }
  if (steering_ != nullptr && steering_->HasMail()) return now;
  return std::min(pipeline_->NextDeadline(), give_up_);
}

bool CoreLoop::Stopping(Time now) {
  const dataplane::TcpLayer& tcp = pipeline_->tcp();
  if (give_up_ == kTimeNever) {
    give_up_ = now + grace_;
    const uint32_t open = tcp.blocks().in_use();
    opens_when_closed_ = pipeline_->core().counters.tcp.passive_opens;
    pipeline_->tcp().CloseAll();
    if (open > 0) {
      LogInfo(
          absl::StrCat("stopping: ", open,
                       open == 1 ? " connection has " : " connections have ",
                       grace_ / 1ms, " ms to end; once more to stop at once"));
    }
    // What closing queued leaves in the next turn.
    return false;
  }
  // A handshake that was under way may complete only now.
  const uint64_t opens = pipeline_->core().counters.tcp.passive_opens;
  if (opens != opens_when_closed_) {
    opens_when_closed_ = opens;
    pipeline_->tcp().CloseAll();
    return false;
  }
  return StopSignal::Requests() > 1 || now >= give_up_ ||
         (tcp.blocks().in_use() == 0 && tcp.requests().in_use() == 0);
}

}  // namespace corelane::runtime
