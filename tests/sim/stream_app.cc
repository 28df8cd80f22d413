#include "tests/sim/stream_app.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace corelane::sim {
namespace {

using dataplane::Connection;
using dataplane::ReadyConnection;

constexpr uint32_t kIdLength = 4;
constexpr uint32_t kUnknown = 0xffffffff;
// Bytes that a session moves in one turn, each way.
constexpr uint32_t kTurnBudget = 64 * 1024;

}  // namespace

struct StreamApp::Session {
  Session(uint64_t seed, uint64_t stream)
      : rng(seed, stream), moves(seed, stream + 0x30e50000) {}

  Connection connection;
  uint32_t number = kUnknown;
  const SidePlan* plan = nullptr;
  SideRecord* record = nullptr;
  Rng rng;
  Rng moves;  // so that moving changes nothing else
  StreamBytes sends;
  StreamBytes receives;
  uint64_t expects = 0;  // bytes from the peer, all in all
  std::array<uint8_t, kIdLength> id{};
  uint32_t id_done = 0;  // bytes of it sent or received
  bool opened = false;
  bool paused = false;
  bool blocked = false;  // waits for kWritable
  bool shut = false;
  bool over = false;
  bool given_up = false;
  bool on_the_way = false;  // to another core: nothing can be done to it
  dataplane::Packet* held = nullptr;  // taken, not sent back yet
};

StreamApp::StreamApp(Ledger* ledger, Side side)
    : ledger_(*ledger), side_(side) {}
StreamApp::~StreamApp() = default;

void StreamApp::Wrong(const Session& s, const char* what) {
  ledger_.Fail(absl::StrCat("connection ", s.number, ", ",
                            side_ == kClient ? "client" : "server", ": ", what,
                            " (received ", s.record ? s.record->received : 0,
                            " of ", s.expects, ")"));
}

void StreamApp::Connect(dataplane::TcpLayer& layer, uint32_t number,
                        Ipv4Address remote, uint16_t application,
                        uint16_t local_port) {
  uint16_t profile = dataplane::Profiles::kDefault;
  if (const auto congestion = ledger_.plans[number].congestion) {
    tcp::Config options = layer.config();
    options.congestion = *congestion;
    profile = layer.AcquireProfile(options);
  }
  auto connection = layer.Connect(remote, kStreamPort, application,
                                  Ipv4Address(), local_port, profile);
  if (profile != dataplane::Profiles::kDefault) layer.ReleaseProfile(profile);
  if (!connection.ok()) {
    ledger_.records[number].side[side_].refused = true;
    ++ledger_.over[side_];
    return;
  }
  auto session = std::make_unique<Session>(ledger_.seed, 0xc11e0000 + number);
  session->connection = *connection;
  session->number = number;
  StoreBe32(session->id.data(), number);
  Identify(*session);
  sessions_.push_back(std::move(session));
  connection->set_app_data(static_cast<uint32_t>(sessions_.size()));
}

// The session knows its number: looks up what it is to do.
void StreamApp::Identify(Session& s) {
  const ConnectionPlan& plan = ledger_.plans[s.number];
  const Side peer = side_ == kClient ? kServer : kClient;
  s.plan = &plan.side[side_];
  s.record = &ledger_.records[s.number].side[side_];
  s.sends = StreamBytes(ledger_.seed, s.number, side_);
  s.receives = StreamBytes(ledger_.seed, s.number, peer);
  if (plan.side[kServer].echo && side_ == kClient) s.receives = s.sends;
  s.expects = plan.BytesFrom(peer);
  s.connection.SetNoDelay(s.plan->nodelay);
}

StreamApp::Session* StreamApp::SessionOf(Connection c) {
  const uint32_t slot = c.app_data();
  if (slot > 0) return sessions_[slot - 1].get();
  const uint64_t stream = 0x5e4e0000 + sessions_.size();
  sessions_.push_back(std::make_unique<Session>(ledger_.seed, stream));
  sessions_.back()->connection = c;
  c.set_app_data(static_cast<uint32_t>(sessions_.size()));
  return sessions_.back().get();
}

void StreamApp::OnConnections(std::span<ReadyConnection> ready, Time /*now*/) {
  for (const ReadyConnection& r : ready) {
    Session& s = *SessionOf(r.connection);
    if (s.over) {
      Wrong(s, "was told of a connection that it has ended");
      continue;
    }
    if ((r.events & dataplane::kOpened) != 0) s.opened = true;
    if ((r.events & dataplane::kGone) != 0) {
      OnGone(s);
      continue;
    }
    if (!s.opened) Wrong(s, "events before kOpened");
    if ((r.events & dataplane::kTimer) != 0) s.paused = false;
    if ((r.events & dataplane::kWritable) != 0) s.blocked = false;
    if (!s.paused) Pump(s);
    if (!s.over) MaybeMove(s);
  }
}

