#include "dataplane/load/stateless_hold.h"

#include <algorithm>

namespace corelane::dataplane {
namespace {

using Event = StatelessAnswer::Event;

constexpr uint32_t kConnectsPerTurn = 64;
// Without a rate, so many wait for an answer at once: a server's queue of SYNs
// has room for them.
constexpr uint64_t kUnansweredAtOnce = 256;
// So many failures in a row say that the others would fail, too.
constexpr uint64_t kHopeless = 1000;
// For the last resets: what a device has not carried when it is closed is lost.
constexpr Duration kAfterResets = 100ms;

}  // namespace

StatelessHold::StatelessHold(const LoadConfig& load, double open_rate,
                             const StatelessConfig& client)
    : Load(load),
      client_(load, client),
      opening_(load.timeout),
      open_pace_(std::max(open_rate, 1.0), false, load.seed),
      open_rate_(open_rate) {}

bool StatelessHold::AllTried() const {
  return tried_ == config_.concurrency || failed_in_a_row_ >= kHopeless;
}

// Whether the target's MAC address is known.
bool StatelessHold::Started(Time now) {
  if (began_opening_ != kTimeNever) return true;
  switch (client_.Resolve(now, config_.timeout)) {
    case StatelessClient::State::kAsking:
      return false;
    case StatelessClient::State::kNobody:
      why_ = client_.why();
      tally_.Note(Outcome::kUnreachable);
      over_ = true;
      return false;
    case StatelessClient::State::kReady:
      began_opening_ = now;
      open_pace_.Start(now);
  }
  return true;
}

Time StatelessHold::OnTurn(Time now) {
  if (over_) return kTimeNever;
  client_.Flush();
  if (stopped()) {
    client_.Close();
    over_ = true;
    return kTimeNever;
  }
  if (!Started(now)) return over_ ? kTimeNever : client_.again();
  Fail(Outcome::kLost, opening_.Expire(now));
  if (!began()) {
    OpenSome(now);
    if (!AllTried() || opening_.open() > 0) {
      if (AllTried()) return opening_.NextExpiry();
      if (open_rate_ > 0) {
        return std::min(opening_.NextExpiry(), open_pace_.next());
      }
      return opening_.open() < kUnansweredAtOnce ? now + 1us
                                                 : opening_.NextExpiry();
    }
    tally_.opening = now - began_opening_;
    Begin(now);
  }
  if (!Over(now)) return end();
  const Time next = ResetAll(now);
  if (next == kTimeNever) {
    client_.Close();
    over_ = true;
  }
  return next;
}

void StatelessHold::OpenSome(Time now) {
  uint32_t most = std::min(client_.Room(), kConnectsPerTurn);
  for (; most > 0 && !AllTried(); --most) {
    if (open_rate_ > 0 ? open_pace_.next() > now
                       : opening_.open() >= kUnansweredAtOnce) {
      return;
    }
    if (!client_.Open(now)) return;
    if (open_rate_ > 0) open_pace_.Take();
    opening_.Begin(client_.Rounded(now), now);
    ++tried_;
  }
}

void StatelessHold::Fail(Outcome outcome, uint64_t n) {
  tally_.outcomes[static_cast<size_t>(outcome)] += n;
  failed_in_a_row_ += n;
}

Time StatelessHold::ResetAll(Time now) {
  if (leave_ != kTimeNever) return now < leave_ ? leave_ : kTimeNever;
  if (reset_ == 0) client_.Rewind();
  for (uint32_t room = client_.Room(); room > 0 && reset_ < tried_; --room) {
    if (!client_.Reset()) break;
    ++reset_;
  }
  if (reset_ < tried_) return now + 1us;
  leave_ = now + kAfterResets;
  return leave_;
}

uint32_t StatelessHold::OnFrames(uint16_t interface, std::span<Packet*> burst,
                                 Time now) {
  uint32_t kept = 0;
  for (Packet* packet : burst) {
    const StatelessSeen seen = client_.Take(interface, packet, now);
    if (!seen.ours) {
      burst[kept++] = packet;
    } else if (reset_ == 0) {
      Note(seen, now);
    }
  }
  return kept;
}

void StatelessHold::Note(const StatelessSeen& seen, Time now) {
  tally_.bytes_in += seen.bytes;
  const Time due = seen.due.value_or(now);
  switch (seen.event) {
    case Event::kOpened:
      // One that comes again, or too late, was counted.
      if (!(seen.due ? opening_.End(due) : opening_.EndAny())) break;
      ++tally_.opened;
      failed_in_a_row_ = 0;
      if (seen.due) tally_.handshake.Record(now - due);
      break;
    case Event::kRefused:
      if (opening_.EndAny()) Fail(Outcome::kRefused, 1);
      break;
    case Event::kReset:
      ++tally_.ended;
      tally_.Note(Outcome::kReset);
      break;
    case Event::kFinished:
      ++tally_.ended;
      tally_.Note(Outcome::kClosed);
      break;
    case Event::kForeign:
      ++tally_.foreign;
      break;
    case Event::kNone:
      break;
  }
}

}  // namespace corelane::dataplane
