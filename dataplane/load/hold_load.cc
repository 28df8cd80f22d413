#include "dataplane/load/hold_load.h"

#include <algorithm>
#include <cstring>

#include "dataplane/load/tcp_outcome.h"
#include "dataplane/pipeline/tcp_layer.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kNone = 0xffffffff;
constexpr uint32_t kOpensPerTurn = 128;
constexpr uint32_t kRequestsPerTurn = 256;
// Without a rate, so many wait for an answer at once: a server's queue of SYNs
// has room for them.
constexpr uint32_t kOpeningAtOnce = 256;
constexpr size_t kMaxBacklog = 1u << 20;
// So many failures in a row say that the others would fail, too.
constexpr uint32_t kGiveUpAfter = 1000;

ByteView BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

HoldLoad::HoldLoad(const HoldLoadConfig& config)
    : Load(config.load),
      options_(config),
      active_(config.active),
      open_pace_(std::max(config.open_rate, 1.0), false, config.load.seed) {
  clients_.reserve(config.load.concurrency);
}

Connection HoldLoad::ConnectionOf(uint32_t client) const {
  return {tcp_, clients_[client].connection};
}

// They are spread evenly over all.
uint32_t HoldLoad::ActiveOf(uint32_t client) const {
  const uint64_t all = config_.concurrency;
  const uint64_t number = uint64_t{client} * active_.size() / all;
  const uint64_t next = (uint64_t{client} + 1) * active_.size() / all;
  return next > number ? static_cast<uint32_t>(number) : kNone;
}

bool HoldLoad::AllTried() const {
  return clients_.size() == config_.concurrency ||
         failed_in_a_row_ >= kGiveUpAfter;
}

Time HoldLoad::OnTurn(Time now) {
  GiveUpLate(now);
  if (over_) return asked_.empty() ? kTimeNever : asked_.front().until;
  if (!began() && !stopped()) OpenSome(now);
  if (!began() && AllTried() && pending_ == 0) {
    tally_.opening = now - began_opening_;
    Begin(now);
  }
  AskDue(now);
  if (Over(now)) {
    over_ = true;
    for (; !backlog_.empty(); backlog_.pop_front()) {
      if (Counts(backlog_.front())) {
        TallyOf(backlog_.front()).Note(Outcome::kNotSent);
      }
    }
    return asked_.empty() ? kTimeNever : asked_.front().until;
  }
  Time next = end();
  if (began() && pace_) next = std::min(next, pace_->next());
  if (!asked_.empty()) next = std::min(next, asked_.front().until);
  if (!opening_.empty()) next = std::min(next, opening_.front().until);
  if (greeted_ && !AllTried()) {
    if (options_.open_rate > 0) {
      next = std::min(next, std::max(open_pace_.next(), now));
    } else if (pending_ < kOpeningAtOnce) {
      next = now;
    }
  }
  return next;
}

void HoldLoad::OpenSome(Time now) {
  if (clients_.empty()) {  // the first one finds the server's MAC address
    Open(now);
    return;
  }
  if (!greeted_) return;
  for (uint32_t n = 0; n < kOpensPerTurn && !AllTried(); ++n) {
    if (options_.open_rate > 0) {
      if (open_pace_.next() > now) return;
      open_pace_.Take();
    } else if (pending_ >= kOpeningAtOnce) {
      return;
    }
    Open(now);
  }
}

void HoldLoad::Open(Time now) {
  const auto client = static_cast<uint32_t>(clients_.size());
  clients_.emplace_back();
  ++pending_;
  Ipv4Address source;
  if (!config_.sources.empty()) {
    source = config_.sources[client % config_.sources.size()];
  }
  auto opened =
      tcp_->Connect(config_.target.address, config_.target.port, id_, source);
  if (!opened.ok()) {  // no port, no block or no route
    Lost(client, Outcome::kUnreachable, now);
    return;
  }
  clients_[client].connection = opened->index();
  opened->set_app_data(client);
  opened->SetNoDelay(true);
  opening_.push_back({client, now + config_.timeout});
}

// The first one has an answer.
void HoldLoad::Greeted(Time now) {
  if (greeted_) return;
  greeted_ = true;
  began_opening_ = now;
  open_pace_.Start(now);
}

void HoldLoad::OnOpened(uint32_t client, Time now) {
  clients_[client].phase = Phase::kHeld;
  --pending_;
  ++tally_.opened;
  failed_in_a_row_ = 0;
  Greeted(now);
  const uint32_t active = ActiveOf(client);
  if (active == kNone) return;
  active_[active].client = client;
  idle_.push_back(active);
}

