#include "dataplane/load/bulk_load.h"

#include <algorithm>
#include <cstring>

#include "dataplane/app/chargen_text.h"
#include "dataplane/load/tcp_outcome.h"
#include "dataplane/pipeline/tcp_layer.h"

namespace corelane::dataplane {
namespace {

constexpr uint32_t kOpensPerTurn = 64;
constexpr Duration kOpenAgain = 100ms;  // after a connection has failed
// Of the text that is sent without being copied: long, lest segments end where
// it does.
constexpr size_t kSendPeriods = 64;
// Comparing wants the longest piece of a packet from any place on.
constexpr size_t kMaxPiece = 1u << 16;
// A rate is kept in portions of about this time's worth, and what could not
// move is made up for over this time at most.
constexpr double kPortionSeconds = 1e-3;
constexpr double kBurstSeconds = 0.1;
constexpr double kLeastPortion = 1460;
constexpr uint32_t kUnlimited = 0xffffffff;

double Seconds(Duration d) { return static_cast<double>(d.count()) / 1e9; }

LoadConfig WithoutPace(LoadConfig config) {
  config.rate = 0;
  return config;
}

double PortionOf(double rate) {
  return std::max(rate * kPortionSeconds, kLeastPortion);
}

}  // namespace

BulkLoad::BulkLoad(const BulkLoadConfig& config)
    : Load(WithoutPace(config.load)),
      options_(config),
      text_(config.way == BulkLoadConfig::Way::kSend
                ? kChargenPeriod * kSendPeriods
                : kChargenPeriod + kMaxPiece),
      streams_(config.load.concurrency) {
  WriteChargenText(text_.data(), text_.size());
  for (uint32_t i = 0; i < streams_.size(); ++i) absent_.push_back(i);
}

Duration BulkLoad::Lasted(Time now) const {
  if (now < counted_from_) return 0s;
  return std::min(now, counted_to_) - counted_from_;
}

Tally BulkLoad::TakeTally() {
  if (counting_) {
    SettleAll(now_);
    NoteSegments();
  }
  return Load::TakeTally();
}

Time BulkLoad::OnTurn(Time now) {
  now_ = now;
  if (over_) return kTimeNever;
  TurnCounting(now);
  if (over_) return kTimeNever;
  EarnAllowance(now);
  OpenSome(now);
  PumpWaiting(now);
  if (now >= look_at_) GiveUpStuck(now);
  Time next = std::min(look_at_, counting_ ? end() : CountFrom());
  if (!absent_.empty() && (began() || !greeted_)) {
    next = std::min(next, std::max(open_again_, now));
  }
  if (!waiting_.empty()) {
    const double missing = PortionOf(options_.load.rate) - allowance_;
    next = std::min(next, now + Duration(static_cast<int64_t>(std::max(
                                    missing / options_.load.rate * 1e9, 1.0))));
  }
  return next;
}

void BulkLoad::TurnCounting(Time now) {
  if (Over(now)) {
    SettleAll(now);
    if (counting_) {
      NoteSegments();
      counted_to_ = now;
    }
    counting_ = false;
    over_ = true;
    for (const Stream& s : streams_) {
      if (s.phase == Phase::kOpen && s.moved) tally_.Note(Outcome::kOk);
    }
  } else if (!counting_ && began() && now >= CountFrom()) {
    SettleAll(now);  // what came before does not count
    for (Stream& s : streams_) s.moved = false;
    NoteSegments();
    counting_ = true;
    counted_from_ = now;
  }
}

void BulkLoad::NoteSegments() {
  const tcp::Counters& c = tcp_->core().counters.tcp;
  if (counting_) {
    tally_.segments_in += c.segments_in - segments_in_;
    tally_.segments_out += c.segments_out - segments_out_;
  }
  segments_in_ = c.segments_in;
  segments_out_ = c.segments_out;
}

void BulkLoad::EarnAllowance(Time now) {
  const double rate = options_.load.rate;
  if (rate > 0 && began()) {
    const double most = std::max(rate * kBurstSeconds, PortionOf(rate));
    allowance_ = std::min(allowance_ + rate * Seconds(now - earned_at_), most);
  }
  earned_at_ = now;
}

uint32_t BulkLoad::Allowance() const {
  if (options_.load.rate <= 0) return kUnlimited;
  if (allowance_ < PortionOf(options_.load.rate)) return 0;
  return static_cast<uint32_t>(std::min(allowance_, 1e9));
}

void BulkLoad::OpenSome(Time now) {
  if (now < open_again_ || (greeted_ && !began())) return;
  // The first one alone: it finds the server's MAC address.
  const uint32_t most = greeted_ ? kOpensPerTurn : 1;
  greeted_ = true;
  for (uint32_t n = 0; n < most && !absent_.empty(); ++n) {
    const uint32_t stream = absent_.front();
    absent_.pop_front();
    Open(stream, now);
  }
}

void BulkLoad::Open(uint32_t stream, Time now) {
  Stream& s = streams_[stream];
  const bool waits = s.waits;
  s = {};
  s.waits = waits;
  s.moved_at = now;
  if (look_at_ == kTimeNever) look_at_ = now + config_.timeout;
  ++tally_.sent;
  Ipv4Address source;
  if (!config_.sources.empty()) {
    source = config_.sources[next_source_++ % config_.sources.size()];
  }
  auto opened =
      tcp_->Connect(config_.target.address, config_.target.port, id_, source);
  s.phase = Phase::kOpening;
  if (!opened.ok()) {  // no port, no block or no route
    Lost(stream, Outcome::kUnreachable, now);
    return;
  }
  s.connection = *opened;
  s.connection.set_app_data(stream);
}

void BulkLoad::OnConnections(std::span<ReadyConnection> ready, Time now) {
  now_ = now;
  EarnAllowance(now);
  for (const ReadyConnection& r : ready) {
    const uint32_t stream = r.connection.app_data();
    Stream& s = streams_[stream];
    if ((r.events & kGone) != 0) {
      Settle(s, now);
      Lost(stream, OutcomeOf(s.connection.error()), now);
      continue;
    }
    if ((r.events & kOpened) != 0) {
      s.phase = Phase::kOpen;
      s.moved_at = now;
      s.counted = s.connection.control_block().snd_una;
      ++tally_.opened;
      Begin(now);
    }
    Pump(stream, now);
  }
}

void BulkLoad::Pump(uint32_t stream, Time now) {
  Stream& s = streams_[stream];
  if (s.phase != Phase::kOpen || over_) return;
  Settle(s, now);
  if (options_.way == BulkLoadConfig::Way::kSend) {
    // Whoever answers is heard and not listened to.
    if (const uint32_t n = s.connection.readable(); n > 0) {
      s.connection.Consume(n);
      if (counting_) tally_.bytes_in += n;
    }
    Send(s);
    if (Allowance() == 0 && s.connection.send_space() > 0) Wait(stream);
  } else {
    if (!Read(s, now)) {
      s.connection.Abort();
      Lost(stream, Outcome::kWrong, now);
      return;
    }
    if (s.connection.readable() > 0) Wait(stream);
  }
  if (s.connection.at_end()) {
    s.connection.Close();
    Lost(stream, Outcome::kClosed, now);
  }
}

void BulkLoad::Send(Stream& s) {
  while (s.connection.send_space() > 0) {
    const uint32_t n = static_cast<uint32_t>(
        std::min<size_t>(Allowance(), text_.size() - s.at));
    if (n == 0) return;
    // Takes less when the buffer is full; then kWritable is told.
    const uint32_t sent = s.connection.SendStatic({text_.data() + s.at, n});
    if (sent == 0) return;
    s.at = static_cast<uint32_t>((s.at + sent) % text_.size());
    allowance_ -= sent;
  }
  s.connection.AskWritable();
}

// False if something else came than was wanted.
bool BulkLoad::Read(Stream& s, Time now) {
  while (s.connection.readable() > 0) {
    const ByteView front = s.connection.Front();
    const size_t n =
        std::min({front.size(), kMaxPiece, static_cast<size_t>(Allowance())});
    if (n == 0) return true;
    if (options_.check &&
        std::memcmp(front.data(), text_.data() + s.at, n) != 0) {
      return false;
    }
    s.at = static_cast<uint32_t>((s.at + n) % kChargenPeriod);
    s.connection.Consume(static_cast<uint32_t>(n));
    allowance_ -= static_cast<double>(n);
    s.moved_at = now;
    s.moved = true;
    if (counting_) tally_.bytes_in += n;
  }
  return true;
}

void BulkLoad::Wait(uint32_t stream) {
  if (streams_[stream].waits) return;
  streams_[stream].waits = true;
  waiting_.push_back(stream);
}

void BulkLoad::PumpWaiting(Time now) {
  for (size_t n = waiting_.size(); n > 0 && Allowance() > 0; --n) {
    const uint32_t stream = waiting_.front();
    waiting_.pop_front();
    streams_[stream].waits = false;
    Pump(stream, now);
  }
}

void BulkLoad::Lost(uint32_t stream, Outcome outcome, Time now) {
  Stream& s = streams_[stream];
  if (s.phase == Phase::kAbsent) return;
  s.phase = Phase::kAbsent;
  s.connection = Connection();
  absent_.push_back(stream);
  open_again_ = now + kOpenAgain;
  tally_.Note(outcome);
  Begin(now);
}

void BulkLoad::Settle(Stream& s, Time now) {
  if (s.phase != Phase::kOpen) return;
  const SeqNum una = s.connection.control_block().snd_una;
  const uint32_t n = una - s.counted;
  if (n == 0) return;
  s.counted = una;
  s.moved_at = now;
  s.moved = true;
  if (counting_) tally_.bytes_out += n;
}

void BulkLoad::SettleAll(Time now) {
  for (Stream& s : streams_) Settle(s, now);
}

void BulkLoad::GiveUpStuck(Time now) {
  for (uint32_t i = 0; i < streams_.size(); ++i) {
    Stream& s = streams_[i];
    if (s.phase == Phase::kAbsent) continue;
    Settle(s, now);
    if (s.phase == Phase::kOpen && s.waits) s.moved_at = now;  // it could
    if (now - s.moved_at < config_.timeout) continue;
    s.connection.Abort();
    Lost(i, Outcome::kTimedOut, now);
  }
  look_at_ = now + std::max<Duration>(config_.timeout / 4, 1ms);
}

}  // namespace corelane::dataplane
