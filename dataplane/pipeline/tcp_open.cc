// Listening, connecting and the way to ESTABLISHED.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/tcp_short.h"
#include "dataplane/steering/steering.h"
#include "proto/tcp/isn.h"

namespace corelane::dataplane {
namespace {

// RFC 6335's dynamic ports and some below them; when none of those is left, all
// but the well-known ones (RFC 6056 section 3.2).
struct PortRange {
  uint32_t first;
  uint32_t count;
};
constexpr PortRange kEphemeral[] = {{32768, 32768}, {1024, 31744}};
constexpr uint32_t kEphemeralCount = kEphemeral[0].count + kEphemeral[1].count;

absl::Status NotOneHost(Ipv4Address address) {
  return absl::InvalidArgumentError(absl::StrCat(
      ToString(address), " is no single host's address: TCP cannot open it"));
}

}  // namespace

absl::StatusOr<uint32_t> TcpLayer::Listen(Ipv4Address address, uint16_t port,
                                          uint16_t application,
                                          const ListenOptions& options) {
  Listener listener;
  listener.address = address;
  listener.port = port;
  listener.application = application;
  listener.device = options.device;
  listener.backlog = limits_.backlog;
  listener.profile = options.profile;
  listener.accept_limit = options.accept_limit;
  listener.app_data = options.app_data;
  auto added = listeners_.Add(listener);
  if (added.ok()) profiles_.AddReference(options.profile);
  return added;
}

void TcpLayer::CloseListener(uint32_t listener) {
  ForgetRequests(listener);
  profiles_.Release(listeners_[listener].profile);
  listeners_[listener].profile = Profiles::kDefault;
  listeners_.Remove(listener);
}

void TcpLayer::ForgetRequests(uint32_t listener) {
  for (auto& list : request_lists_) {
    uint32_t index =
        listeners_[listener].requests > 0 ? list.front() : kNoIndex;
    while (index != kNoIndex) {
      const tcp::Request& request = requests_[index];
      const uint32_t next = request.next;
      if (request.listener == listener) {
        EraseEntry(request.key, HashOf(request.key),
                   Entry(EntryKind::kRequest, index));
        RetireRequest(index);
      }
      index = next;
    }
  }
}

// What was offered to pending requests (the window's scale, say) may not hold
// with the new options: they are forgotten, and their peers' SYNs come again.
void TcpLayer::SetListenerProfile(uint32_t listener, uint16_t profile) {
  ForgetRequests(listener);
  profiles_.AddReference(profile);
  profiles_.Release(listeners_[listener].profile);
  listeners_[listener].profile = profile;
}

void TcpLayer::SetProfile(uint32_t index, uint16_t profile) {
  tcp::ControlBlock& cb = blocks_[index];
  profiles_.AddReference(profile);
  profiles_.Release(cb.profile);
  cb.profile = profile;
  FitSendState(index);
}

// The largest segment that we take and send.
uint16_t TcpLayer::OwnMss(const tcp::FlowKey& key,
                          const tcp::Config& options) const {
  return tcp::OwnMss(ip_.MtuTowards(FlowOf(key)), options);
}

// Whether no connection has the address pair. `may_take_over`: or only one in
// TIME-WAIT that can be told from its successor.
bool TcpLayer::PortIsFree(const tcp::FlowKey& key, bool* may_take_over) const {
  *may_take_over = false;
  const Entry entry = table_.Find(key, HashOf(key));
  if (!entry.found()) return true;
  *may_take_over = entry.kind() == EntryKind::kTimeWait &&
                   tcp::MayTakeOver(time_waits_[entry.index()], MakeContext());
  return false;
}

// Looks for a free local port from `start` on, at up to `patience` of those
// that this core may use. 0 if there is none; then `in_time_wait` may name one
// that can be taken over.
uint16_t TcpLayer::ProbePorts(tcp::FlowKey key, uint32_t first, uint32_t count,
                              uint32_t& start, uint32_t patience,
                              uint16_t& in_time_wait) {
  const Steering* steering = core_.steering;
  const uint32_t base = steering == nullptr ? 0 : steering->map().BaseOf(key);
  for (uint32_t i = 0; i < count && patience > 0; ++i) {
    key.local_port = static_cast<uint16_t>(first + (start + i) % count);
    // Its replies have to arrive here.
    if (steering != nullptr &&
        steering->map().OwnerAt(base, key.local_port) != steering->self()) {
      continue;
    }
    --patience;
    if (listeners_.Find(key.local(), key.local_port, kAnyPort) != nullptr) {
      continue;
    }
    bool may_take_over = false;
    if (PortIsFree(key, &may_take_over)) {
      start += i;
      return key.local_port;
    }
    if (may_take_over && in_time_wait == 0) in_time_wait = key.local_port;
  }
  return 0;
}

// RFC 6056: an offset that is a keyed hash of the destination (section 3.3.3),
// so that one destination's ports say nothing of another's, and a counter that
// moves on by random steps (section 3.3.5), so that even the next one towards
// the same destination is not known; and yet no port comes back soon.
absl::StatusOr<uint16_t> TcpLayer::ChoosePort(tcp::FlowKey key) {
  // A range of which so many in a row are taken is as good as full: the other
  // one is looked at, and one in TIME-WAIT is good enough. Only then all are.
  constexpr uint32_t kPatience = 256;
  constexpr uint32_t kMaxStep = 500;
  key.local_port = 0;
  next_port_ += 1 + core_.rng.Below(kMaxStep);
  const uint32_t start =
      tcp::TimestampOffset(key, core_.secrets.ports) + next_port_;
  uint16_t in_time_wait = 0;
  for (const uint32_t patience : {kPatience, kEphemeralCount}) {
    for (const PortRange& range : kEphemeral) {
      uint32_t at = start;
      const uint16_t port =
          ProbePorts(key, range.first, range.count, at, patience, in_time_wait);
      if (port == 0) continue;
      next_port_ += at - start;
      return port;
    }
    if (in_time_wait != 0) return in_time_wait;
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      core_.steering == nullptr
          ? absl::StrCat("all ", kEphemeralCount)
          : absl::StrCat("this core's share of the ", kEphemeralCount),
      " source ports of ", ToString(key.local()), " towards ",
      ToString(key.remote()), ":", key.remote_port,
      core_.steering == nullptr ? " are" : " is",
      " in use; add another --addr, or close connections"));
}