void StreamApp::MaybeMove(Session& s) {
  if (ledger_.move_ppm == 0 || !s.moves.ChancePpm(ledger_.move_ppm)) return;
  s.connection.MoveTo(static_cast<uint16_t>(s.moves.Below(4)));
}

// A held packet is of this core's pool.
bool StreamApp::OnLeave(Connection connection, std::vector<uint8_t>& luggage) {
  Session& s = *SessionOf(connection);
  if (s.held != nullptr) return false;
  if (s.over) Wrong(s, "was asked for a connection that it has ended");
  luggage.resize(4);
  StoreBe32(luggage.data(), s.number);
  s.on_the_way = true;
  return true;
}

void StreamApp::OnArrive(Connection connection,
                         std::span<const uint8_t> luggage) {
  Session& s = *SessionOf(connection);
  if (luggage.size() != 4 || LoadBe32(luggage.data()) != s.number ||
      !s.on_the_way) {
    Wrong(s, "arrived otherwise than it left");
  }
  s.connection = connection;
  s.on_the_way = false;
  if (!s.given_up) return;
  s.connection.Abort();
  if (s.record != nullptr) s.record->let_go = true;
  End(s);
}

void StreamApp::OnLost(uint32_t app_data,
                       std::span<const uint8_t> /*luggage*/) {
  Session& s = *sessions_[app_data - 1];
  s.on_the_way = false;
  if (s.record != nullptr) {
    s.record->gone = true;
    s.record->error = tcp::Error::kAborted;
  }
  End(s);
}

void StreamApp::OnGone(Session& s) {
  if (s.held != nullptr) s.connection.FreePacket(s.held);
  s.held = nullptr;
  if (s.record != nullptr) {
    s.record->gone = true;
    s.record->error = s.connection.error();
  }
  End(s);
}

void StreamApp::End(Session& s) {
  s.over = true;
  ++ledger_.over[side_];
}

void StreamApp::Pump(Session& s) {
  if (side_ == kServer && s.plan == nullptr) {
    while (s.id_done < kIdLength && s.connection.readable() > 0) {
      s.id[s.id_done++] = s.connection.Front()[0];
      s.connection.Consume(1);
    }
    if (s.id_done < kIdLength) {
      // The client closed (or broke) before it said who it is.
      if (!s.connection.at_end()) return;
      s.connection.Close();
      End(s);
      return;
    }
    s.number = LoadBe32(s.id.data());
    if (s.number >= ledger_.plans.size()) {
      Wrong(s, "no such connection");
      s.connection.Abort();
      End(s);
      return;
    }
    if (ledger_.records[s.number].side[side_].opened) {
      if (!ledger_.replays) Wrong(s, "the same connection again");
      s.connection.Abort();
      s.over = true;  // the first one is judged
      return;
    }
    Identify(s);
  }
  s.record->opened = true;
  uint32_t read_budget = kTurnBudget;
  uint32_t write_budget = kTurnBudget;
  if (s.plan->echo) {
    ReadEcho(s, read_budget);
  } else {
    ReadSome(s, read_budget);
    WriteSome(s, write_budget);
  }
  if (!ledger_.failure.empty() || MaybeEnd(s)) return;
  MaybePause(s, read_budget == 0 || write_budget == 0);
}

void StreamApp::ReadSome(Session& s, uint32_t& budget) {
  while (budget > 0) {
    const ByteView front = s.connection.Front();
    if (front.empty()) {
      if (s.connection.readable() > 0) Wrong(s, "readable, but nothing there");
      return;
    }
    const uint32_t n = std::min({static_cast<uint32_t>(front.size()),
                                 s.rng.Between(1, s.plan->max_read), budget});
    if (s.record->received + n > s.expects) {
      Wrong(s, "more bytes than were sent");
      return;
    }
    if (!s.receives.Matches(s.record->received, front.first(n))) {
      Wrong(s, "wrong bytes");
      return;
    }
    s.record->received += n;
    s.connection.Consume(n);
    budget -= n;
  }
}

