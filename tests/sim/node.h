// A host of the simulation: one core's pipeline, or several that share the
// work, with its packets, its network cards and its applications.
#ifndef CORELANE_TESTS_SIM_NODE_H_
#define CORELANE_TESTS_SIM_NODE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/steering/steering.h"
#include "proto/base/time.h"
#include "tests/sim/heap_packets.h"
#include "tests/sim/sim_port.h"

namespace corelane::sim {

struct NodeConfig {
  dataplane::PipelineConfig pipeline;
  uint32_t packets = 4096;
  bool poison = false;
  // For every card; caps and MTU are taken from the interface.
  SimPortConfig port;
  // Arrivals are looked at at multiples of this, so that they come in bursts;
  // 0: at once.
  Duration poll_interval{};
  // Cores, and how many of them have a queue of each card. `rss`: the cards
  // (with a queue for each core then) spread flows as they say; else somehow.
  uint16_t cores = 1;
  uint16_t queues = 1;
  bool rss = false;
};

// An application that may hold packets between its callbacks.
class SimApplication : public dataplane::Application {
 public:
  // The world ends early: give back what is held.
  virtual void LetGo() {}
};

class Node {
 public:
  // Dies with a message if the configuration is refused.
  Node(const NodeConfig& config, Time now);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Returns the number under which sockets name the application, on every core.
  template <typename App>
  uint16_t Add(std::unique_ptr<App> application) {
    App* raw = application.get();
    applications_.push_back(std::move(application));
    uint16_t number = 0;
    for (auto& core : cores_) number = core->pipeline->AddApplication(raw);
    return number;
  }

  uint16_t cores() const { return static_cast<uint16_t>(cores_.size()); }
  dataplane::Pipeline& pipeline(size_t core = 0) {
    return *cores_[core]->pipeline;
  }
  const dataplane::Pipeline& pipeline(size_t core = 0) const {
    return *cores_[core]->pipeline;
  }
  // Who owns a flow; core 0 if there is no other.
  uint16_t OwnerOf(const tcp::FlowKey& key) const {
    return group_ == nullptr ? uint16_t{0} : group_->map().OwnerOf(key);
  }
  // Whether no connection is between two cores.
  bool NoneInTransit() const {
    return group_ == nullptr || group_->NoneInTransit();
  }
  // Busy cores give connections to others from now on.
  void Rebalance() {
    for (auto& core : cores_) core->steering->Rebalance();
  }
  void BeginTurn(Time now) {
    for (auto& core : cores_) core->pipeline->BeginTurn(now);
  }
  HeapPackets& heap() { return heap_; }
  const HeapPackets& heap() const { return heap_; }
  // Packets that nobody has.
  uint32_t FreePackets() const;
  // A card's queue of a core.
  SimPort& port(size_t i, size_t core = 0) { return cores_[core]->ports[i]; }
  size_t port_count() const { return cores_[0]->ports.size(); }
  // A frame arrives on a card, which chooses the queue.
  void Deliver(size_t port, Frame frame);
  const NodeConfig& config() const { return config_; }

  // When it wants to be polled.
  Time Due() const;
  // One turn of its loop. True if anything came in or went out.
  bool Poll(Time now);
  uint64_t turns() const { return turns_; }
  // Consecutive turns in which it had nothing to do and yet wanted another.
  uint32_t restless() const { return restless_; }

  // Every packet is back where it came from. Cards let go of theirs.
  bool AllPacketsBack();
  // Takes the pipeline down as it stands. Returns what was not given back.
  uint32_t TearDown();

 private:
  struct CoreState {
    std::unique_ptr<dataplane::PacketPool> pool;
    std::vector<SimPort> ports;
    std::unique_ptr<dataplane::Pipeline> pipeline;
    std::unique_ptr<dataplane::Steering> steering;
  };

  std::unique_ptr<CoreState> MakeCore(uint16_t index, Time now);
  uint16_t QueueFor(const Frame& frame) const;
  uint32_t TurnCore(CoreState& core, Time now);

  NodeConfig config_;
  std::vector<std::unique_ptr<SimApplication>> applications_;
  HeapPackets heap_;
  std::unique_ptr<dataplane::CoreGroup> group_;  // nullptr: one core
  std::vector<std::unique_ptr<CoreState>> cores_;
  uint64_t turns_ = 0;
  uint32_t restless_ = 0;
  Time last_poll_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_NODE_H_