absl::StatusOr<Connection> TcpLayer::Connect(Ipv4Address remote, uint16_t port,
                                             uint16_t application,
                                             Ipv4Address source,
                                             uint16_t source_port,
                                             uint16_t profile) {
  // RFC 9293 section 3.9.2.3 (MUST-46), before any route is asked for.
  if (!remote.IsUnicastHost()) return NotOneHost(remote);
  if (!source.IsAny() && !ip_.IsOurs(source)) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToString(source), " is not an address of ours"));
  }
  // Where the source is open, the counter of ports spreads what we connect over
  // equal ways; the source then keeps to its way.
  Path path;
  const auto spread = static_cast<uint16_t>(next_port_);
  if (!ip_.FindPath({remote, source, source_port != 0 ? source_port : spread,
                     port, ipv4::kTcp},
                    path)) {
    return absl::UnavailableError(
        absl::StrCat("no route to ", ToString(remote)));
  }
  if (path.interface->IsDirectedBroadcast(remote)) return NotOneHost(remote);
  tcp::FlowKey key;
  key.local_address = (source.IsAny() ? path.source : source).value();
  key.remote_address = remote.value();
  key.remote_port = port;
  key.local_port = source_port;
  if (key.local_address == key.remote_address) {
    return absl::InvalidArgumentError("that is our own address");
  }
  if (source_port == 0) {
    auto chosen = ChoosePort(key);
    if (!chosen.ok()) return chosen.status();
    key.local_port = *chosen;
  } else if (const Steering* s = core_.steering;
             s != nullptr && s->map().OwnerOf(key) != s->self()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "source port ", source_port, ": replies from ", ToString(remote), ":",
        port, " arrive on core ", s->map().OwnerOf(key),
        ", not on this one; connect there, or let a port be chosen"));
  }
  const uint64_t hash = HashOf(key);
  bool may_take_over = false;
  if (!PortIsFree(key, &may_take_over) && !may_take_over) {
    return absl::AlreadyExistsError(absl::StrCat("port ", key.local_port,
                                                 " is in use towards ",
                                                 ToString(remote), ":", port));
  }
  const uint32_t index = blocks_.Allocate();
  SeqNum iss = tcp::InitialSequence(key, core_.secrets.isn, core_.now);
  if (index != kNoIndex && may_take_over) {
    const Entry old = table_.Find(key, hash);
    iss = tcp::SuccessorSequence(time_waits_[old.index()], iss);
    EraseEntry(key, hash, old);
    RetireTimeWait(old.index());
  }
  if (index == kNoIndex ||
      !table_.Insert(hash, Entry(EntryKind::kConnection, index))) {
    if (index != kNoIndex) blocks_.Free(index);
    return absl::ResourceExhaustedError(absl::StrCat(
        "all ", blocks_.capacity(), " connections are in use; start with a ",
        "larger --max-connections"));
  }
  tcp::ControlBlock& cb = blocks_[index];
  cb.key = key;
  cb.application = application;
  cb.port = path.interface->index;
  cb.generation = ++generation_;
  SetProfile(index, profile);
  cb.ts_offset = tcp::TimestampOffset(key, core_.secrets.timestamps);
  tcp::OpenActive(cb, iss, OwnMss(key, options(index)), MakeContext(index));
  MarkDirty(index);
  return Connection(this, index);
}

