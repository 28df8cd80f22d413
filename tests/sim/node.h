// A host of the simulation: one core's pipeline with its packets, its network
// cards and its applications.
#ifndef CORELANE_TESTS_SIM_NODE_H_
#define CORELANE_TESTS_SIM_NODE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/pipeline/pipeline.h"
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

  // Returns the number under which sockets name the application.
  template <typename App>
  uint16_t Add(std::unique_ptr<App> application) {
    App* raw = application.get();
    applications_.push_back(std::move(application));
    return pipeline_->AddApplication(raw);
  }

  dataplane::Pipeline& pipeline() { return *pipeline_; }
  const dataplane::Pipeline& pipeline() const { return *pipeline_; }
  HeapPackets& heap() { return heap_; }
  const HeapPackets& heap() const { return heap_; }
  const dataplane::PacketPool& pool() const { return *pool_; }
  SimPort& port(size_t i) { return ports_[i]; }
  size_t port_count() const { return ports_.size(); }
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
  NodeConfig config_;
  std::vector<std::unique_ptr<SimApplication>> applications_;
  HeapPackets heap_;
  std::unique_ptr<dataplane::PacketPool> pool_;
  std::vector<SimPort> ports_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  uint64_t turns_ = 0;
  uint32_t restless_ = 0;
  Time last_poll_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_NODE_H_
