// Connections that go to another core, and segments that follow them; moves.h
// says how. None of this is on the way of a segment whose connection stayed.
#include <algorithm>
#include <utility>

#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/tcp_short.h"
#include "dataplane/steering/steering.h"
#include "proto/tcp/close.h"

namespace corelane::dataplane {

bool TcpLayer::WishMove(uint32_t index, uint16_t core) {
  const Steering* steering = core_.steering;
  if (steering == nullptr || core >= steering->cores() ||
      core == steering->self()) {
    return false;
  }
  const uint32_t generation = blocks_[index].generation;
  for (Moves::Wish& wish : moves_.wishes) {
    if (wish.index != index || wish.generation != generation) continue;
    wish = {index, generation, core, false};
    return true;
  }
  moves_.wishes.push_back({index, generation, core, false});
  return true;
}

// What is busy may be chosen, and only that does any good; but not what came
// lately, lest one that is a core's whole load goes back and forth.
void TcpLayer::WishQuota() {
  constexpr Duration kStay = 5s;
  for (const uint32_t index : dirty_.waiting()) {
    if (moves_.quota == 0) return;
    const tcp::ControlBlock& cb = blocks_[index];
    if (moves_.guests.CameAfter(cb.key, core_.now - kStay)) continue;
    --moves_.quota;
    moves_.wishes.push_back({index, cb.generation, moves_.quota_to, true});
  }
}

void TcpLayer::RunMoves(std::span<Application* const> applications) {
  GrantWishes(applications);
  ReportEnded();
  SendOutbox();
}

// Within bounds per turn, as each move copies what is queued.
void TcpLayer::GrantWishes(std::span<Application* const> applications) {
  constexpr int kMovesPerTurn = 64;
  std::vector<Moves::Wish> wishes;
  wishes.swap(moves_.wishes);  // applications may add to it
  int left = kMovesPerTurn;
  for (const Moves::Wish& wish : wishes) {
    const tcp::ControlBlock& cb = blocks_[wish.index];
    if (cb.generation != wish.generation || cb.Has(tcp::kDetached) ||
        cb.Has(tcp::kOrphan)) {
      continue;
    }
    if (left > 0 && MayLeave(wish.index) &&
        core_.steering->MayMove(cb.key, wish.to)) {
      --left;
      Leave(wish.index, wish.to, *applications[cb.application]);
    } else if (!wish.once) {
      moves_.wishes.push_back(wish);
    }
  }
}

// What waits behind a gap would have to be sent again by the peer, who has been
// told that it is here (RFC 2018 section 8). And much that is queued would have
// to be copied, static bytes into packets.
bool TcpLayer::MayLeave(uint32_t index) const {
  constexpr uint32_t kMostQueued = 64 * 1024;
  const tcp::ControlBlock& cb = blocks_[index];
  if (cb.state < tcp::State::kEstablished) return false;
  const Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr) return true;
  const uint32_t unacknowledged =
      buffers->send.empty() ? 0 : cb.snd_queued - cb.snd_una;
  return buffers->holes == kNoIndex &&
         unacknowledged + buffers->receive.bytes() <= kMostQueued;
}

std::unique_ptr<MovedConnection> TcpLayer::Pack(uint32_t index) {
  const tcp::ControlBlock& cb = blocks_[index];
  auto moved = std::make_unique<MovedConnection>();
  moved->key = cb.key;
  moved->from = core_.steering->self();
  moved->left_at = core_.now;
  moved->block = cb;
  if (const tcp::SendState* tx = SendStateOf(index)) {
    moved->sending = *tx;
    moved->sending->bbr = nullptr;
    if (tx->bbr != nullptr) moved->bbr = *tx->bbr;
  }
  if (cb.profile != Profiles::kDefault) moved->options = options(index);
  Buffers* buffers = BuffersOf(index);
  if (buffers == nullptr) return moved;
  if (!buffers->send.empty()) {
    const uint32_t n = cb.snd_queued - cb.snd_una;
    moved->unacknowledged.resize(n);
    buffers->send.Copy(cb.snd_una, n, moved->unacknowledged.data());
  }
  moved->unread.resize(buffers->receive.bytes());
  buffers->receive.Peek(0, moved->unread);
  return moved;
}

