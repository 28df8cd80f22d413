#include "dataplane/pipeline/arp_layer.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/link_layer.h"
#include "dataplane/steering/steering.h"
#include "proto/ethernet/header.h"

namespace corelane::dataplane {
namespace {

// Packets that wait under one index of the cache, oldest first.
struct WaitingRoom {
  Packet* head = nullptr;
  Packet* tail = nullptr;
  uint16_t count = 0;
};

}  // namespace

struct ArpLayer::PerInterface {
  PerInterface(const ArpOptions& options, const Core& core)
      : cache(options.limits, core.secrets.flow_hash),
        waiting(options.limits.capacity) {}

  arp::NeighborCache cache;
  std::vector<arp::Announcer> announcers;  // one per own address
  std::vector<WaitingRoom> waiting;        // by the cache's index
  uint32_t waiting_count = 0;

  // The neighbour that was sent to last: a gateway, mostly.
  Ipv4Address last_address;
  uint32_t last_index = 0;
  uint32_t last_generation = 0;  // 0: none
  MacAddress last_mac;
};

ArpLayer::ArpLayer(Core* core, LinkLayer* link, ipv4::RouteTable* routes,
                   std::vector<Interface>* interfaces,
                   const ArpOptions& options, const NoticeSink& notices)
    : core_(*core),
      link_(*link),
      routes_(*routes),
      interfaces_(*interfaces),
      options_(options),
      notices_(notices) {
  for (const Interface& interface : interfaces_) {
    auto state = std::make_unique<PerInterface>(options, core_);
    for (const Ipv4Prefix& prefix : interface.config.addresses) {
      state->announcers.emplace_back(options.announcer, interface.config.mac,
                                     prefix.address,
                                     Rng(core_.secrets.rng, 0xa49));
      state->announcers.back().Start(core_.now);
    }
    state_.push_back(std::move(state));
  }
}

ArpLayer::~ArpLayer() {
  for (auto& state : state_) {
    for (WaitingRoom& room : state->waiting) {
      while (room.head != nullptr) {
        Packet* next = MetaOf(room.head).link;
        core_.pool.Free(room.head);
        room.head = next;
      }
    }
  }
}

const arp::NeighborCache& ArpLayer::cache(uint16_t interface) const {
  return state_[interface]->cache;
}

arp::NeighborCache& ArpLayer::cache(uint16_t interface) {
  return state_[interface]->cache;
}

void ArpLayer::Flush() {
  for (auto& state : state_) state->cache.Flush();
}

bool ArpLayer::AllUsable() const {
  for (const auto& state : state_) {
    for (const arp::Announcer& a : state->announcers) {
      if (!a.usable()) return false;
    }
  }
  return true;
}

Ipv4Address ArpLayer::Contested() const {
  for (const auto& state : state_) {
    for (const arp::Announcer& a : state->announcers) {
      if (a.state() == arp::AnnouncerState::kContested) return a.address();
    }
  }
  return Ipv4Address();
}

void ArpLayer::AddressesChanged(const Interface& interface) {
  state_[interface.index]->last_generation = 0;
  std::vector<arp::Announcer>& announcers = state_[interface.index]->announcers;
  std::erase_if(announcers, [&](const arp::Announcer& a) {
    return !interface.HasAddress(a.address());
  });
  arp::AnnouncerTiming timing = options_.announcer;
  timing.probe = true;
  for (const Ipv4Prefix& prefix : interface.config.addresses) {
    if (claim(prefix.address) != nullptr) continue;
    announcers.emplace_back(timing, interface.config.mac, prefix.address,
                            Rng(core_.secrets.rng, 0xa49));
    announcers.back().Start(core_.now);
  }
}

const arp::Announcer* ArpLayer::claim(Ipv4Address address) const {
  for (const auto& state : state_) {
    for (const arp::Announcer& a : state->announcers) {
      if (a.address() == address) return &a;
    }
  }
  return nullptr;
}

void ArpLayer::SendArp(Interface& interface, const arp::Packet& arp,
                       const MacAddress& to) {
  Packet* packet = core_.pool.Alloc();
  if (packet == nullptr) {
    ++core_.counters.tx_dropped_no_packet;
    return;
  }
  arp::Write(Append(packet, arp::kPacketLength), arp);
  if (arp.operation == arp::kReply) {
    ++core_.counters.arp_replies_out;
  } else {
    ++core_.counters.arp_requests_out;
  }
  link_.Send(interface, to, ethernet::kArp, packet);
}

bool ArpLayer::Speaks() const {
  return core_.steering == nullptr || core_.steering->IsFirst();
}

// True if the packet claims one of our addresses or is our own: no cache may
// see it then, so that nobody overwrites our addresses.
bool ArpLayer::NoteConflict(PerInterface& state, Interface& interface,
                            const arp::Packet& arp) {
  bool ours = false;
  for (arp::Announcer& announcer : state.announcers) {
    const arp::ConflictEvent event = announcer.OnArp(arp, core_.now);
    if (event == arp::ConflictEvent::kNone) continue;
    ours = true;
    if (event == arp::ConflictEvent::kOwnPacket || !Speaks()) continue;
    ++core_.counters.arp_conflicts;
    // Reported ones repeat within seconds; one line per defence is enough.
    if (event == arp::ConflictEvent::kReported) continue;
    notices_(absl::StrCat(
        "address conflict: ", ToString(announcer.rival()), " also uses our ",
        ToString(announcer.address()), " on ", interface.config.name,
        event == arp::ConflictEvent::kDefended
            ? "; defending it; give one of the two another address"
            : "; not using it; choose another --addr"));
  }
  return ours;
}

bool ArpLayer::AnswersFor(const PerInterface& state, const Interface& interface,
                          Ipv4Address target) const {
  for (const arp::Announcer& a : state.announcers) {
    if (a.address() == target) return a.usable();
  }
  if (interface.InRange(target)) return true;
  if (!core_.weak_host) return false;
  const arp::Announcer* a = claim(target);
  return a != nullptr && a->usable();
}

void ArpLayer::Receive(Interface& interface, Packet* packet) {
  PerInterface& state = *state_[interface.index];
  arp::Packet arp;
  if (arp::Parse(BytesOf(packet), arp) != arp::ParseStatus::kOk) {
    core_.Drop(packet, DropReason::kArpMalformed);
    return;
  }
  if (arp.operation == arp::kRequest) {
    ++core_.counters.arp_requests_in;
  } else {
    ++core_.counters.arp_replies_in;
  }
  if (core_.steering != nullptr) {
    core_.steering->ShareArp(interface.index, arp);
  }
  if (NoteConflict(state, interface, arp)) {
    ++core_.counters.delivered;
    core_.pool.Free(packet);
    return;
  }
  const bool for_us = AnswersFor(state, interface, arp.target);
  state.cache.OnPacket(arp, for_us, core_.now);
  NoteHeard(interface.index, arp.sender);
  if (!for_us && arp.operation == arp::kRequest && !arp.IsGratuitous()) {
    core_.Drop(packet, DropReason::kArpNotForUs);
    return;
  }
  if (for_us && arp.operation == arp::kRequest) {
    SendArp(interface, arp::ReplyTo(arp, interface.config.mac), arp.sender_mac);
  }
  ++core_.counters.delivered;
  core_.pool.Free(packet);
  RunCache(state, interface);
}

void ArpLayer::ReceiveShared(uint16_t interface, const arp::Packet& arp) {
  PerInterface& state = *state_[interface];
  if (NoteConflict(state, interfaces_[interface], arp)) return;
  const bool for_us = AnswersFor(state, interfaces_[interface], arp.target);
  state.cache.OnPacket(arp, for_us, core_.now);
  NoteHeard(interface, arp.sender);
  RunCache(state, interfaces_[interface]);
}

void ArpLayer::NoteHeard(uint16_t interface, Ipv4Address sender) {
  if (routes_.any_dead()) routes_.NoteGateway(interface, sender, false);
}

// Nothing is sent by them, so nobody else would notice that they are back.
void ArpLayer::AskDeadGateways() {
  ask_dead_at_ = kTimeNever;
  size_t at = 0;
  while (const ipv4::RouteEntry* route = routes_.NextDead(at)) {
    state_[route->port]->cache.Lookup(route->gateway, core_.now);
    ask_dead_at_ = core_.now + options_.limits.failed_hold + 1s;
  }
}

void ArpLayer::Send(Interface& interface, Ipv4Address next_hop,
                    Packet* packet) {
  PerInterface& state = *state_[interface.index];
  if (state.last_address == next_hop && state.last_generation != 0 &&
      state.cache.Use(state.last_index, state.last_generation, core_.now))
      [[likely]] {
    link_.Send(interface, state.last_mac, ethernet::kIpv4, packet);
    return;
  }
  if (next_hop.IsBroadcast() || interface.IsDirectedBroadcast(next_hop)) {
    link_.Send(interface, MacAddress::Broadcast(), ethernet::kIpv4, packet);
    return;
  }
  const arp::LookupResult found = state.cache.Lookup(next_hop, core_.now);
  switch (found.status) {
    case arp::LookupStatus::kReady:
      state.last_address = next_hop;
      state.last_index = found.index;
      state.last_generation = found.generation;
      state.last_mac = found.mac;
      link_.Send(interface, found.mac, ethernet::kIpv4, packet);
      return;
    case arp::LookupStatus::kPending:
      Park(state, found.index, packet);
      return;
    case arp::LookupStatus::kFailed:
    case arp::LookupStatus::kTableFull:
      ++core_.counters.tx_dropped_neighbor;
      core_.pool.Free(packet);
      return;
  }
}

// Bounded; the oldest gives way (RFC 1122 section 2.3.2.2 wants the latest
// kept).
void ArpLayer::Park(PerInterface& state, uint32_t index, Packet* packet) {
  if (packet->refcnt > 1) {
    // TCP keeps its own reference and will send again; the private area, and
    // with it the link, belongs to the send queue.
    ++core_.counters.tx_dropped_neighbor;
    core_.pool.Free(packet);
    return;
  }
  WaitingRoom& room = state.waiting[index];
  if (room.count >= options_.queue_per_neighbor && room.head != nullptr) {
    Packet* oldest = room.head;
    room.head = MetaOf(oldest).link;
    --room.count;
    --state.waiting_count;
    ++core_.counters.tx_dropped_neighbor;
    core_.pool.Free(oldest);
  }
  if (state.waiting_count >= options_.queue_per_interface) {
    ++core_.counters.tx_dropped_neighbor;
    core_.pool.Free(packet);
    return;
  }
  MetaOf(packet).link = nullptr;
  if (room.head == nullptr) {
    room.head = packet;
  } else {
    MetaOf(room.tail).link = packet;
  }
  room.tail = packet;
  ++room.count;
  ++state.waiting_count;
}

void ArpLayer::Release(PerInterface& state, Interface& interface,
                       uint32_t index, const MacAddress& mac) {
  WaitingRoom& room = state.waiting[index];
  while (room.head != nullptr) {
    Packet* packet = room.head;
    room.head = MetaOf(packet).link;
    --state.waiting_count;
    link_.Send(interface, mac, ethernet::kIpv4, packet);
  }
  room = WaitingRoom{};
}

void ArpLayer::Discard(PerInterface& state, uint32_t index) {
  WaitingRoom& room = state.waiting[index];
  while (room.head != nullptr) {
    Packet* packet = room.head;
    room.head = MetaOf(packet).link;
    --state.waiting_count;
    ++core_.counters.tx_dropped_neighbor;
    core_.pool.Free(packet);
  }
  room = WaitingRoom{};
}

void ArpLayer::RunCache(PerInterface& state, Interface& interface) {
  std::array<arp::Action, 32> actions;
  const size_t n = state.cache.Poll(core_.now, actions);
  for (size_t i = 0; i < n; ++i) {
    const arp::Action& action = actions[i];
    switch (action.kind) {
      case arp::ActionKind::kSendRequestBroadcast:
      case arp::ActionKind::kSendRequestUnicast: {
        if (interface.config.addresses.empty()) break;
        Ipv4Address sender = interface.config.addresses.front().address;
        for (const Ipv4Prefix& p : interface.config.addresses) {
          if (p.Contains(action.address)) sender = p.address;
        }
        const bool unicast =
            action.kind == arp::ActionKind::kSendRequestUnicast;
        SendArp(interface,
                {.operation = arp::kRequest,
                 .sender_mac = interface.config.mac,
                 .sender = sender,
                 .target_mac = MacAddress{},
                 .target = action.address},
                unicast ? action.mac : MacAddress::Broadcast());
        break;
      }
      case arp::ActionKind::kResolved:
        Release(state, interface, action.index, action.mac);
        break;
      case arp::ActionKind::kFailed:
        Discard(state, action.index);
        routes_.NoteGateway(interface.index, action.address, true);
        if (routes_.any_dead() && ask_dead_at_ == kTimeNever) {
          ask_dead_at_ = core_.now + options_.limits.failed_hold + 1s;
        }
        break;
    }
  }
}

void ArpLayer::RunTimers() {
  if (ask_dead_at_ <= core_.now) [[unlikely]] {
    AskDeadGateways();
  }
  for (size_t i = 0; i < interfaces_.size(); ++i) {
    PerInterface& state = *state_[i];
    if (state.cache.NextDeadline() <= core_.now) {
      RunCache(state, interfaces_[i]);
    }
    for (arp::Announcer& announcer : state.announcers) {
      while (announcer.NextDeadline() <= core_.now) {
        const auto packet = announcer.Poll(core_.now);
        if (!packet) break;
        if (Speaks()) {
          SendArp(interfaces_[i], *packet, MacAddress::Broadcast());
        }
      }
    }
  }
}

Time ArpLayer::NextDeadline() const {
  Time next = ask_dead_at_;
  for (const auto& state : state_) {
    next = std::min(next, state->cache.NextDeadline());
    for (const arp::Announcer& announcer : state->announcers) {
      next = std::min(next, announcer.NextDeadline());
    }
  }
  return next;
}

}  // namespace corelane::dataplane
