#include "dataplane/runtime/core_loop.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/loop.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/stop_signal.h"

namespace corelane::runtime {
namespace {

dataplane::PacketBackend BackendOf(pmd::PacketMempool* mempool) {
  dataplane::PacketBackend backend;
  backend.self = mempool;
  backend.take = [](void* self, dataplane::Packet** out, uint32_t n) {
    return static_cast<pmd::PacketMempool*>(self)->Take(out, n);
  };
  backend.give = [](void* self, dataplane::Packet** packets, uint32_t n) {
    static_cast<pmd::PacketMempool*>(self)->Give(packets, n);
  };
  backend.available = [](void* self) {
    return static_cast<pmd::PacketMempool*>(self)->Available();
  };
  return backend;
}

}  // namespace

CoreLoop::CoreLoop(pmd::PacketMempool* mempool, std::unique_ptr<pmd::Idle> idle,
                   Duration grace)
    : idle_(std::move(idle)),
      mailbox_([this] { idle_->Wake(); }),
      pool_(BackendOf(mempool)),
      grace_(grace) {}

absl::StatusOr<std::unique_ptr<CoreLoop>> CoreLoop::Create(
    const dataplane::PipelineConfig& config,
    std::span<const std::unique_ptr<pmd::Port>> ports, uint16_t queue,
    pmd::PacketMempool* mempool, pmd::IdleMode idle_mode, Duration grace) {
  pmd::IdleOptions idle_options;
  idle_options.mode = idle_mode;
  auto idle = pmd::Idle::Create(idle_options);
  if (!idle.ok()) return idle.status();
  std::unique_ptr<CoreLoop> loop(
      new CoreLoop(mempool, *std::move(idle), grace));
  for (const auto& port : ports) {
    loop->queues_.emplace_back(port.get(), queue);
    loop->idle_->Watch(port.get(), queue);
  }
  auto pipeline =
      dataplane::Pipeline::Create(config, &loop->pool_, loop->clock_.Now());
  if (!pipeline.ok()) return pipeline.status();
  loop->pipeline_ = *std::move(pipeline);
  return loop;
}

uint32_t CoreLoop::TurnOnce(Time now) {
  return dataplane::Turn(*pipeline_, std::span<TappedQueue>(queues_), now);
}

bool CoreLoop::ClaimAddresses() {
  constexpr Duration kPatience = 1s;
  const Time give_up = clock_.Now() + kPatience;
  while (StopSignal::Requests() == 0) {
    const Time now = clock_.Now();
    const uint32_t work = TurnOnce(now);
    if (!pipeline_->arp().Contested().IsAny()) return false;
    if (pipeline_->arp().AllUsable() || now > give_up) return true;
    if (work > 0) {
      idle_->Worked(now);
    } else {
      idle_->Wait(now, std::min(pipeline_->NextDeadline(), give_up));
    }
  }
  return false;
}

void CoreLoop::KeepHouse(Time now) {
  clock_.Correct();
  if (housekeeping_) housekeeping_(now);
  keep_house_at_ = now + 60s;
}

void CoreLoop::Run() {
  StopSignal::SetSleeper(idle_.get());
  began_ = turn_at_ = clock_.Now();
  bool worked = false;
  for (;;) {
    const Time now = clock_.Now();
    if (worked) busy_ += now - turn_at_;
    turn_at_ = now;
    if (now >= keep_house_at_) KeepHouse(now);
    uint32_t work = TurnOnce(now);
    if (mailbox_.Poll(*pipeline_)) ++work;
    if (StopSignal::Requests() > 0 && Stopping(now)) [[unlikely]] {
      break;
    }
    worked = work > 0;
    if (worked) {
      idle_->Worked(now);
      continue;
    }
    idle_->Wait(now, NextDeadline(now));
  }
  StopSignal::SetSleeper(nullptr);
  mailbox_.Close();
  AbortRemaining();
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
