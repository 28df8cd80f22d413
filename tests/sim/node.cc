#include "tests/sim/node.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "dataplane/pipeline/loop.h"
#include "dataplane/steering/classify.h"

namespace corelane::sim {
namespace {

// A loop that has work but cannot do it (no packet, no room) spins; a virtual
// one has to let time pass meanwhile, and backs off as the idle ladder does.
constexpr Duration kFirstRest = 10us;
constexpr Duration kLongestRest = 1ms;

constexpr size_t kTableSize = 128;

// Whether the ports of a destination lead to every entry of the table, as they
// do with the keys that the runtime draws (pmd::IsFullRankRssKey). One key in
// 65,536 leaves a core no port to connect from.
bool PortsReachAll(ByteView key) {
  const Toeplitz toeplitz(key);
  std::vector<uint32_t> reached = {0};
  std::vector<bool> seen(kTableSize);
  seen[0] = true;
  for (uint32_t bit = 0; bit < 16; ++bit) {
    const uint32_t adds =
        toeplitz.OfDestinationPort(static_cast<uint16_t>(1u << bit)) %
        kTableSize;
    for (size_t i = reached.size(); i-- > 0;) {
      const uint32_t at = reached[i] ^ adds;
      if (!seen[at]) reached.push_back(at);
      seen[at] = true;
    }
  }
  return reached.size() == kTableSize;
}

}  // namespace

Node::Node(const NodeConfig& config, Time now)
    : config_(config), heap_(config.packets, config.poison), last_poll_(now) {
  heap_.set_sharers(config_.cores);
  if (config_.cores > 1) {
    // A key and a table as a device might have them.
    Rng rng(config_.pipeline.secrets.rng, 0x455);
    std::vector<uint8_t> key(40);
    do {
      for (uint8_t& byte : key) byte = static_cast<uint8_t>(rng.Next64());
    } while (!PortsReachAll({key.data(), key.size()}));
    std::vector<uint16_t> table(kTableSize);
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<uint16_t>(i % config_.cores);
    }
    group_ = std::make_unique<dataplane::CoreGroup>(
        config_.cores,
        dataplane::FlowMap({key.data(), key.size()}, std::move(table)));
  }
  for (uint16_t i = 0; i < config_.cores; ++i) {
    cores_.push_back(MakeCore(i, now));
  }
}

std::unique_ptr<Node::CoreState> Node::MakeCore(uint16_t index, Time now) {
  auto core = std::make_unique<CoreState>();
  core->pool = std::make_unique<dataplane::PacketPool>(heap_.backend());
  dataplane::PipelineConfig pipeline = config_.pipeline;
  std::vector<dataplane::PortShare> shares;
  for (const dataplane::InterfaceConfig& interface : pipeline.interfaces) {
    if (interface.device != dataplane::kOwnDevice) continue;
    SimPortConfig port = config_.port;
    port.caps = interface.caps;
    port.mtu = interface.mtu;
    core->ports.emplace_back(core->pool.get(), port);
    shares.push_back(
        {static_cast<uint16_t>(index % config_.queues), config_.rss});
  }
  pipeline.secrets.rng.k0 += index;
  auto created = dataplane::Pipeline::Create(pipeline, core->pool.get(), now);
  if (!created.ok()) {
    std::fprintf(stderr, "simulated node: %s\n",
                 created.status().ToString().c_str());
    std::abort();
  }
  core->pipeline = *std::move(created);
  if (group_ != nullptr) {
    core->steering = std::make_unique<dataplane::Steering>(
        group_.get(), index, core->pipeline.get(), std::move(shares));
  }
  return core;
}

Node::~Node() { TearDown(); }

// With RSS where the flow belongs; else by something that has nothing to do
// with that, but keeps each flow's frames in order.
uint16_t Node::QueueFor(const Frame& frame) const {
  if (config_.queues == 1) return 0;
  dataplane::Packet packet = {};
  packet.buf_addr = const_cast<uint8_t*>(frame.data());
  packet.data_len = static_cast<uint16_t>(frame.size());
  const auto c = dataplane::Classify(&packet, group_->map());
  if (config_.rss && c.kind == dataplane::FrameKind::kFlow) return c.owner;
  // MAC addresses, and those of IP with the ports if there are any: no sum and
  // no length, which are of the frame and not of the flow.
  const bool tagged = frame.size() > 12 && frame[12] == 0x81;
  const size_t ip = tagged ? 18 : 14;
  uint32_t sum = 0;
  for (size_t i = 0; i < std::min(frame.size(), ip + 24); ++i) {
    if (i < 12 || i >= ip + 12) sum += frame[i];
  }
  return static_cast<uint16_t>(sum % config_.queues);
}

void Node::Deliver(size_t port, Frame frame) {
  const uint16_t queue = QueueFor(frame);
  cores_[queue]->ports[port].Deliver(std::move(frame));
}

Time Node::Due() const {
  Time due = kTimeNever;
  bool arrived = false;
  for (const auto& core : cores_) {
    due = std::min(due, core->pipeline->NextDeadline());
    if (core->steering != nullptr && core->steering->HasMail()) {
      due = std::min(due, last_poll_);
    }
    for (const SimPort& port : core->ports) {
      arrived = arrived || port.rx_pending();
    }
  }
  if (arrived) {
    Time next = last_poll_;
    if (config_.poll_interval > Duration()) next += config_.poll_interval;
    due = std::min(due, next);
  }
  if (restless_ == 0 || due > last_poll_) return due;
  const Duration rest = std::min(
      kFirstRest * (int64_t{1} << std::min(restless_, 16u)), kLongestRest);
  return last_poll_ + rest;
}

uint32_t Node::TurnCore(CoreState& core, Time now) {
  const std::span<SimPort> ports(core.ports);
  if (core.steering == nullptr) {
    return dataplane::Turn(*core.pipeline, ports, now);
  }
  return dataplane::TurnShared(*core.pipeline, *core.steering, ports, now);
}

bool Node::Poll(Time now) {
  ++turns_;
  last_poll_ = now;
  uint32_t work = 0;
  bool wants = false;
  // Another one is first each time.
  for (size_t i = 0; i < cores_.size(); ++i) {
    work += TurnCore(*cores_[(turns_ + i) % cores_.size()], now);
  }
  for (const auto& core : cores_) {
    wants = wants || core->pipeline->NextDeadline() <= now ||
            (core->steering != nullptr && core->steering->HasMail());
  }
  const bool idle = work == 0 && wants;
  restless_ = idle ? restless_ + 1 : 0;
  return work > 0;
}

uint32_t Node::FreePackets() const {
  const uint32_t in_heap = heap_.capacity() - heap_.outstanding();
  const uint32_t share = in_heap / config_.cores;
  uint32_t free = in_heap;
  for (const auto& core : cores_) free += core->pool->available() - share;
  return free;
}

bool Node::AllPacketsBack() {
  for (auto& core : cores_) {
    for (SimPort& port : core->ports) port.ReleaseHeld();
  }
  return FreePackets() == heap_.capacity();
}

uint32_t Node::TearDown() {
  if (cores_.empty()) return 0;
  for (auto& application : applications_) application->LetGo();
  for (auto& core : cores_) core->steering.reset();
  for (auto& core : cores_) {
    core->pipeline.reset();
    core->ports.clear();
  }
  cores_.clear();
  return heap_.outstanding();
}

}  // namespace corelane::sim