// False if it stays.
bool TcpLayer::Leave(uint32_t index, uint16_t to, Application& application) {
  Steering& steering = *core_.steering;
  const bool home =
      steering.map().OwnerOf(blocks_[index].key) == steering.self();
  // One that is neither at home nor a guest is here because a device spread
  // otherwise than it said: nobody would know where it goes.
  tcp::ControlBlock& cb = blocks_[index];
  if (home ? moves_.forwards.in_use() == moves_.forwards.capacity()
           : !moves_.guests.Has(cb.key)) {
    return false;
  }
  std::vector<uint8_t> luggage;
  const uint32_t generation = cb.generation;
  if (!application.OnLeave(Connection(this, index), luggage)) return false;
  // What it did to it meanwhile counts more.
  if (cb.generation != generation || cb.Has(tcp::kDetached) ||
      cb.Has(tcp::kOrphan)) {
    return false;
  }
  std::unique_ptr<MovedConnection> moved = Pack(index);
  moved->to = to;
  moved->neighbor = ip_.NeighborTowards(FlowOf(cb.key));
  moved->luggage = std::move(luggage);

  const uint64_t hash = HashOf(cb.key);
  const Entry entry(EntryKind::kConnection, index);
  if (home) {
    const uint32_t forward = moves_.forwards.Allocate();
    moves_.forwards[forward].key = cb.key;
    table_.Replace(hash, entry, Entry(EntryKind::kMoved, forward));
  } else {
    moves_.guests.Remove(cb.key);
    table_.Erase(hash, entry);
  }
  cb.Set(tcp::kDetached);
  cb.state = tcp::State::kClosed;
  FreeSendState(index);
  if (Buffers* buffers = BuffersOf(index)) {
    buffers->send.Clear(core_.pool, chunks_);
    buffers->receive.Clear(core_.pool);
    DropBuffersIfEmpty(index);
  }
  FreeBlock(index);
  ++core_.counters.moved_out;
  steering.NoteInTransit(1);
  Send(std::move(moved));
  return true;
}

// By way of the home, which has to know where its segments go. There is room
// for a connection (MayMove); that one is over can wait.
void TcpLayer::Send(std::unique_ptr<MovedConnection> moved) {
  Steering& steering = *core_.steering;
  const uint16_t home = steering.map().OwnerOf(moved->key);
  const bool at_home = home == steering.self();
  const uint16_t to = moved->to;
  const tcp::FlowKey key = moved->key;
  if (!steering.PostMoved(at_home ? to : home, moved)) {
    moves_.outbox.push_back(std::move(moved));
  } else if (at_home) {
    moves_.forwards[EntryOf(key).index()].core = to;
  }
}

void TcpLayer::SendOutbox() {
  std::vector<std::unique_ptr<MovedConnection>> waiting;
  waiting.swap(moves_.outbox);
  for (auto& moved : waiting) Send(std::move(moved));
}

// Of the guests that have left the table those that are not in it otherwise:
// as a record in TIME-WAIT, say.
void TcpLayer::ReportEnded() {
  for (const tcp::FlowKey& key : moves_.ended) {
    if (!EntryOf(key).found() && moves_.guests.Remove(key)) ReportOver(key);
  }
  moves_.ended.clear();
}

void TcpLayer::ReportOver(const tcp::FlowKey& key) {
  auto over = std::make_unique<MovedConnection>();
  over->key = key;
  over->from = core_.steering->self();
  over->left_at = core_.now;
  over->over = true;
  Send(std::move(over));
}

TcpLayer::Taken TcpLayer::TakeMoved(std::unique_ptr<MovedConnection> moved) {
  Steering& steering = *core_.steering;
  const bool home = steering.map().OwnerOf(moved->key) == steering.self();
  const Entry entry = EntryOf(moved->key);
  const bool expected = home
                            ? entry.found() && entry.kind() == EntryKind::kMoved
                            : !entry.found();
  if (moved->over) {
    if (!expected) return {};
    table_.Erase(HashOf(moved->key), entry);
    moves_.forwards.Free(entry.index());
    return {};
  }
  if (home && expected && moved->to != steering.self()) {
    const uint16_t to = moved->to;
    if (steering.PostMoved(to, moved)) {
      moves_.forwards[entry.index()].core = to;
      return {};
    }
    // It stays here, rather than nowhere.
  }
  const Taken taken = expected ? Settle(*moved) : Lose(*moved);
  steering.NoteInTransit(-1);
  return taken;
}

// The peer hears of it, and the application.
TcpLayer::Taken TcpLayer::Lose(const MovedConnection& moved) {
  ++core_.counters.move_failures;
  SendReset(moved.block, moved.options ? *moved.options : config_);
  return {Taken::Fate::kLost, {}};
}

