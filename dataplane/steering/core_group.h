// What the cores of one stack share: who owns which flow, and mailboxes.
#ifndef CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_
#define CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/flow/flow_map.h"
#include "dataplane/flow/moved_connection.h"
#include "dataplane/packet/packet.h"
#include "dataplane/steering/spsc_ring.h"
#include "proto/arp/packet.h"

namespace corelane::dataplane {

enum class MailKind : uint8_t {
  kFrame,  // as it was received
  // Starts at its IP header: a fragment, along with the others of its datagram,
  // or a datagram for a socket that its flow's owner does not have.
  kFragment,
  // Starts at its TCP header, its flow in the packet's private area: for a
  // connection that has moved.
  kSegment,
  kMoved,  // no packet but such a connection
};

struct Mail {
  union {
    Packet* packet;
    MovedConnection* moved;  // owned
  };
  uint16_t interface;
  MailKind kind;
  bool congestion = false;  // of a kSegment
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
      : cores_(cores), map_(std::move(map)), wakers_(cores), load_(cores) {
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

  // ---- Who has a UDP socket on a port. Looked at only for a datagram that
  // finds none at its flow's owner; of more than 64 cores the rest have no say.
  static constexpr uint16_t kNoCore = 0xffff;
  // For a port of one core's own choice: false if any core has it.
  bool ClaimUdpPort(uint16_t port, uint16_t core) {
    uint64_t nobody = 0;
    return udp_ports_[port].compare_exchange_strong(nobody, BitOf(core)) ||
           core >= kVoices;
  }
  void ShareUdpPort(uint16_t port, uint16_t core) {
    udp_ports_[port].fetch_or(BitOf(core));
  }
  void ReleaseUdpPort(uint16_t port, uint16_t core) {
    udp_ports_[port].fetch_and(~BitOf(core));
  }
  // The only core that has it; kNoCore if there are none or several.
  uint16_t SoleUdpCore(uint16_t port) const {
    const uint64_t cores = udp_ports_[port].load(std::memory_order_relaxed);
    return std::has_single_bit(cores)
               ? static_cast<uint16_t>(std::countr_zero(cores))
               : kNoCore;
  }

  // ---- What a core says of itself to those that may move connections to it
  // How many it has room for.
  void NoteRoom(uint16_t core, uint32_t connections) {
    load_[core].room.store(connections, std::memory_order_relaxed);
  }
  uint32_t Room(uint16_t core) const {
    return load_[core].room.load(std::memory_order_relaxed);
  }
  // Segments that its connections have received, ever.
  void NoteSegments(uint16_t core, uint64_t segments) {
    load_[core].segments.store(segments, std::memory_order_relaxed);
  }
  uint64_t Segments(uint16_t core) const {
    return load_[core].segments.load(std::memory_order_relaxed);
  }

  // ---- An orderly stop: nobody leaves while others may need it.
  void NoteDrained(uint16_t core, bool drained) {
    load_[core].drained.store(drained, std::memory_order_release);
  }
  // Counted before it is gone where it left, and until after its new core has
  // said that it is not drained.
  void NoteInTransit(int n) {
    in_transit_.fetch_add(n, std::memory_order_acq_rel);
  }
  bool AllDrained() const {
    for (const CoreLoad& core : load_) {
      if (!core.drained.load(std::memory_order_acquire)) return false;
    }
    return NoneInTransit();
  }
  bool NoneInTransit() const {
    return in_transit_.load(std::memory_order_acquire) == 0;
  }

 private:
  static constexpr uint16_t kVoices = 64;
  static uint64_t BitOf(uint16_t core) {
    return core < kVoices ? uint64_t{1} << core : 0;
  }

  struct alignas(64) CoreLoad {
    std::atomic<uint64_t> segments{0};
    std::atomic<uint32_t> room{0};
    std::atomic<bool> drained{false};
  };

  uint16_t cores_;
  FlowMap map_;
  std::vector<Waker> wakers_;
  std::vector<CoreLoad> load_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // by from, then to
  std::atomic<int> in_transit_{0};
  std::array<std::atomic<uint64_t>, 65536> udp_ports_{};  // a bit for each core
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_CORE_GROUP_H_
