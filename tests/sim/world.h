// A small world: hosts, wires between them, one clock. No threads and no real
// time; the same seed gives the same history, to the byte.
#ifndef CORELANE_TESTS_SIM_WORLD_H_
#define CORELANE_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/pcap_writer.h"
#include "tests/sim/wire.h"

namespace corelane::sim {

// A card of a host.
struct PortId {
  size_t node = 0;
  size_t port = 0;
};

class World {
 public:
  World(uint64_t seed, Time start);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- Building
  Node& AddNode(const NodeConfig& config);
  // The host loses power and comes back as another one. Returns how many
  // packets its old self had lost.
  uint32_t Restart(size_t node, const NodeConfig& config);
  // Joins two cards. Returns the number of the wire from `a` to `b`; the one
  // back has the number after it.
  size_t Join(PortId a, PortId b, const WireConfig& there,
              const WireConfig& back);
  // Has `action` called on the host at a time, before its turn.
  void At(Time at, size_t node, std::function<void()> action);
  // Puts a frame on a wire now, as though the host at its start had sent it.
  void Inject(size_t wire, ByteView frame);
  // Shows every frame that leaves a wire.
  void SetTap(std::function<void(size_t wire, ByteView frame, Time at)> tap) {
    tap_ = std::move(tap);
  }
  bool WritePcap(const std::string& path) { return pcap_.Open(path); }

  // ---- Running
  // Goes to the next event. False if there is none, or something is wrong.
  bool Step();
  // Steps until `done` says so. False if it never did: nothing was left to
  // happen, `limit` passed, or something is wrong.
  bool RunUntil(const std::function<bool()>& done, Time limit);
  // Lets time pass up to `until`. False if something is wrong.
  bool RunTo(Time until);

  Time now() const { return now_; }
  Node& node(size_t i) { return *nodes_[i]; }
  size_t node_count() const { return nodes_.size(); }
  Wire& wire(size_t i) { return wires_[i].wire; }
  uint64_t events() const { return events_; }
  uint64_t frames() const { return frames_; }
  // Of every frame sent and when, in order.
  uint64_t trace_hash() const { return trace_hash_; }
  // The first thing that was found wrong; empty if nothing was.
  const std::string& failure() const { return failure_; }
  void Fail(const std::string& what);

 private:
  struct Event {
    Time at;
    uint64_t id = 0;  // events of one time happen in the order they were made
    // A frame that leaves `wire`, or an action on `node`.
    size_t wire = 0;
    Frame frame;
    size_t node = 0;
    std::function<void()> action;
  };
  struct Link {
    Wire wire;
    PortId from;
    PortId to;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.id > b.id;
    }
  };

  void Push(Event event);
  Event Pop();
  void Send(size_t wire, ByteView frame);
  void Happen(Event event);
  void PollNode(size_t index);
  void SendFrom(size_t node, size_t port, SimPort& queue);
  void Trace(size_t wire, ByteView frame);

  uint64_t seed_;
  Time now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Oracle> oracles_;
  std::vector<Link> wires_;
  std::vector<Event> heap_;
  std::vector<Arrival> arrivals_;
  uint64_t next_id_ = 0;
  uint64_t events_ = 0;
  uint64_t frames_ = 0;
  uint32_t same_instant_ = 0;
  uint64_t trace_hash_ = 0;
  std::string failure_;
  std::function<void(size_t, ByteView, Time)> tap_;
  PcapWriter pcap_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_WORLD_H_
