#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/siphash.h"

namespace corelane::sim {
namespace {

// Turns without time passing: far more than any burst needs.
constexpr uint32_t kMaxSameInstant = 20'000;
// Turns in a row in which a host wanted to run but did nothing. At 1 ms each
// this is a minute.
constexpr uint32_t kMaxRestless = 60'000;

}  // namespace

World::World(uint64_t seed, Time start) : seed_(seed), now_(start) {}

World::~World() = default;

Node& World::AddNode(const NodeConfig& config) {
  nodes_.push_back(std::make_unique<Node>(config, now_));
  oracles_.emplace_back();
  return *nodes_.back();
}

uint32_t World::Restart(size_t node, const NodeConfig& config) {
  const uint32_t lost = nodes_[node]->TearDown();
  nodes_[node] = std::make_unique<Node>(config, now_);
  oracles_[node] = Oracle();
  return lost;
}

size_t World::Join(PortId a, PortId b, const WireConfig& there,
                   const WireConfig& back) {
  const size_t first = wires_.size();
  const auto direction = static_cast<uint32_t>(first);
  wires_.push_back({Wire(there, seed_, direction), a, b});
  wires_.push_back({Wire(back, seed_, direction + 1), b, a});
  return first;
}

void World::At(Time at, size_t node, std::function<void()> action) {
  Event event;
  event.at = at;
  event.node = node;
  event.action = std::move(action);
  Push(std::move(event));
}

void World::Inject(size_t wire, ByteView frame) { Send(wire, frame); }

void World::Fail(const std::string& what) {
  if (!failure_.empty()) return;
  const int64_t ns = now_.time_since_epoch().count();
  failure_ = absl::StrCat("at ", ns, " ns: ", what);
}

void World::Push(Event event) {
  event.id = next_id_++;
  heap_.push_back(std::move(event));
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

World::Event World::Pop() {
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  Event event = std::move(heap_.back());
  heap_.pop_back();
  return event;
}

void World::Trace(size_t wire, ByteView frame) {
  ++frames_;
  // Chained through the key: the order counts.
  const SipKey key{
      trace_hash_,
      static_cast<uint64_t>(now_.time_since_epoch().count()) ^ wire << 56};
  trace_hash_ = SipHash13(key, frame);
  pcap_.Write(frame, now_);
}

void World::Send(size_t wire, ByteView frame) {
  Trace(wire, frame);
  arrivals_.clear();
  Wire& line = wires_[wire].wire;
  Event answer;
  if (line.Bounces(frame, answer.frame)) {
    if (answer.frame.empty()) return;
    answer.at = now_ + line.config().delay;
    answer.wire = wire ^ 1;  // see Join
    Push(std::move(answer));
    return;
  }
  line.Send(frame, now_, arrivals_);
  for (Arrival& arrival : arrivals_) {
    Event event;
    event.at = arrival.at;
    event.wire = wire;
    event.frame = std::move(arrival.frame);
    Push(std::move(event));
  }
}

void World::Happen(Event event) {
  if (event.action) {
    nodes_[event.node]->BeginTurn(now_);
    event.action();
    return;
  }
  const Link& link = wires_[event.wire];
  if (tap_) tap_(event.wire, event.frame, now_);
  nodes_[link.to.node]->Deliver(link.to.port, std::move(event.frame));
}

void World::PollNode(size_t index) {
  Node& node = *nodes_[index];
  node.Poll(now_);
  for (size_t core = 0; core < node.cores(); ++core) {
    for (size_t port = 0; port < node.port_count(); ++port) {
      SendFrom(index, port, node.port(port, core));
    }
  }
  if (node.heap().problem() != nullptr) {
    Fail(absl::StrCat("node ", index, ": ", node.heap().problem()));
  }
  const std::string wrong = oracles_[index].Check(node);
  if (!wrong.empty()) Fail(absl::StrCat("node ", index, ": ", wrong));
  if (node.restless() > kMaxRestless) {
    Fail(absl::StrCat("node ", index, " wants to run and does nothing"));
  }
}

void World::SendFrom(size_t node, size_t port, SimPort& queue) {
  for (const Frame& frame : queue.TakeSent()) {
    for (size_t w = 0; w < wires_.size(); ++w) {
      if (wires_[w].from.node == node && wires_[w].from.port == port) {
        Send(w, frame);
      }
    }
  }
  if (const char* wrong = queue.problem()) {
    Fail(absl::StrCat("node ", node, ", port ", port, ": ", wrong));
  }
}

bool World::Step() {
  if (!failure_.empty()) return false;
  Time next = heap_.empty() ? kTimeNever : heap_.front().at;
  for (const auto& node : nodes_) next = std::min(next, node->Due());
  if (next == kTimeNever) return false;
  ++events_;
  if (next > now_) {
    now_ = next;
    same_instant_ = 0;
  } else if (++same_instant_ > kMaxSameInstant) {
    Fail("time stands still");
    return false;
  }
  while (!heap_.empty() && heap_.front().at <= now_) Happen(Pop());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->Due() <= now_) PollNode(i);
  }
  return failure_.empty();
}

bool World::RunUntil(const std::function<bool()>& done, Time limit) {
  while (!done()) {
    if (now_ > limit || !Step()) return false;
  }
  return failure_.empty();
}

bool World::RunTo(Time until) {
  bool reached = false;
  At(until, 0, [&reached] { reached = true; });
  while (!reached && Step()) {
  }
  return failure_.empty();
}

}  // namespace corelane::sim
