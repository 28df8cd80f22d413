#include "tests/sim/node.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "dataplane/pipeline/loop.h"

namespace corelane::sim {
namespace {

// A loop that has work but cannot do it (no packet, no room) spins; a virtual
// one has to let time pass meanwhile, and backs off as the idle ladder does.
constexpr Duration kFirstRest = 10us;
constexpr Duration kLongestRest = 1ms;

}  // namespace

Node::Node(const NodeConfig& config, Time now)
    : config_(config),
      heap_(config.packets, config.poison),
      pool_(std::make_unique<dataplane::PacketPool>(heap_.backend())),
      last_poll_(now) {
  for (const dataplane::InterfaceConfig& interface :
       config.pipeline.interfaces) {
    SimPortConfig port = config.port;
    port.caps = interface.caps;
    port.mtu = interface.mtu;
    ports_.emplace_back(pool_.get(), port);
  }
  auto created =
      dataplane::Pipeline::Create(config_.pipeline, pool_.get(), now);
  if (!created.ok()) {
    std::fprintf(stderr, "simulated node: %s\n",
                 created.status().ToString().c_str());
    std::abort();
  }
  pipeline_ = *std::move(created);
}

Node::~Node() { TearDown(); }

Time Node::Due() const {
  Time due = pipeline_->NextDeadline();
  for (const SimPort& port : ports_) {
    if (!port.rx_pending()) continue;
    Time next = last_poll_;
    if (config_.poll_interval > Duration()) next += config_.poll_interval;
    due = std::min(due, next);
  }
  if (restless_ == 0 || due > last_poll_) return due;
  const Duration rest = std::min(
      kFirstRest * (int64_t{1} << std::min(restless_, 16u)), kLongestRest);
  return last_poll_ + rest;
}

bool Node::Poll(Time now) {
  ++turns_;
  last_poll_ = now;
  const uint32_t work = dataplane::Turn<SimPort>(*pipeline_, ports_, now);
  const bool idle = work == 0 && pipeline_->NextDeadline() <= now;
  restless_ = idle ? restless_ + 1 : 0;
  return work > 0;
}

bool Node::AllPacketsBack() {
  for (SimPort& port : ports_) port.ReleaseHeld();
  return pool_->available() == heap_.capacity();
}

uint32_t Node::TearDown() {
  if (pool_ == nullptr) return 0;
  for (auto& application : applications_) application->LetGo();
  pipeline_.reset();
  ports_.clear();
  pool_.reset();
  return heap_.outstanding();
}

}  // namespace corelane::sim
