// One core among several: what it received for others goes to them, what others
// received for it comes in.
#ifndef CORELANE_DATAPLANE_STEERING_STEERING_H_
#define CORELANE_DATAPLANE_STEERING_STEERING_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/steering/core_group.h"
#include "dataplane/steering/rebalancer.h"
#include "proto/arp/packet.h"
#include "proto/tcp/control_block.h"

namespace corelane::dataplane {

struct Core;
class Pipeline;

// What a core has of a port.
struct PortShare {
  // The core that sends for it: itself, if it has a queue pair.
  uint16_t sender = 0;
  // The device is said to hand each flow to its owner. Believed, but checked.
  bool device_spreads = false;
};

class Steering {
 public:
  // A port whose device is believed: so many frames are all checked first, and
  // one in so many later.
  static constexpr uint32_t kCheckFirst = 4096;
  static constexpr uint32_t kCheckEvery = 64;

  // `shares` by interface. The group and the pipeline outlive this; the
  // pipeline works for core `self` from now on.
  Steering(CoreGroup* group, uint16_t self, Pipeline* pipeline,
           std::vector<PortShare> shares);
  ~Steering();
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;

  uint16_t self() const { return self_; }
  // Speaks for all cores where one voice is wanted: ARP's claims.
  bool IsFirst() const { return self_ == 0; }
  const FlowMap& map() const { return group_.map(); }
  uint16_t cores() const { return group_.cores(); }
  bool HasQueue(uint16_t interface) const {
    return shares_[interface].sender == self_;
  }

  // ---- The loop, in the order of a turn (TurnShared in pipeline/loop.h)
  // Of a burst from a queue of ours: moves what is ours to its front, posts the
  // rest; returns how many are ours.
  uint16_t Sort(uint16_t interface, std::span<Packet*> burst);
  // Lets the pipeline have what others posted; returns how much there was.
  uint32_t Deliver();
  // Has another core send what the pipeline wants sent through a port that we
  // have no queue of; returns how much went.
  uint32_t PostFrames(uint16_t interface);
  // What was posted becomes visible.
  void Flush();

  // ---- For the layers, within a turn
  // Tells every other core of an ARP packet.
  void ShareArp(uint16_t interface, const arp::Packet& arp);
  // Gives a fragment, which starts at its IP header, to another core. Takes
  // ownership.
  void PostFragment(uint16_t interface, uint16_t to, Packet* packet);

  // Gives a segment, see kSegment, to the core where its connection is. Takes
  // ownership.
  void PostSegment(uint16_t interface, uint16_t to, Packet* packet,
                   bool congestion);
  // Whether a connection may go to a core: there is room in the mailbox on its
  // way, and there.
  bool MayMove(const tcp::FlowKey& key, uint16_t to);
  // The group is told of a connection that leaves here, or has ended its way.
  void NoteInTransit(int n) { group_.NoteInTransit(n); }
  // Sends it. False, and nothing done, if the mailbox is full.
  bool PostMoved(uint16_t to, std::unique_ptr<MovedConnection>& moved);

  // The same for a datagram in one piece.
  void PostDatagram(uint16_t interface, uint16_t to, Packet* packet);
  // The core whose only the UDP sockets on a port are, if that is another one;
  // else self().
  uint16_t UdpHome(uint16_t port) const {
    const uint16_t core = group_.SoleUdpCore(port);
    return core == CoreGroup::kNoCore ? self_ : core;
  }
  CoreGroup& group() { return group_; }

  // Evens out the cores' load from now on: connections move from a core that
  // has more to do than others.
  void Rebalance() { rebalancer_.emplace(&group_, self_); }

  // Whether others have posted something that was not delivered yet.
  bool HasMail() const;

 private:
  void Post(uint16_t to, const Mail& mail);
  bool IsOurs(uint16_t interface, const Packet* frame, uint16_t& owner);
  bool IsNew(uint16_t from) const {
    return left_[from] != 0 ||
           group_.lane(from, self_).posted.load(std::memory_order_acquire) !=
               seen_[from];
  }
  void NotePosted(uint16_t to) {
    posted_to_[to] = 1;
    posted_ = true;
  }
  uint32_t DeliverArpFrom(uint16_t from);
  uint32_t DeliverFrom(uint16_t from);
  uint32_t TakeFramesFrom(uint16_t from);
  Packet* Exclusive(Packet* frame);
  // False if it came before its time.
  bool DeliverMoved(MovedConnection* moved);
  uint32_t RoomForMoved() const;
  void LookAtLoad();

  CoreGroup& group_;
  uint16_t self_;
  Pipeline& pipeline_;
  Core& core_;
  std::vector<PortShare> shares_;
  std::vector<uint32_t> until_check_;  // by interface
  std::vector<uint32_t> checked_;
  // By core: to whom something was posted in this turn, what was seen of their
  // lanes, and whether something in them is left for the next turn.
  std::vector<uint8_t> posted_to_;
  bool posted_ = false;
  std::vector<uint32_t> seen_;
  std::vector<uint8_t> left_;
  // By core: connections that may still go there in this interval.
  std::vector<uint32_t> credit_;
  Time credit_until_ = kTimeZero;
  uint32_t room_ = 0;  // as last said
  std::optional<Rebalancer> rebalancer_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_STEERING_STEERING_H_