void HoldLoad::OnConnections(std::span<ReadyConnection> ready, Time now) {
  for (const ReadyConnection& r : ready) {
    const uint32_t client = r.connection.app_data();
    if ((r.events & kGone) != 0) {
      Lost(client, OutcomeOf(r.connection.error()), now);
      continue;
    }
    if ((r.events & kOpened) != 0) OnOpened(client, now);
    const uint32_t active = ActiveOf(client);
    if ((r.events & kWritable) != 0 && active != kNone &&
        active_[active].busy) {
      SendRest(active_[active]);
    }
    if ((r.events & (kReadable | kPeerClosed)) != 0) Read(client, now);
  }
}

void HoldLoad::AskDue(Time now) {
  if (!began() || !pace_ || stopped()) return;
  // What a late turn has left goes out as well.
  const uint32_t most = Over(now) ? ~0u : kRequestsPerTurn;
  for (uint32_t n = 0;
       n < most && pace_->next() <= now && pace_->next() < end(); ++n) {
    const Time due = pace_->Take();
    while (!idle_.empty() && !IsHeld(active_[idle_.front()].client)) {
      idle_.pop_front();  // it has gone since
    }
    if (!idle_.empty()) {
      const uint32_t active = idle_.front();
      idle_.pop_front();
      Ask(active, due, now);
    } else if (backlog_.size() < kMaxBacklog) {
      backlog_.push_back(due);
    } else if (Counts(due)) {
      TallyOf(due).Note(Outcome::kNotSent);
    }
  }
}

void HoldLoad::Ask(uint32_t active, Time due, Time now) {
  Active& a = active_[active];
  a.due = due;
  a.busy = true;
  a.sent = a.got = 0;
  ++a.serial;
  if (Counts(due)) {
    Tally& tally = TallyOf(due);
    ++tally.sent;
    tally.bytes_out += options_.request.size();
  }
  asked_.push_back({active, a.serial, now + config_.timeout});
  SendRest(a);
}

void HoldLoad::SendRest(Active& a) {
  const ByteView all = BytesOf(options_.request);
  if (a.sent < all.size()) {
    a.sent += ConnectionOf(a.client).Send(all.subspan(a.sent));
  }
}

void HoldLoad::Read(uint32_t client, Time now) {
  Connection connection = ConnectionOf(client);
  const uint32_t active = ActiveOf(client);
  while (connection.readable() > 0) {
    const ByteView front = connection.Front();
    Active* a = active == kNone ? nullptr : &active_[active];
    const std::string& wanted = options_.request;
    if (a == nullptr || !a->busy || front.size() > wanted.size() - a->got ||
        std::memcmp(front.data(), wanted.data() + a->got, front.size()) != 0) {
      connection.Abort();
      Lost(client, Outcome::kWrong, now);
      return;
    }
    const auto n = static_cast<uint32_t>(front.size());
    a->got += n;
    connection.Consume(n);
    if (Counts(a->due)) TallyOf(a->due).bytes_in += n;
    if (a->got < wanted.size()) continue;
    a->busy = false;
    ++a->serial;
    if (Counts(a->due)) {
      TallyOf(a->due).Note(Outcome::kOk);
      TallyOf(a->due).latency.Record(now - a->due);
    }
    if (!over_ && !backlog_.empty()) {
      const Time due = backlog_.front();
      backlog_.pop_front();
      Ask(active, due, now);
    } else {
      idle_.push_back(active);
    }
  }
  if (connection.at_end()) {
    connection.Close();
    Lost(client, Outcome::kClosed, now);
  }
}

void HoldLoad::Lost(uint32_t client, Outcome outcome, Time now) {
  Client& c = clients_[client];
  if (c.phase == Phase::kGone) return;
  if (c.phase == Phase::kOpening) {
    --pending_;
    ++failed_in_a_row_;
    Greeted(now);
  } else {
    ++tally_.ended;
    const uint32_t active = ActiveOf(client);
    if (active != kNone && active_[active].busy) {
      active_[active].busy = false;
      ++active_[active].serial;
    }
  }
  c.phase = Phase::kGone;
  tally_.Note(outcome);
}

void HoldLoad::GiveUpLate(Time now) {
  while (!opening_.empty()) {
    const Opening o = opening_.front();
    const bool waits = clients_[o.client].phase == Phase::kOpening;
    if (waits && o.until > now) break;
    opening_.pop_front();
    if (!waits) continue;
    ConnectionOf(o.client).Abort();
    Lost(o.client, Outcome::kTimedOut, now);
  }
  while (!asked_.empty()) {
    const Asked asked = asked_.front();
    const Active& a = active_[asked.active];
    const bool waits = a.busy && a.serial == asked.serial;
    if (waits && asked.until > now) break;
    asked_.pop_front();
    if (!waits) continue;
    ConnectionOf(a.client).Abort();
    Lost(a.client, Outcome::kTimedOut, now);
  }
}

}  // namespace corelane::dataplane
