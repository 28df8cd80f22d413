// Two endpoints joined by a wire that loses, reorders and duplicates, in
// virtual time. Whatever happens, both streams arrive complete and both sides
// come to an end. Replay one run with CORELANE_PAIR_SEED=<seed>.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "proto/base/rng.h"
#include "proto/tcp/isn.h"
#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

constexpr uint64_t kRuns = 4000;

struct Packet {
  SegmentSpec spec;
  uint32_t stream_offset = 0;  // of the payload, as its sender counts
  std::array<uint8_t, kMaxOptionsLength> options{};
  uint16_t options_length = 0;
  bool ce = false;
};

struct Arrival {
  Time at;
  uint64_t id = 0;  // breaks ties, so that a run is the same every time
  int to = 0;
  Packet packet;
  friend bool operator>(const Arrival& a, const Arrival& b) {
    return a.at != b.at ? a.at > b.at : a.id > b.id;
  }
};

// What one run is like.
struct Plan {
  explicit Plan(Rng& rng) {
    loss_ppm = rng.Below(4) == 0 ? 0 : rng.Below(350'000);
    duplicate_ppm = rng.Below(3) == 0 ? rng.Below(200'000) : 0;
    delay = Duration(rng.Between(10, 50'000) * 1us);
    if (rng.Below(2) == 0) jitter = Duration(rng.Below(60'000) * 1us);
    simultaneous_open = rng.Below(5) == 0;
    if (rng.Below(3) == 0) mark_ppm = rng.Below(200'000);
    mss = static_cast<uint16_t>(rng.Between(88, 1460));
    if (rng.Below(4) == 0) {
      blackout_begins = Duration(rng.Below(2'000) * 1ms);
      blackout_ends = blackout_begins + Duration(rng.Below(20'000) * 1ms);
    }
  }
  // A stall shows as a run that is too long. Where a third of all segments is
  // lost, Karn's rule keeps the RTO at its maximum for nearly every one.
  Duration Deadline() const { return loss_ppm < 100'000 ? 15min : 24h; }

  uint32_t loss_ppm;
  uint32_t duplicate_ppm;
  uint32_t mark_ppm = 0;  // of what may be marked instead of dropped
  Duration delay;
  Duration jitter = 0s;
  Duration blackout_begins = 0s;  // while it lasts, nothing arrives
  Duration blackout_ends = 0s;
  bool simultaneous_open;
  uint16_t mss;
};

class Endpoint {
 public:
  Endpoint(Rng& rng, const Plan& plan) : rng_(rng), mss_(plan.mss) {
    const uint32_t sizes[] = {600, 3'000, 20'000, 65'535, 300'000};
    config_.receive_buffer = sizes[rng.Below(5)];
    config_.nodelay = rng.Below(2) == 0;
    config_.congestion = static_cast<CongestionControl>(rng.Below(3));
    config_.timestamps = rng.Below(3) != 0;
    config_.sack = rng.Below(3) != 0;
    config_.ecn = static_cast<Ecn>(rng.Below(3));
    config_.tail_loss_probe = rng.Below(4) != 0;
    config_.frto = rng.Below(4) != 0;
    config_.hystart = rng.Below(2) != 0;
    // A wire this lossy must not look like a dead peer.
    config_.max_retransmits = 60;
    config_.max_syn_retransmits = 60;
    config_.max_synack_retransmits = 60;
    to_send_ = rng.Below(3) == 0 ? rng.Below(10) : rng.Below(40'000);
    write_size_ = rng.Between(1, 5'000);
    read_size_ = rng.Below(3) == 0 ? rng.Between(100, 2'000) : 1u << 30;
    half_close_ = rng.Below(3) == 0;
    iss_ = SeqNum(rng.Below(2) == 0 ? ~rng.Below(30'000) : rng.Next32());
  }

  void Open(Time now) {
    OpenActive(cb_, iss_, mss_, Context(now));
    wakes_ = true;
  }

  void Receive(const Packet& packet, Time now) {
    const Segment segment = SegmentOf(packet);
    if (time_wait_) {
      OnTimeWait(segment, now);
    } else if (finished_) {
      // The record is gone, or we were in LAST-ACK: an old duplicate.
      if (!segment.Has(kRst)) out_.push_back(ResetFor(segment));
    } else if (request_) {
      OnRequest(packet, segment, now);
    } else if (cb_.state == State::kClosed) {
      Listen(segment, now);
    } else {
      IngestSegment(packet, segment, now);
    }
  }

  // Timers, application, emit.
  void Poll(Time now) {
    PollRequest(now);
    if (!Alive()) return;
    if (Due(now)) {
      const uint8_t actions = OnTimers(cb_, Tx(), Context(now));
      ASSERT_EQ(actions & kTimerAbort, 0) << "gave up a living peer";
    }
    RunApplication(now);
    SegmentSpec spec;
    while (NextSegment(cb_, Needed(), Space(), mss_, Context(now), spec)) {
      out_.push_back(spec);
      Verify();
      ASSERT_LT(out_.size(), 5'000u) << "emit does not come to an end";
    }
    ASSERT_STREQ(CheckSettled(cb_), nullptr);
  }

  std::optional<Tick> Deadline(Time now) const {
    std::optional<Tick> next;
    if (request_) next = request_->deadline;
    if (Alive()) next = NextDeadline(cb_);
    if (Alive() && wakes_) next = Now(now).tick;
    if (Alive() && reads_at_ && (!next || TickBefore(*reads_at_, *next))) {
      next = reads_at_;
    }
    return next;
  }

  std::vector<SegmentSpec> TakeOutput() { return std::exchange(out_, {}); }
  uint32_t StreamOffset(SeqNum seq) const { return seq - (iss_ + 1); }
  uint32_t to_send() const { return to_send_; }
  uint32_t received() const { return receiver_.delivered(); }
  bool peer_closed() const { return receiver_.peer_closed(); }
  bool Over() const { return finished_ || time_wait_.has_value(); }
  bool broken() const { return broken_; }
  uint32_t acked() const { return acked_; }
  std::string Describe() const {
    return std::string(Over() ? "over" : StateName(cb_.state)) + " una " +
           std::to_string(cb_.snd_una - iss_) + " nxt " +
           std::to_string(cb_.snd_nxt - iss_) + " edge " +
           std::to_string(cb_.snd_edge - iss_) + " end " +
           std::to_string(cb_.SendEnd() - iss_) + " received " +
           std::to_string(received()) + " flags " + std::to_string(cb_.flags);
  }

 private:
  tcp::Context Context(Time now) { return {config_, counters_, Now(now)}; }
  bool Alive() const {
    return !Over() && !request_ && cb_.state != State::kClosed;
  }
  bool Due(Time now) const {
    const std::optional<Tick> next = NextDeadline(cb_);
    return next && !TickBefore(Now(now).tick, *next);
  }
  SendState* Tx() { return tx_ ? &*tx_ : nullptr; }
  Extras Needed() {
    if (!tx_ && NeedsSendState(cb_)) {
      tx_.emplace();
      InitSendState(cb_, *tx_);
    }
    return {Tx(), &holes_};
  }
  uint32_t Space() const {
    const uint32_t used = receiver_.unread();
    return config_.receive_buffer > used ? config_.receive_buffer - used : 0;
  }
  void Verify() {
    if (Alive()) {
      ASSERT_STREQ(CheckInvariants(cb_, Tx(), config_), nullptr);
    }
  }

  static Segment SegmentOf(const Packet& packet) {
    const SegmentSpec& spec = packet.spec;
    Segment segment;
    segment.seq = spec.seq;
    segment.ack = spec.ack;
    segment.window = spec.window;
    segment.header_length =
        static_cast<uint16_t>(kHeaderLength + packet.options_length);
    segment.payload_length = static_cast<uint16_t>(spec.length);
    segment.options = packet.options.data();
    segment.ce = packet.ce;
    segment.offset_and_flags =
        static_cast<uint16_t>(segment.header_length / 4 << 12 | spec.flags);
    return segment;
  }

  void Listen(const Segment& segment, Time now) {
    if (!segment.Has(kSyn) || segment.Has(kAck | kRst)) return;
    request_.emplace();
    OpenPassive(*request_, segment, iss_, config_, Now(now));
    request_->deadline = Now(now).tick + ToTicks(1s);
    out_.push_back(SynAck(*request_, mss_, config_, Now(now)));
  }

  void OnRequest(const Packet& packet, const Segment& segment, Time now) {
    switch (OnRequestSegment(*request_, segment, 0xffff, Now(now))) {
      case RequestVerdict::kAccept: {
        const Request request = *request_;
        request_.reset();
        Establish(cb_, request, mss_, Context(now));
        wakes_ = true;
        IngestSegment(packet, segment, now);
        break;
      }
      case RequestVerdict::kResendSynAck:
        ++request_->retransmits;
        out_.push_back(SynAck(*request_, mss_, config_, Now(now)));
        break;
      case RequestVerdict::kIgnore:
      case RequestVerdict::kChallengeAck:
        break;
      case RequestVerdict::kReset:
      case RequestVerdict::kDelete:
        ADD_FAILURE() << "a request was refused";
        break;
    }
  }

  void PollRequest(Time now) {
    if (!request_ || TickBefore(Now(now).tick, request_->deadline)) return;
    ++request_->retransmits;
    request_->deadline = Now(now).tick + ToTicks(2s);
    out_.push_back(SynAck(*request_, mss_, config_, Now(now)));
  }

  void OnTimeWait(const Segment& segment, Time now) {
    switch (OnTimeWaitSegment(*time_wait_, segment, Context(now))) {
      case TimeWaitVerdict::kAck:
        time_wait_->expires = Now(now).tick + ToTicks(config_.time_wait);
        [[fallthrough]];
      case TimeWaitVerdict::kAckOnly:
        out_.push_back(TimeWaitAck(*time_wait_, Now(now)));
        break;
      case TimeWaitVerdict::kIgnore:
        break;
      case TimeWaitVerdict::kReopen:
        ADD_FAILURE() << "an old SYN took over";
        break;
    }
  }

  void IngestSegment(const Packet& packet, const Segment& segment, Time now) {
    const SeqNum before = cb_.rcv_nxt;
    const bool opening = cb_.state == State::kSynSent;
    IngestResult result;
    if (!IngestPredicted(cb_, segment, Tx(), Context(now), result)) {
      // Memory for holes may be short, but only while there are none.
      const bool none = holes_.Empty();
      ReceiveHoles* holes = none && rng_.Below(8) == 0 ? nullptr : &holes_;
      result = Ingest(cb_, segment, {Tx(), holes}, Context(now));
    }
    acked_ += result.acked;
    // The stream is a function of the offset: equal offsets are equal bytes.
    if (result.placement != Placement::kNone) {
      ASSERT_EQ(packet.stream_offset, segment.seq - (cb_.irs + 1));
    }
    if (!opening) {
      receiver_.OnIngest(cb_, before, segment, result);
      ASSERT_LE(receiver_.unread(), config_.receive_buffer + 65'535)
          << "more unread than was ever offered";
    }
    if (result.reply_reset) out_.push_back(ResetFor(segment));
    if ((result.events & kBroken) != 0) broken_ = finished_ = true;
    if ((result.events & kFinished) != 0) finished_ = true;
    if ((result.events & kToTimeWait) != 0) {
      time_wait_.emplace();
      EnterTimeWait(*time_wait_, cb_, Context(now));
    }
    wakes_ = true;
    Verify();
  }

  void RunApplication(Time now) {
    wakes_ = false;
    const uint32_t queued = cb_.snd_queued - (iss_ + 1);
    if (queued < to_send_ && cb_.state != State::kSynReceived) {
      const uint32_t used = cb_.snd_queued - SeqMax(cb_.snd_una, iss_ + 1);
      const uint32_t room =
          config_.send_buffer > used ? config_.send_buffer - used : 0;
      cb_.snd_queued += std::min({to_send_ - queued, write_size_, room});
      wakes_ = room > 0;
    } else if (!closed_ && MaySend(cb_.state) &&
               (!half_close_ || receiver_.peer_closed() || queued == 0 ||
                cb_.snd_una == cb_.snd_queued)) {
      closed_ = CloseSend(cb_);
    }
    if (reads_at_ && TickBefore(Now(now).tick, *reads_at_)) return;
    reads_at_.reset();
    if (receiver_.unread() == 0) return;
    receiver_.Read(std::min(receiver_.unread(), read_size_));
    OnReceiveSpace(cb_, Space(), Context(now));
    if (receiver_.unread() > 0) {
      reads_at_ = Now(now).tick + ToTicks(Duration(rng_.Below(200) * 1ms));
    }
  }

  ControlBlock cb_;
  Rng& rng_;
  Config config_;
  Counters counters_;
  ReceiveModel receiver_;
  std::optional<SendState> tx_;
  std::optional<Request> request_;
  std::optional<TimeWait> time_wait_;
  std::optional<Tick> reads_at_;
  std::vector<SegmentSpec> out_;
  ReceiveHoles holes_;
  SeqNum iss_;
  uint32_t to_send_;
  uint32_t write_size_;
  uint32_t read_size_;
  uint32_t acked_ = 0;
  uint16_t mss_;
  bool half_close_;
  bool wakes_ = false;
  bool closed_ = false;
  bool finished_ = false;
  bool broken_ = false;
};

class Pair {
 public:
  explicit Pair(uint64_t seed)
      : rng_(seed), plan_(rng_), sides_{{rng_, plan_}, {rng_, plan_}} {}

  void Run() {
    sides_[0].Open(now_);
    if (plan_.simultaneous_open) sides_[1].Open(now_);
    while (!::testing::Test::HasFatalFailure() && Step()) {
    }
    if (::testing::Test::HasFatalFailure()) return;
    for (int i = 0; i < 2; ++i) {
      const Endpoint& side = sides_[i];
      const Endpoint& other = sides_[1 - i];
      EXPECT_TRUE(side.Over());
      EXPECT_FALSE(side.broken());
      EXPECT_TRUE(side.peer_closed());
      EXPECT_EQ(side.received(), other.to_send());
      EXPECT_EQ(side.acked(), side.to_send());
    }
  }
  Duration Elapsed() const { return now_ - start_; }
  std::string Describe() const {
    return sides_[0].Describe() + " | " + sides_[1].Describe();
  }

 private:
  // Goes on to the next thing that happens; false when nothing is left to do.
  bool Step() {
    if (sides_[0].Over() && sides_[1].Over()) return false;
    std::optional<Time> next;
    if (!wire_.empty()) next = wire_.top().at;
    for (Endpoint& side : sides_) {
      const std::optional<Tick> deadline = side.Deadline(now_);
      if (!deadline) continue;
      const auto ahead = static_cast<int32_t>(*deadline - Now(now_).tick);
      const int64_t tick = now_.time_since_epoch().count() >> kTickShift;
      const Time at =
          ahead <= 0 ? now_ : Time(Duration((tick + ahead) << kTickShift));
      next = std::min(next.value_or(at), at);
    }
    EXPECT_TRUE(next) << "nothing will ever happen again: " << Describe();
    EXPECT_LT(Elapsed(), plan_.Deadline()) << "no end: " << Describe();
    if (!next || Elapsed() >= plan_.Deadline()) return false;
    now_ = std::max(now_, *next);
    // Often a burst: several arrivals before anybody is asked what is due.
    while (!wire_.empty() && wire_.top().at <= now_) {
      const Arrival arrival = wire_.top();
      wire_.pop();
      sides_[arrival.to].Receive(arrival.packet, now_);
    }
    for (int i = 0; i < 2; ++i) {
      sides_[i].Poll(now_);
      for (const SegmentSpec& spec : sides_[i].TakeOutput()) Send(i, spec);
    }
    return true;
  }

  void Send(int from, const SegmentSpec& spec) {
    Packet packet;
    packet.spec = spec;
    packet.stream_offset = sides_[from].StreamOffset(spec.seq);
    packet.options_length =
        static_cast<uint16_t>(WriteOptions(packet.options.data(), spec));
    packet.ce = spec.ect && rng_.ChancePpm(plan_.mark_ppm);
    const int copies = rng_.ChancePpm(plan_.duplicate_ppm) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (rng_.ChancePpm(plan_.loss_ppm)) continue;
      if (Elapsed() >= plan_.blackout_begins &&
          Elapsed() < plan_.blackout_ends) {
        continue;
      }
      Duration delay = plan_.delay;
      if (plan_.jitter > 0s) {
        delay += Duration(
            rng_.Below(static_cast<uint32_t>(plan_.jitter.count() / 1000 + 1)) *
            1us);
      }
      wire_.push({now_ + delay, next_id_++, 1 - from, packet});
    }
  }

  Rng rng_;
  Plan plan_;
  Endpoint sides_[2];
  const Time start_ = kTimeZero + 1s;
  Time now_ = start_;
  uint64_t next_id_ = 0;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> wire_;
};

TEST(ConnectionPair, StreamsArriveAndBothSidesEnd) {
  uint64_t first = 1;
  uint64_t last = kRuns;
  if (const char* seed = std::getenv("CORELANE_PAIR_SEED")) {
    first = last = std::strtoull(seed, nullptr, 0);
  }
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("CORELANE_PAIR_SEED=" + std::to_string(seed));
    Pair pair(seed);
    pair.Run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace corelane::tcp
