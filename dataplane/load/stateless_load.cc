#include "dataplane/load/stateless_load.h"

#include <algorithm>

namespace corelane::dataplane {
namespace {

using Payload = StatelessAnswer::Payload;
using Event = StatelessAnswer::Event;

// A turn takes in 32 packets, and a connection has at least three: more would
// bring more answers than are looked at.
constexpr uint32_t kSynsPerTurn = 10;
// For the last segments: what a device has not carried when it is closed is
// lost, and a server may still repeat what it has sent.
constexpr Duration kLinger = 100ms;

}  // namespace

StatelessLoad::StatelessLoad(const LoadConfig& load,
                             const StatelessConfig& client)
    : Load(load),
      client_(load, client),
      open_(load.timeout),
      sums_(std::max<size_t>(1, SlicesOf(load))) {}

Time StatelessLoad::OnTurn(Time now) {
  if (over_) return kTimeNever;
  client_.Flush();
  if (!began() && !stopped()) {
    switch (client_.Resolve(now, config_.timeout)) {
      case StatelessClient::State::kAsking:
        return client_.again();
      case StatelessClient::State::kNobody:
        why_ = client_.why();
        tally_.Note(Outcome::kUnreachable);
        over_ = true;
        return kTimeNever;
      case StatelessClient::State::kReady:
        Begin(now);
    }
  }
  open_.Expire(now);
  if (!Over(now)) {
    Send(now);
    Time next = std::min(end(), open_.NextExpiry());
    if (pace_) return std::min(next, pace_->next());
    return open() < config_.concurrency ? now + 1us : next;
  }
  if (!stopped()) {
    if (pace_) Send(now);  // what a late turn has left
    if (pace_ && pace_->next() < end()) return now + 1us;
    if (open() > 0) return open_.NextExpiry();
    if (leave_ == kTimeNever) leave_ = now + kLinger;
    if (now < leave_) return leave_;
  }
  End();
  return kTimeNever;
}

void StatelessLoad::Send(Time now) {
  if (stopped()) return;
  uint64_t most = std::min<uint64_t>(client_.Room(), kSynsPerTurn);
  // An address and port that may still be in use is not used again.
  const uint64_t limit =
      std::min<uint64_t>(client_.flows(), config_.concurrency);
  most = std::min(most, limit - std::min(limit, open()));
  if (!pace_) {
    for (; most > 0; --most) Open(now, now);
    return;
  }
  constexpr uint32_t kGiveUpPerTurn = 4096;
  for (uint32_t n = 0; n < kGiveUpPerTurn; ++n) {
    const Time due = pace_->next();
    if (due > now || due >= end()) return;
    if (now - due > config_.timeout) {
      // It has waited too long.
      if (Counts(due)) TallyOf(due).Note(Outcome::kNotSent);
    } else if (most > 0) {
      --most;
      Open(due, now);
    } else {
      return;
    }
    pace_->Take();
  }
}

void StatelessLoad::Open(Time due, Time now) {
  const Time told = client_.Rounded(due);
  const bool sent = client_.Open(due);
  if (sent) open_.Begin(told, now);
  if (!Counts(told)) return;
  if (!sent) {
    TallyOf(told).Note(Outcome::kNotSent);
    return;
  }
  ++TallyOf(told).sent;
  ++SumOf(told).sent;
}

StatelessLoad::Sum& StatelessLoad::SumOf(Time due) {
  if (slices_.empty()) return sums_[0];
  return sums_[static_cast<size_t>(&TallyOf(due) - slices_.data())];
}

uint32_t StatelessLoad::OnFrames(uint16_t interface, std::span<Packet*> burst,
                                 Time now) {
  uint32_t kept = 0;
  for (Packet* packet : burst) {
    const StatelessSeen seen = client_.Take(interface, packet, now);
    if (!seen.ours) {
      burst[kept++] = packet;
    } else if (!over_) {
      Note(seen, now);
    }
  }
  return kept;
}

// A wrong answer that is repeated must not pass for a right one. Segments that
// begin no answer are the rest of right ones, as long as there are any.
Outcome StatelessLoad::EndOf(Sum& sum) {
  if (sum.wrong > 0) {
    --sum.wrong;
    return Outcome::kWrong;
  }
  if (sum.right > 0) {
    --sum.right;
    return Outcome::kOk;
  }
  if (sum.other > 0) {
    --sum.other;
    return Outcome::kWrong;
  }
  return Outcome::kClosed;
}

void StatelessLoad::Note(const StatelessSeen& seen, Time now) {
  if (seen.event == Event::kForeign) {
    ++tally_.foreign;
    return;
  }
  const Time due = seen.due.value_or(now);
  const bool ends = seen.event == Event::kFinished ||
                    seen.event == Event::kRefused ||
                    seen.event == Event::kReset;
  // What ends a second time is none of those that are open.
  const bool ended = ends && (seen.due ? open_.End(due) : open_.EndAny());
  if (!Counts(due)) return;
  Tally& tally = TallyOf(due);
  Sum& sum = SumOf(due);
  tally.bytes_out += seen.requested;
  if (seen.event == Event::kOpened) {
    ++tally.opened;
    if (seen.due) tally.handshake.Record(now - due);
  }
  if (seen.payload != Payload::kNone) NotePayload(seen, due, now);
  if (!ended) return;
  ++sum.ended;
  if (seen.event == Event::kFinished) {
    ++tally.finished;
    tally.Note(EndOf(sum));
  } else {
    tally.Note(seen.event == Event::kRefused ? Outcome::kRefused
                                             : Outcome::kReset);
  }
}

void StatelessLoad::NotePayload(const StatelessSeen& seen, Time due, Time now) {
  Tally& tally = TallyOf(due);
  Sum& sum = SumOf(due);
  tally.bytes_in += seen.bytes;
  switch (seen.payload) {
    case Payload::kRight:
      ++sum.right;
      if (seen.due) tally.latency.Record(now - due);
      break;
    case Payload::kWrong:
      ++sum.wrong;
      break;
    default:
      ++sum.other;
  }
}

void StatelessLoad::End() {
  over_ = true;
  client_.Close();
  for (size_t i = 0; i < sums_.size(); ++i) {
    Tally& tally = slices_.empty() ? tally_ : slices_[i];
    tally.outcomes[static_cast<size_t>(Outcome::kLost)] +=
        sums_[i].sent - std::min(sums_[i].sent, sums_[i].ended);
  }
}

}  // namespace corelane::dataplane