// Gives the record back; its table entry is already gone or replaced.
void TcpLayer::RetireRequest(uint32_t index) {
  tcp::Request& request = requests_[index];
  --listeners_[request.listener].requests;
  request.in_use = 0;
  request_lists_[request.retransmits].Remove(requests_, index);
  requests_.Free(index);
}

uint32_t TcpLayer::Establish(uint32_t request, const Arrived& a) {
  return EstablishFrom(requests_[request], a.hash,
                       Entry(EntryKind::kRequest, request));
}

uint32_t TcpLayer::EstablishFrom(const tcp::Request& request, uint64_t hash,
                                 Entry old) {
  const uint32_t index = blocks_.Allocate();
  if (index == kNoIndex) return kNoIndex;
  const Entry entry(EntryKind::kConnection, index);
  if (old.found()) {
    table_.Replace(hash, old, entry);
  } else if (!table_.Insert(hash, entry)) {
    blocks_.Free(index);
    return kNoIndex;
  }
  tcp::ControlBlock& cb = blocks_[index];
  Listener& listener = listeners_[request.listener];
  SetProfile(index, listener.profile);
  tcp::Establish(cb, request, OwnMss(request.key, options(index)),
                 MakeContext(index));
  cb.application = listener.application;
  cb.app_data = listener.app_data;
  if (listener.accept_limit != 0) ++listener.waiting;
  cb.generation = ++generation_;
  if (old.found()) RetireRequest(old.index());
  return index;
}

// Repeats SYN-ACKs whose time has come, with back-off, and gives up requests
// whose peer never answered.
void TcpLayer::RetransmitSynAcks() {
  const tcp::Tick now = core_.tcp_now.tick;
  for (size_t level = 0; level < request_lists_.size(); ++level) {
    auto& list = request_lists_[level];
    while (!list.empty()) {
      const uint32_t index = list.front();
      tcp::Request& request = requests_[index];
      if (tcp::TickBefore(now, request.deadline)) break;
      const tcp::Config& options = OptionsOf(request);
      if (request.retransmits >= options.max_synack_retransmits ||
          level + 1 == request_lists_.size()) {
        EraseEntry(request.key, HashOf(request.key),
                   Entry(EntryKind::kRequest, index));
        RetireRequest(index);
        ++core_.counters.tcp.failed_opens;
        continue;
      }
      list.Remove(requests_, index);
      ++request.retransmits;
      request.deadline =
          now + (tcp::ToTicks(options.rto_initial) << request.retransmits);
      request_lists_[level + 1].PushBack(requests_, index);
      ++core_.counters.tcp.retransmits;
      SendBare(request.key,
               tcp::SynAckAgain(request, OwnMss(request.key, options), options,
                                core_.tcp_now),
               options);
    }
  }
}

}  // namespace corelane::dataplane
