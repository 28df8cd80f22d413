#include "dataplane/steering/steering.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/pipeline/loop.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/steering/classify.h"

namespace corelane::dataplane {
namespace {

// Taken from one mailbox in one turn.
constexpr uint32_t kPerTurn = 64;

bool IsExclusive(const Packet* frame) {
  for (const Packet* p = frame; p != nullptr; p = p->next) {
    if (p->refcnt != 1 ||
        (p->ol_flags & (RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

Steering::Steering(CoreGroup* group, uint16_t self, Pipeline* pipeline,
                   std::vector<PortShare> shares)
    : group_(*group),
      self_(self),
      pipeline_(*pipeline),
      core_(pipeline->core()),
      shares_(std::move(shares)),
      until_check_(shares_.size(), 0),
      checked_(shares_.size(), 0),
      posted_to_(group->cores(), 0),
      seen_(group->cores(), 0),
      left_(group->cores(), 0),
      credit_(group->cores(), 0) {
  core_.steering = this;
}

// What nobody will deliver any more. The cores have stopped.
Steering::~Steering() {
  core_.steering = nullptr;
  for (uint16_t from = 0; from < cores(); ++from) {
    Lane& lane = group_.lane(from, self_);
    for (SpscRing<Mail>* ring : {&lane.received, &lane.to_send}) {
      ring->Publish();
      for (; ring->Available() > 0; ring->Pop(1)) {
        const Mail& mail = ring->At(0);
        if (mail.kind == MailKind::kMoved) {
          delete mail.moved;
        } else {
          core_.pool.Free(mail.packet);
        }
      }
    }
  }
}

bool Steering::IsOurs(uint16_t interface, const Packet* frame,
                      uint16_t& owner) {
  const Classified c = Classify(frame, map());
  if (c.kind == FrameKind::kAnyone) return true;
  owner = c.owner;
  if (c.kind == FrameKind::kFlow && shares_[interface].device_spreads &&
      owner != self_) [[unlikely]] {
    // It hashes otherwise than it says: from now on it is done here.
    shares_[interface].device_spreads = false;
    ++core_.counters.steering_mistrust;
  }
  return owner == self_;
}

uint16_t Steering::Sort(uint16_t interface, std::span<Packet*> burst) {
  for (const Packet* packet : burst) __builtin_prefetch(DataOf(packet));
  uint16_t kept = 0;
  for (Packet* packet : burst) {
    if (shares_[interface].device_spreads && until_check_[interface] > 0 &&
        IsPlainFlow(packet)) {
      --until_check_[interface];
      burst[kept++] = packet;
      continue;
    }
    if (checked_[interface] < kCheckFirst) {
      ++checked_[interface];
    } else {
      until_check_[interface] = kCheckEvery;
    }
    uint16_t owner = self_;
    if (IsOurs(interface, packet, owner)) {
      burst[kept++] = packet;
    } else {
      Post(owner, {{packet}, interface, MailKind::kFrame});
    }
  }
  return kept;
}

void Steering::Post(uint16_t to, const Mail& mail) {
  if (group_.lane(self_, to).received.Push(mail)) {
    NotePosted(to);
    ++core_.counters.steered;
    return;
  }
  ++core_.counters.rx_packets;
  core_.counters.rx_bytes += mail.packet->pkt_len;
  core_.Drop(mail.packet, DropReason::kSteeringFull);
}

void Steering::PostFragment(uint16_t interface, uint16_t to, Packet* packet) {
  // Counted here when it came; now it counts there.
  --core_.counters.rx_packets;
  core_.counters.rx_bytes -= packet->pkt_len;
  --core_.counters.fragments_in;
  Post(to, {{packet}, interface, MailKind::kFragment});
}

void Steering::PostDatagram(uint16_t interface, uint16_t to, Packet* packet) {
  --core_.counters.rx_packets;
  core_.counters.rx_bytes -= packet->pkt_len;
  --core_.counters.ipv4_in;
  Post(to, {{packet}, interface, MailKind::kFragment});
}

void Steering::PostSegment(uint16_t interface, uint16_t to, Packet* packet,
                           bool congestion) {
  --core_.counters.rx_packets;
  core_.counters.rx_bytes -= packet->pkt_len;
  --core_.counters.ipv4_in;
  Post(to, {{packet}, interface, MailKind::kSegment, congestion});
}

bool Steering::MayMove(const tcp::FlowKey& key, uint16_t to) {
  const uint16_t home = map().OwnerOf(key);
  const uint16_t next = home == self_ ? to : home;
  return credit_[to] > 0 && group_.lane(self_, next).received.Room() > 0;
}

bool Steering::PostMoved(uint16_t to, std::unique_ptr<MovedConnection>& moved) {
  Mail mail{};
  mail.moved = moved.get();
  mail.kind = MailKind::kMoved;
  if (!group_.lane(self_, to).received.Push(mail)) return false;
  if (!moved->over && credit_[moved->to] > 0) --credit_[moved->to];
  static_cast<void>(moved.release());  // the mailbox has it
  NotePosted(to);
  return true;
}

bool Steering::DeliverMoved(MovedConnection* moved) {
  if (moved->left_at > core_.now) return false;
  if (!moved->over && moved->to == self_) group_.NoteDrained(self_, false);
  pipeline_.ReceiveMoved(std::unique_ptr<MovedConnection>(moved));
  return true;
}

// How many connections others may send here. One block in sixteen is left for
// newcomers, and what a connection may bring is not to make memory short.
uint32_t Steering::RoomForMoved() const {
  constexpr uint32_t kPacketsEach = 128;
  const auto& blocks = pipeline_.tcp().blocks();
  const uint32_t most = blocks.capacity() - blocks.capacity() / 16;
  if (core_.low_memory || blocks.in_use() >= most) return 0;
  const auto packets = static_cast<uint32_t>(
      std::clamp<int64_t>(core_.spare_packets, 0, UINT32_MAX));
  return std::min(most - blocks.in_use(), packets / kPacketsEach);
}

void Steering::LookAtLoad() {
  // Others may think so as well, for as long and longer.
  constexpr Duration kCreditInterval = 100ms;
  const uint32_t room = RoomForMoved();
  if (room != room_) group_.NoteRoom(self_, room);
  room_ = room;
  if (core_.now >= credit_until_) {
    credit_until_ = core_.now + kCreditInterval;
    for (uint16_t core = 0; core < cores(); ++core) {
      credit_[core] = (group_.Room(core) + 2u * cores() - 1) / (2u * cores());
    }
  }
  if (!rebalancer_) return;
  constexpr uint64_t kCheap = 4;  // passing on, beside dealing with
  const Counters& c = core_.counters;
  const TcpLayer& tcp = pipeline_.tcp();
  // Who only receives has nothing to send with.
  const uint32_t senders = tcp.send_states().in_use();
  const auto shift = rebalancer_->Look(
      core_.now, c.tcp.segments_in + c.segments_passed_on / kCheap,
      senders > 0 ? senders : tcp.blocks().in_use());
  if (shift) pipeline_.tcp().ShiftLoad(shift->to, shift->connections);
}

uint32_t Steering::DeliverFrom(uint16_t from) {
  SpscRing<Mail>& ring = group_.lane(from, self_).received;
  const uint32_t n = std::min(ring.Available(), kPerTurn);
  if (n == 0) return 0;
  Packet* burst[kBurst];
  uint16_t count = 0;
  uint16_t interface = 0;
  auto hand_in = [&] {
    if (count > 0) pipeline_.Receive(interface, {burst, count});
    count = 0;
  };
  uint32_t taken = 0;
  for (; taken < n; ++taken) {
    const Mail& mail = ring.At(taken);
    if (mail.kind == MailKind::kFrame) {
      if (mail.interface != interface || count == kBurst) hand_in();
      interface = mail.interface;
      burst[count++] = mail.packet;
      continue;
    }
    hand_in();
    if (mail.kind == MailKind::kFragment) {
      pipeline_.ReceiveFragment(mail.interface, mail.packet);
    } else if (mail.kind == MailKind::kSegment) {
      pipeline_.ReceivePassedOn(mail.interface, mail.packet, mail.congestion);
    } else if (!DeliverMoved(mail.moved)) {
      break;
    }
  }
  hand_in();
  ring.Pop(taken);
  return taken;
}

// Others' frames, as long as there is room for our own.
uint32_t Steering::TakeFramesFrom(uint16_t from) {
  SpscRing<Mail>& ring = group_.lane(from, self_).to_send;
  const uint32_t available = std::min(ring.Available(), kPerTurn);
  uint32_t n = 0;
  for (; n < available; ++n) {
    const Mail& mail = ring.At(n);
    TxQueue& tx = pipeline_.tx(mail.interface);
    if (tx.room() < TxQueue::kCapacity / 2 || !tx.Push(mail.packet)) break;
  }
  if (n > 0) ring.Pop(n);
  return n;
}

uint32_t Steering::DeliverArpFrom(uint16_t from) {
  SpscRing<ArpMail>& ring = group_.lane(from, self_).arp;
  const uint32_t n = ring.Available();
  for (uint32_t i = 0; i < n; ++i) {
    pipeline_.arp().ReceiveShared(ring.At(i).interface, ring.At(i).arp);
  }
  if (n > 0) ring.Pop(n);
  return n;
}

uint32_t Steering::Deliver() {
  uint32_t work = 0;
  for (uint16_t from = 0; from < cores(); ++from) {
    if (from == self_ || !IsNew(from)) continue;
    Lane& lane = group_.lane(from, self_);
    seen_[from] = lane.posted.load(std::memory_order_acquire);
    work += DeliverArpFrom(from);
    work += DeliverFrom(from);
    work += TakeFramesFrom(from);
    left_[from] =
        lane.received.Available() > 0 || lane.to_send.Available() > 0 ? 1 : 0;
  }
  LookAtLoad();
  return work;
}

// References are counted without atomics, and so never across cores: a frame
// that somebody else still refers to (TCP may send it again) goes as a copy.
Packet* Steering::Exclusive(Packet* frame) {
  if (IsExclusive(frame)) return frame;
  Packet* copy = core_.pool.Alloc();
  if (copy == nullptr || frame->pkt_len > TailroomOf(copy)) {
    if (copy != nullptr) core_.pool.Free(copy);
    core_.pool.Free(frame);
    ++core_.counters.tx_dropped_no_packet;
    return nullptr;
  }
  for (const Packet* p = frame; p != nullptr; p = p->next) {
    std::memcpy(Append(copy, p->data_len), DataOf(p), p->data_len);
  }
  copy->ol_flags =
      frame->ol_flags & ~(RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT);
  copy->tx_offload = frame->tx_offload;
  core_.pool.Free(frame);
  return copy;
}

uint32_t Steering::PostFrames(uint16_t interface) {
  TxQueue& tx = pipeline_.tx(interface);
  SpscRing<Mail>& ring = group_.lane(self_, shares_[interface].sender).to_send;
  uint32_t n = 0;
  for (Packet*& frame : tx.frames()) {
    if (ring.Room() == 0) break;
    ++n;
    Packet* packet = Exclusive(frame);
    if (packet != nullptr) ring.Push({{packet}, interface, MailKind::kFrame});
  }
  if (n > 0) {
    tx.Taken(n);
    NotePosted(shares_[interface].sender);
  }
  return n;
}

void Steering::ShareArp(uint16_t interface, const arp::Packet& arp) {
  for (uint16_t to = 0; to < cores(); ++to) {
    // Lost when full: ARP asks again.
    if (to == self_) continue;
    if (group_.lane(self_, to).arp.Push({interface, arp})) NotePosted(to);
  }
}

void Steering::Flush() {
  if (!posted_) return;
  posted_ = false;
  for (uint16_t to = 0; to < cores(); ++to) {
    if (posted_to_[to] == 0) continue;
    posted_to_[to] = 0;
    Lane& lane = group_.lane(self_, to);
    lane.received.Publish();
    lane.to_send.Publish();
    lane.arp.Publish();
    // Only this core writes it.
    lane.posted.store(lane.posted.load(std::memory_order_relaxed) + 1,
                      std::memory_order_release);
    group_.Wake(to);
  }
}

bool Steering::HasMail() const {
  for (uint16_t from = 0; from < cores(); ++from) {
    if (from != self_ && IsNew(from)) return true;
  }
  return false;
}

}  // namespace corelane::dataplane
