// What the cores of one stack share: who owns which flow, and mailboxes.
#ifndef CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_
#define CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/flow/flow_map.h"
#include "dataplane/packet/packet.h"
#include "dataplane/steering/spsc_ring.h"
#include "proto/arp/packet.h"

namespace corelane::dataplane {

enum class MailKind : uint8_t {
  kFrame,     // as it was received
  kFragment,  // starts at its IP header; the others of its datagram come along
};

struct Mail {
  Packet* packet;
  uint16_t interface;
  MailKind kind;
};

struct ArpMail {
  uint16_t interface;
  arp::Packet arp;
};

// From one core to another.
struct Lane {
  static constexpr uint32_t kReceived = 1024;
  static constexpr uint32_t kToSend = 512;
  static constexpr uint32_t kArp = 256;

  // Changes with everything that is published: all that is looked at in a
  // turn in which there was nothing.
  alignas(64) std::atomic<uint32_t> posted{0};
  SpscRing<Mail> received{kReceived};
  SpscRing<Mail> to_send{kToSend};  // frames for a queue of the other's
  SpscRing<ArpMail> arp{kArp};
};

// Ends a core's sleep; called from any thread.
struct Waker {
  void* self = nullptr;
  void (*wake)(void* self) = nullptr;
};

// Made before the cores run and outlives them. Everything in it is fixed then,
// but for what goes through the lanes.
class CoreGroup {
 public:
  CoreGroup(uint16_t cores, FlowMap map)
      : cores_(cores), map_(std::move(map)), wakers_(cores) {
    for (uint32_t i = 0; i < uint32_t{cores} * cores; ++i) {
      lanes_.push_back(std::make_unique<Lane>());
    }
  }

  uint16_t cores() const { return cores_; }
  const FlowMap& map() const { return map_; }
  Lane& lane(uint16_t from, uint16_t to) { return *lanes_[from * cores_ + to]; }

  void SetWaker(uint16_t core, const Waker& waker) { wakers_[core] = waker; }
  void Wake(uint16_t core) const {
    const Waker& waker = wakers_[core];
    if (waker.wake != nullptr) waker.wake(waker.self);
  }

  // ---- An orderly stop: nobody leaves while others may need it.
  void NoteDrained() { drained_.fetch_add(1, std::memory_order_acq_rel); }
  bool AllDrained() const {
    return drained_.load(std::memory_order_acquire) >= cores_;
  }

 private:
  uint16_t cores_;
  FlowMap map_;
  std::vector<Waker> wakers_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // by from, then to
  std::atomic<uint32_t> drained_{0};
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_