// Sends back what comes, as packets or as copies.
void StreamApp::ReadEcho(Session& s, uint32_t& budget) {
  while (budget > 0) {
    if (s.held == nullptr && s.connection.readable() > 0 &&
        s.rng.ChancePpm(200'000)) {
      const ByteView front = s.connection.Front();
      const uint32_t n = s.connection.Send(front);
      s.record->received += n;
      s.record->sent += n;
      const bool all = n == front.size();
      s.connection.Consume(n);
      budget -= std::min(budget, n);
      if (!all) return;
      continue;
    }
    if (s.held == nullptr && s.rng.ChancePpm(500'000)) {
      const auto n = static_cast<uint32_t>(s.connection.Front().size());
      if (s.connection.ReturnFront()) {
        s.record->received += n;
        s.record->sent += n;
        budget -= std::min(budget, n);
        continue;
      }
    }
    if (s.held == nullptr) s.held = s.connection.TakeFront();
    if (s.held == nullptr) return;
    uint32_t n = s.held->data_len;
    if (s.connection.SendPacket(s.held)) {
      s.held = nullptr;
    } else {
      s.blocked = true;
      // One that the send buffer can never take as it is goes out in pieces.
      if (n <= ledger_.send_buffer[side_]) return;
      n = s.connection.Send(dataplane::BytesOf(s.held));
      dataplane::TrimFront(s.held, static_cast<uint16_t>(n));
    }
    s.record->received += n;
    s.record->sent += n;
    budget -= std::min(budget, n);
    if (s.held != nullptr) return;
  }
}

void StreamApp::WriteSome(Session& s, uint32_t& budget) {
  if (s.shut || s.blocked) return;
  while (side_ == kClient && s.id_done < kIdLength) {
    const uint32_t n = s.connection.Send(ByteView(s.id).subspan(s.id_done));
    s.id_done += n;
    if (n == 0) {
      s.blocked = true;
      return;
    }
  }
  while (budget > 0 && s.record->sent < s.plan->bytes) {
    const uint64_t left = s.plan->bytes - s.record->sent;
    const uint32_t size = std::min(s.rng.Between(1, s.plan->max_write), budget);
    const ByteView bytes =
        s.sends.At(s.record->sent, std::min<uint64_t>(left, size));
    const uint32_t n = s.plan->use_static ? s.connection.SendStatic(bytes)
                                          : s.connection.Send(bytes);
    s.record->sent += n;
    budget -= n;
    if (n < bytes.size()) {
      s.blocked = true;
      return;
    }
  }
}

// True if the session is over.
bool StreamApp::MaybeEnd(Session& s) {
  using Ending = SidePlan::Ending;
  const bool at_end = s.connection.at_end();
  const bool id_sent = side_ == kServer || s.id_done == kIdLength;
  const bool all_sent =
      id_sent && (s.plan->echo ? at_end && s.held == nullptr
                               : s.record->sent == s.plan->bytes);
  if (s.plan->ending == Ending::kAbort && 2 * s.record->sent >= s.plan->bytes) {
    if (s.held != nullptr) s.connection.FreePacket(s.held);
    s.held = nullptr;
    s.connection.Abort();
    s.record->let_go = true;
    End(s);
    return true;
  }
  if (all_sent && s.plan->ending == Ending::kHasty) {
    s.connection.Close();
    s.record->let_go = true;
    End(s);
    return true;
  }
  if (all_sent && !s.shut) {
    s.connection.ShutdownSend();
    s.shut = true;
  }
  if (!all_sent || !at_end) return false;
  if (s.record->received != s.expects) Wrong(s, "end of stream too early");
  s.connection.Close();
  s.record->finished = true;
  End(s);
  return true;
}

// `more`: the turn's budget ended before the work did, and no event will come
// for what is left.
void StreamApp::MaybePause(Session& s, bool more) {
  const bool rest = s.plan->pause_ppm > 0 && s.rng.ChancePpm(s.plan->pause_ppm);
  if (!more && !rest) return;
  Duration pause{};
  if (rest) {
    const auto us = static_cast<uint32_t>(s.plan->longest_pause.count() / 1000);
    pause = Duration(int64_t{s.rng.Below(us + 1)} * 1000);
  }
  s.paused = true;
  s.connection.SetTimer(pause);
}

void StreamApp::GiveUp() {
  for (auto& s : sessions_) {
    if (s->over) continue;
    if (s->on_the_way) {
      s->given_up = true;
      continue;
    }
    // A connection without a number belongs to no plan that it could spoil.
    if (s->plan != nullptr && !ledger_.may_break &&
        !ledger_.plans[s->number].Breaks()) {
      continue;
    }
    if (s->held != nullptr) s->connection.FreePacket(s->held);
    s->held = nullptr;
    s->connection.Abort();
    if (s->record != nullptr) s->record->let_go = true;
    End(*s);
  }
}

void StreamApp::Die() {
  for (auto& s : sessions_) {
    if (s->over) continue;
    if (s->record != nullptr) s->record->gone = true;
    End(*s);
  }
}

void StreamApp::LetGo() {
  for (auto& s : sessions_) {
    if (s->held != nullptr) s->connection.FreePacket(s->held);
    s->held = nullptr;
  }
}

}  // namespace corelane::sim
