#include "dataplane/load/tcp_load.h"

#include <algorithm>
#include <cstring>

#include "dataplane/load/tcp_outcome.h"
#include "dataplane/pipeline/tcp_layer.h"

namespace corelane::dataplane {
namespace {

// How many requests may wait for a connection before they count as not sent.
constexpr size_t kMaxBacklog = 1u << 20;
// Bounds what one turn begins, so that answers are looked at in between.
constexpr uint32_t kOpensPerTurn = 64;
constexpr uint32_t kRequestsPerTurn = 256;
// Source addresses that are tried when one has no port left.
constexpr size_t kMostTries = 16;
// After a connection has failed.
constexpr Duration kOpenAgain = 10ms;

ByteView BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

TcpLoad::TcpLoad(const TcpLoadConfig& config)
    : Load(config.load), options_(config), clients_(config.load.concurrency) {
  if (config.protocol == TcpLoadConfig::Protocol::kHttp) {
    readers_.resize(clients_.size());
  }
  for (uint32_t i = 0; i < clients_.size(); ++i) absent_.push_back(i);
  if (config.open_rate > 0) {
    open_pace_.emplace(config.open_rate, false, config.load.seed);
  }
}

bool TcpLoad::Finished() const { return over_ && busy_ == 0; }

Time TcpLoad::OnTurn(Time now) {
  GiveUpLate(now);
  if (!began() && !Over(now)) {
    if (busy_ == 0) Greet(now);
    if (!began()) return waits_.front().until;
  }
  if (Over(now)) {
    if (!over_) AssignDue(now, ~0u);  // what a late turn has left
    over_ = true;
    for (; !backlog_.empty(); backlog_.pop_front()) {
      if (Counts(backlog_.front())) {
        TallyOf(backlog_.front()).Note(Outcome::kNotSent);
      }
    }
    return waits_.empty() ? kTimeNever : waits_.front().until;
  }
  OpenSome(now);
  AssignDue(now, kRequestsPerTurn);
  Time next = end();
  if (pace_) next = std::min(next, pace_->next());
  if (!waits_.empty()) next = std::min(next, waits_.front().until);
  if (!absent_.empty() && !options_.connection_per_request) {
    next = std::min(
        next, std::max(open_again_, open_pace_ ? open_pace_->next() : now));
  } else if (!absent_.empty() && (closed_loop() || !backlog_.empty())) {
    next = std::min(next, std::max(open_again_, now));
  }
  return next;
}

// The first connection, alone.
void TcpLoad::Greet(Time now) {
  const uint32_t client = absent_.front();
  absent_.pop_front();
  clients_[client].due = now;
  if (!Open(client, now)) Go(now);
}

void TcpLoad::Go(Time now) {
  Begin(now);
  if (open_pace_) open_pace_->Start(now);
}

// Connections that are to be there without being asked for.
void TcpLoad::OpenSome(Time now) {
  if (now < open_again_) return;
  for (uint32_t n = 0; n < kOpensPerTurn && !absent_.empty(); ++n) {
    if (options_.connection_per_request) {
      if (!closed_loop() && backlog_.empty()) return;
    } else if (open_pace_) {
      if (open_pace_->next() > now) return;
      open_pace_->Take();
    }
    const uint32_t client = absent_.front();
    absent_.pop_front();
    Client& c = clients_[client];
    c.has_request = options_.connection_per_request;
    c.due = now;
    if (c.has_request && !closed_loop()) {
      c.due = backlog_.front();
      backlog_.pop_front();
    }
    if (!Open(client, now)) return;
  }
}

void TcpLoad::AssignDue(Time now, uint32_t most) {
  if (!pace_ || stopped()) return;
  for (uint32_t n = 0;
       n < most && pace_->next() <= now && pace_->next() < end(); ++n) {
    Assign(pace_->Take(), now);
  }
}

void TcpLoad::Assign(Time due, Time now) {
  if (!options_.connection_per_request && !ready_.empty()) {
    const uint32_t client = ready_.front();
    ready_.pop_front();
    Ask(client, due, now);
    return;
  }
  if (options_.connection_per_request && !absent_.empty() && backlog_.empty() &&
      now >= open_again_) {
    const uint32_t client = absent_.front();
    absent_.pop_front();
    clients_[client].has_request = true;
    clients_[client].due = due;
    Open(client, now);
    return;
  }
  if (backlog_.size() < kMaxBacklog) {
    backlog_.push_back(due);
  } else if (Counts(due)) {
    TallyOf(due).Note(Outcome::kNotSent);
  }
}

bool TcpLoad::Open(uint32_t client, Time now) {
  Client& c = clients_[client];
  const size_t tries =
      std::clamp<size_t>(config_.sources.size(), 1, kMostTries);
  for (size_t i = 0; i < tries; ++i) {
    Ipv4Address source;
    if (!config_.sources.empty()) {
      source = config_.sources[next_source_++ % config_.sources.size()];
    }
    auto opened =
        tcp_->Connect(config_.target.address, config_.target.port, id_, source);
    if (!opened.ok()) continue;
    c.connection = *opened;
    c.connection.set_app_data(client);
    c.connection.SetNoDelay(true);
    c.phase = Phase::kOpening;
    ++busy_;
    WaitFor(client, now);
    return true;
  }
  // No port, no block or no route.
  if (c.has_request) Note(c, Outcome::kUnreachable);
  Absent(client, now);
  return false;
}

void TcpLoad::WaitFor(uint32_t client, Time now) {
  waits_.push_back({client, ++clients_[client].serial, now + config_.timeout});
}

void TcpLoad::Ask(uint32_t client, Time due, Time now) {
  Client& c = clients_[client];
  c.due = due;
  c.phase = Phase::kBusy;
  c.sent = c.got = 0;
  ++busy_;
  if (!readers_.empty()) readers_[client].Reset();
  if (Counts(due)) {
    Tally& tally = TallyOf(due);
    ++tally.sent;
    tally.bytes_out += options_.request.size();
  }
  WaitFor(client, now);
  SendRest(c);
}

void TcpLoad::SendRest(Client& c) {
  const ByteView all = BytesOf(options_.request);
  if (c.sent < all.size()) c.sent += c.connection.Send(all.subspan(c.sent));
}

void TcpLoad::OnConnections(std::span<ReadyConnection> ready, Time now) {
  for (const ReadyConnection& r : ready) {
    const uint32_t client = r.connection.app_data();
    Client& c = clients_[client];
    if ((r.events & kGone) != 0) {
      Lost(client, OutcomeOf(c.connection.error()), now);
      continue;
    }
    if ((r.events & kOpened) != 0) {
      ++open_;
      ++tally_.opened;
      --busy_;
      if (!began()) Go(now);
      if (c.has_request) {
        Ask(client, c.due, now);
      } else if (options_.connection_per_request) {
        c.connection.Close();  // it was to greet
        --open_;
        Absent(client, now);
        continue;
      } else {
        Ready(client, now);
      }
    }
    if (c.phase == Phase::kBusy && (r.events & kWritable) != 0) SendRest(c);
    if ((r.events & (kReadable | kPeerClosed)) != 0) Read(client, now);
  }
}

void TcpLoad::Read(uint32_t client, Time now) {
  Client& c = clients_[client];
  const uint32_t readable = c.connection.readable();
  if (readable > 0 && c.phase != Phase::kBusy) {
    // Nobody has asked for that.
    c.connection.Abort();
    Lost(client, Outcome::kWrong, now);
    return;
  }
  if (readers_.empty()) {
    ReadEcho(client, now);
  } else {
    ReadHttp(client, now);
  }
  if (c.phase != Phase::kAbsent && c.connection.at_end()) OnEnd(client, now);
}

void TcpLoad::ReadEcho(uint32_t client, Time now) {
  Client& c = clients_[client];
  while (c.phase == Phase::kBusy && c.connection.readable() > 0) {
    const ByteView front = c.connection.Front();
    const size_t n =
        std::min<size_t>(front.size(), options_.request.size() - c.got);
    const bool right =
        n == front.size() &&
        std::memcmp(front.data(), options_.request.data() + c.got, n) == 0;
    if (!right) {
      c.connection.Abort();
      Lost(client, Outcome::kWrong, now);
      return;
    }
    if (Counts(c.due)) TallyOf(c.due).bytes_in += n;
    c.connection.Consume(static_cast<uint32_t>(n));
    c.got += static_cast<uint32_t>(n);
    if (c.got == options_.request.size()) {
      Answered(client, !options_.connection_per_request, now);
    }
  }
}

void TcpLoad::ReadHttp(uint32_t client, Time now) {
  using State = http::AnswerReader::State;
  Client& c = clients_[client];
  http::AnswerReader& reader = readers_[client];
  while (c.phase == Phase::kBusy && c.connection.readable() > 0) {
    const ByteView front = c.connection.Front();
    const size_t n = reader.Feed(front);
    const bool too_much = n < front.size();
    if (Counts(c.due)) TallyOf(c.due).bytes_in += n;
    if (n > 0) c.connection.Consume(static_cast<uint32_t>(n));
    const bool complete = reader.state() == State::kComplete;
    if (reader.state() == State::kBad || (complete && too_much)) {
      c.connection.Abort();
      Lost(client, Outcome::kWrong, now);
      return;
    }
    if (complete) {
      Answered(client, !options_.connection_per_request && !reader.will_close(),
               now);
    }
  }
}

// The server's stream has ended.
void TcpLoad::OnEnd(uint32_t client, Time now) {
  Client& c = clients_[client];
  if (c.phase == Phase::kBusy && !readers_.empty()) {
    readers_[client].End();
    if (readers_[client].state() == http::AnswerReader::State::kComplete) {
      Answered(client, false, now);
    }
  }
  c.connection.Close();
  if (c.phase == Phase::kLeaving) {  // as it was asked to
    --open_;
    Absent(client, now);
    return;
  }
  Lost(client, Outcome::kClosed, now);
}

void TcpLoad::Answered(uint32_t client, bool keep, Time now) {
  Client& c = clients_[client];
  --busy_;
  ++c.serial;
  const bool right =
      readers_.empty() || readers_[client].status() == options_.expected_status;
  Note(c, right ? Outcome::kOk : Outcome::kWrong);
  if (right && Counts(c.due)) TallyOf(c.due).latency.Record(now - c.due);
  if (keep) {
    Ready(client, now);
    return;
  }
  if (!readers_.empty()) {
    c.phase = Phase::kLeaving;  // so that TIME-WAIT is the server's
    WaitFor(client, now);
    return;
  }
  c.connection.Close();
  --open_;
  Absent(client, now);
}

void TcpLoad::Ready(uint32_t client, Time now) {
  if (!Over(now)) {
    if (closed_loop()) {
      Ask(client, now, now);
      return;
    }
    if (!backlog_.empty()) {
      const Time due = backlog_.front();
      backlog_.pop_front();
      Ask(client, due, now);
      return;
    }
  }
  clients_[client].phase = Phase::kReady;
  ready_.push_back(client);
}

void TcpLoad::Lost(uint32_t client, Outcome outcome, Time now) {
  const Client& c = clients_[client];
  switch (c.phase) {
    case Phase::kOpening:
      --busy_;
      if (!began()) Go(now);
      Note(c, outcome);
      open_again_ = now + kOpenAgain;
      break;
    case Phase::kBusy:
      --busy_;
      --open_;
      Note(c, outcome);
      break;
    case Phase::kReady:
      ready_.erase(std::find(ready_.begin(), ready_.end(), client));
      // It took connections only to end them: not again at once.
      open_again_ = now + kOpenAgain;
      [[fallthrough]];
    case Phase::kLeaving:
      --open_;
      tally_.Note(outcome);
      break;
    case Phase::kAbsent:
      return;
  }
  Absent(client, now);
}

void TcpLoad::Absent(uint32_t client, Time now) {
  Client& c = clients_[client];
  ++c.serial;
  c.phase = Phase::kAbsent;
  c.has_request = false;
  absent_.push_back(client);
  if (c.connection.index() == tcp::kNoIndex) open_again_ = now + kOpenAgain;
  c.connection = Connection();
}

void TcpLoad::Note(const Client& c, Outcome outcome) {
  if (Counts(c.due)) TallyOf(c.due).Note(outcome);
}

void TcpLoad::GiveUpLate(Time now) {
  while (!waits_.empty()) {
    const Wait wait = waits_.front();
    Client& c = clients_[wait.client];
    const bool current = c.serial == wait.serial && c.phase != Phase::kReady;
    if (current && wait.until > now) return;
    waits_.pop_front();
    if (!current) continue;
    c.connection.Abort();
    Lost(wait.client, Outcome::kTimedOut, now);
  }
}

}  // namespace corelane::dataplane