// The connection goes on here.
TcpLayer::Taken TcpLayer::Settle(const MovedConnection& moved) {
  const Steering& steering = *core_.steering;
  const bool home = steering.map().OwnerOf(moved.key) == steering.self();
  const uint64_t hash = HashOf(moved.key);
  const uint32_t index = blocks_.Allocate();
  bool room = index != kNoIndex;
  if (home) {
    const Entry forward = EntryOf(moved.key);
    moves_.forwards.Free(forward.index());
    if (room) {
      table_.Replace(hash, forward, Entry(EntryKind::kConnection, index));
    } else {
      table_.Erase(hash, forward);
    }
  } else {
    room = room && table_.Insert(hash, Entry(EntryKind::kConnection, index));
    if (room) {
      moves_.guests.Add(moved.key, core_.now);
    } else {
      ReportOver(moved.key);
    }
  }
  if (!room) {
    if (index != kNoIndex) blocks_.Free(index);
    return Lose(moved);
  }
  ++core_.counters.moved_in;
  Unpack(index, moved);
  if (!closing_) return {Taken::Fate::kHere, {this, index}};
  Close(index);
  return {Taken::Fate::kLost, {}};
}

void TcpLayer::SendReset(const tcp::ControlBlock& cb,
                         const tcp::Config& options) {
  tcp::SegmentSpec reset;
  if (!tcp::AbortSegment(cb, core_.tcp_now, reset)) return;
  ++core_.counters.tcp.resets_out;
  SendBare(cb.key, reset, options);
}

void TcpLayer::Unpack(uint32_t index, const MovedConnection& moved) {
  tcp::ControlBlock& cb = blocks_[index];
  cb = moved.block;
  const auto untold = static_cast<uint8_t>(cb.flags >> 24);
  cb.flags &= 0x00ffffffu;
  cb.Clear(tcp::kDirty | tcp::kReady);
  cb.buffers = cb.send_state = kNoIndex;
  cb.timer_slot = 0;
  cb.generation = ++generation_;
  cb.profile = Profiles::kDefault;
  bool complete = true;
  if (moved.options) {
    const uint16_t profile = AcquireProfile(*moved.options);
    complete = profile != Profiles::kNone;
    if (complete) cb.profile = profile;  // with the reference
  }
  if (moved.sending) {
    cb.send_state = send_states_.Allocate();
    complete = complete && cb.send_state != kNoIndex;
    if (complete) {
      send_states_[cb.send_state] = *moved.sending;
      send_states_[cb.send_state].owner = index;
      // There are as many as send states.
      const uint32_t bbr = moved.bbr ? bbr_states_.Allocate() : kNoIndex;
      if (bbr != kNoIndex) {
        bbr_states_[bbr] = *moved.bbr;
        send_states_[cb.send_state].bbr = &bbr_states_[bbr];
      }
    }
  }
  if (!complete || !UnpackQueues(index, moved)) {
    ++core_.counters.move_failures;
    SendReset(cb, options(index));
    cb.error = tcp::Error::kAborted;
    Detach(index);
    MarkReady(index, kGone);
    return;
  }
  if (untold != 0) MarkReady(index, untold);
  MarkDirty(index);  // for its timers, if for nothing else
}

// False if packets ran out.
bool TcpLayer::UnpackQueues(uint32_t index, const MovedConnection& moved) {
  tcp::ControlBlock& cb = blocks_[index];
  // As large as the segments that they are sent in.
  for (size_t done = 0; done < moved.unacknowledged.size();) {
    Packet* packet = core_.pool.Alloc();
    if (packet == nullptr) return false;
    core_.NoteBound(1);
    const auto n = static_cast<uint16_t>(std::min<size_t>(
        {moved.unacknowledged.size() - done, cb.mss, TailroomOf(packet)}));
    std::copy_n(&moved.unacknowledged[done], n, Append(packet, n));
    AppendPacketChunk(index, packet, cb.snd_una + static_cast<uint32_t>(done));
    done += n;
  }
  for (size_t done = 0; done < moved.unread.size();) {
    Packet* packet = core_.pool.Alloc();
    if (packet == nullptr) return false;
    core_.NoteBound(1);
    const auto n = static_cast<uint16_t>(
        std::min<size_t>(moved.unread.size() - done, TailroomOf(packet)));
    std::copy_n(&moved.unread[done], n, Append(packet, n));
    NeedBuffers(index)->receive.Append(packet, core_.pool);
    done += n;
  }
  return true;
}

// To where the connection is.
void TcpLayer::PassOn(const Arrived& a, uint16_t to) {
  if (to == Forward::kNoCore) {
    core_.Drop(a.packet, DropReason::kSteeringFull);
    return;
  }
  ++core_.counters.segments_passed_on;
  MetaOf(a.packet).flow = a.key;
  core_.steering->PostSegment(a.device, to, a.packet, a.congestion);
}

}  // namespace corelane::dataplane
