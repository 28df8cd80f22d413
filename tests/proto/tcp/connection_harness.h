// One connection in virtual time, against a peer that the test plays.
//
// Segments are written as text, with both sides' sequence numbers relative to
// their SYN's, so that a test reads the same wherever in sequence space it is
// run:   Receive("P. 1(100) ack 1 win 5000");
//        EXPECT_THAT(Sent(), ElementsAre(". 1(0) ack 101"));
// The letters are S, F, R, P, U and a dot for ACK; received, E and W as well.
#ifndef CORELANE_TESTS_PROTO_TCP_CONNECTION_HARNESS_H_
#define CORELANE_TESTS_PROTO_TCP_CONNECTION_HARNESS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/time.h"
#include "proto/tcp/close.h"
#include "proto/tcp/emit.h"
#include "proto/tcp/handshake.h"
#include "proto/tcp/header_prediction.h"
#include "proto/tcp/ingest.h"
#include "proto/tcp/invariants.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/time_wait.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {

// Where a connection's numbers begin.
struct Origin {
  uint32_t iss = 0;
  uint32_t irs = 0;
  Duration start = 0s;
};

// Ordinary numbers, and ones that wrap, or change sign, within the first bytes;
// the times make ticks and microseconds wrap early as well.
inline const Origin kOrigins[] = {
    {1000, 5000, 1s},
    {0xffffffff, 0xffffff00, (int64_t{1} << 32) * 1us - 300ms},
    {0xfffffe00, 0x7fffffff, (int64_t{1} << 48) * 1ns - 300ms},
    {0x7fffff00, 0xffffffff, (int64_t{1} << 47) * 1ns - 1s},
};

inline constexpr uint16_t kTestMss = 1000;

// Windows without scaling, so that the numbers in a test are those on the wire.
inline Config TestConfig() {
  Config config;
  config.receive_buffer = 60'000;
  // Its numbers are the ones that are easily foretold.
  config.congestion = CongestionControl::kNewReno;
  config.hystart = false;
  return config;
}

// Keeps the bytes that Ingest says to keep, and checks what it says.
class ReceiveModel {
 public:
  void OnIngest(const ControlBlock& cb, SeqNum before, const Segment& segment,
                const IngestResult& result) {
    const uint32_t base = before - (cb.irs + 1);
    if (result.placement != Placement::kNone) {
      ASSERT_LE(uint32_t{result.payload_offset} + result.length,
                segment.payload_length);
      ASSERT_GT(result.length, 0);
      const SeqNum start = segment.seq + result.payload_offset;
      ASSERT_GE(start, before);
      if (result.placement == Placement::kDeliver) {
        ASSERT_EQ(start, before);
      }
      const uint32_t offset = start - (cb.irs + 1);
      if (arrived_.size() < offset + result.length) {
        arrived_.resize(offset + result.length);
      }
      for (uint32_t i = 0; i < result.length; ++i) arrived_[offset + i] = true;
    }
    if ((result.events & kPeerClosed) != 0) {
      ASSERT_FALSE(peer_closed_) << "the stream ended twice";
      peer_closed_ = true;
    }
    const uint32_t fin = peer_closed_ ? 1 : 0;
    const uint32_t end = cb.rcv_nxt - (cb.irs + 1) - fin;
    ASSERT_LE(end, arrived_.size()) << "delivered what has not arrived";
    for (uint32_t i = base; i < end; ++i) ASSERT_TRUE(arrived_[i]);
    unread_ += end - delivered_;
    delivered_ = end;
  }

  uint32_t delivered() const { return delivered_; }
  uint32_t unread() const { return unread_; }
  bool peer_closed() const { return peer_closed_; }
  void Read(uint32_t n) { unread_ -= n; }

 private:
  std::vector<bool> arrived_;
  uint32_t delivered_ = 0;
  uint32_t unread_ = 0;
  bool peer_closed_ = false;
};

inline std::string FlagLetters(uint8_t flags) {
  std::string text;
  const std::pair<uint8_t, char> letters[] = {{kSyn, 'S'}, {kFin, 'F'},
                                              {kRst, 'R'}, {kPsh, 'P'},
                                              {kUrg, 'U'}, {kAck, '.'}};
  for (const auto& [flag, letter] : letters) {
    if ((flags & flag) != 0) text += letter;
  }
  return text.empty() ? "-" : text;
}

inline uint8_t FlagsOf(const std::string& text) {
  uint8_t flags = 0;
  for (char c : text) {
    switch (c) {
      case 'S':
        flags |= kSyn;
        break;
      case 'F':
        flags |= kFin;
        break;
      case 'R':
        flags |= kRst;
        break;
      case 'P':
        flags |= kPsh;
        break;
      case 'U':
        flags |= kUrg;
        break;
      case 'E':
        flags |= kEce;
        break;
      case 'W':
        flags |= kCwr;
        break;
      case '.':
        flags |= kAck;
        break;
      default:
        break;
    }
  }
  return flags;
}

struct SentSegment {
  Duration at;  // since the last Mark
  SegmentSpec spec;
  std::string text;
};

class ConnectionHarness {
 public:
  explicit ConnectionHarness(Origin where, Config with = TestConfig())
      : config(with), origin(where), now_(kTimeZero + where.start) {
    Mark();
  }

  // ---- opening
  // From LISTEN, by way of a request; nothing is left in Sent.
  void Accept() {
    Request request;
    request.key = Key();
    const Segment syn = Make("S 0(0)");
    OpenPassive(request, syn, SeqNum(origin.iss), config, Context().now);
    now_ += rtt;
    const Segment ack = Make(". 1(0) ack 1");
    ASSERT_EQ(OnRequestSegment(request, ack, 0xffff, Context().now),
              RequestVerdict::kAccept);
    tcp::Establish(cb, request, kTestMss, Context());
    Receive(". 1(0) ack 1");
    ASSERT_EQ(state(), State::kEstablished);
    Mark();
  }
  void Open() {
    cb.key = Key();
    OpenActive(cb, SeqNum(origin.iss), kTestMss, Context());
    Pump();
  }
  // An active open that succeeds; nothing is left in Sent.
  void Connect() {
    Open();
    now_ += rtt;
    Receive("S. 0(0) ack 1");
    ASSERT_EQ(state(), State::kEstablished);
    Sent();
    cb.quick_acks = 0;
    Mark();
  }

  // ---- the peer
  IngestResult Receive(const std::string& text) {
    IngestResult result = IngestOnly(text);
    Pump();
    return result;
  }
  // Without asking what is due: the next segment is of the same burst.
  IngestResult IngestOnly(const std::string& text) {
    SCOPED_TRACE("received " + text);
    const Segment segment = Make(text);
    IngestResult result;
    if (time_wait) {
      last_verdict = OnTimeWaitSegment(*time_wait, segment, Context());
      if (last_verdict == TimeWaitVerdict::kAck ||
          last_verdict == TimeWaitVerdict::kAckOnly) {
        Log(TimeWaitAck(*time_wait, Context().now));
      }
      return result;
    }
    const SeqNum before = cb.rcv_nxt;
    const bool opening = cb.state == State::kSynSent;
    if (!IngestPredicted(cb, segment, Tx(), Context(), result)) {
      result = Ingest(cb, segment, {Tx(), &holes}, Context());
    }
    events |= result.events;
    acked += result.acked;
    if (result.reply_reset) Log(ResetFor(segment));
    if (!opening) {
      receiver.OnIngest(cb, before, segment, result);
    }
    if (auto_read) receiver.Read(receiver.unread());
    if ((result.events & kToTimeWait) != 0) {
      EXPECT_EQ(cb.state, State::kTimeWait);
      time_wait.emplace();
      EnterTimeWait(*time_wait, cb, Context());
    } else if ((result.events & (kBroken | kFinished)) != 0) {
      EXPECT_EQ(cb.state, State::kClosed);
    } else {
      Check();
    }
    return result;
  }

  // ---- the application
  void Write(uint32_t bytes) {
    cb.snd_queued += bytes;
    Pump();
  }
  void Close() {
    CloseSend(cb);
    Pump();
  }
  void Read(uint32_t bytes) {
    receiver.Read(bytes);
    OnReceiveSpace(cb, Space(), Context());
    Pump();
  }

  // ---- time
  // Lets `d` pass, running every timer at its time.
  void Advance(Duration d) {
    const Time end = now_ + d;
    while (Alive()) {
      const std::optional<Tick> next = NextDeadline(cb);
      if (!next) break;
      const auto ahead = static_cast<int32_t>(*next - Context().now.tick);
      const Time due = Time(Duration(
          ((now_.time_since_epoch().count() >> kTickShift) + std::max(ahead, 0))
          << kTickShift));
      if (due > end) break;
      now_ = std::max(now_, due);
      const uint8_t actions = OnTimers(cb, Tx(), Context());
      ASSERT_NE(actions, kTimerNothing) << "a deadline that does not expire";
      timer_actions |= actions;
      if ((actions & (kTimerAbort | kTimerDone)) != 0) aborted = true;
      Pump();
    }
    now_ = end;
  }
  void Mark() { mark_ = now_; }

  // ---- what has been sent since it was last asked
  std::vector<std::string> Sent() {
    std::vector<std::string> texts;
    for (SentSegment& s : std::exchange(log_, {})) texts.push_back(s.text);
    return texts;
  }
  std::vector<SentSegment> SentSegments() { return std::exchange(log_, {}); }
  // When, in milliseconds since the last Mark, to the nearest 5: each timer
  // rounds to ticks.
  std::vector<int64_t> SentAt() {
    std::vector<int64_t> times;
    for (SentSegment& s : std::exchange(log_, {})) {
      times.push_back((s.at.count() + 2'500'000) / 5'000'000 * 5);
    }
    return times;
  }

  void Pump() {
    SegmentSpec spec;
    for (int i = 0; Alive() && NextSegment(cb, Needed(), Space(), kTestMss,
                                           Context(), spec);
         ++i) {
      Log(spec);
      Check();
      ASSERT_LT(i, 10'000) << "NextSegment does not come to an end";
    }
    if (Alive()) {
      EXPECT_STREQ(CheckSettled(cb), nullptr);
    }
  }

  State state() const { return cb.state; }
  bool Alive() const {
    return !aborted && cb.state != State::kClosed &&
           cb.state != State::kTimeWait;
  }
  tcp::Context Context() { return {config, counters, tcp::Now(now_)}; }
  uint32_t Space() const {
    const uint32_t used = receiver.unread();
    return config.receive_buffer > used ? config.receive_buffer - used : 0;
  }
  void Check() {
    if (!Alive()) return;
    EXPECT_STREQ(CheckInvariants(cb, Tx(), config), nullptr);
  }
  SendState* Tx() { return tx ? &*tx : nullptr; }
  // As the pipeline does: a send state is made when there is need of it.
  Extras Needed() {
    if (!tx && NeedsSendState(cb)) {
      tx.emplace();
      InitSendState(cb, *tx);
    }
    return {Tx(), &holes};
  }
  SendPhase phase() const { return tx ? tx->phase : SendPhase::kOpen; }
  SeqNum Ours(int64_t relative) const {
    return SeqNum(origin.iss + static_cast<uint32_t>(relative));
  }

  Config config;
  Counters counters;
  ControlBlock cb;
  ReceiveHoles holes;
  std::optional<SendState> tx;
  ReceiveModel receiver;
  std::optional<TimeWait> time_wait;
  TimeWaitVerdict last_verdict = TimeWaitVerdict::kIgnore;
  uint8_t events = 0;
  uint8_t timer_actions = 0;
  uint32_t acked = 0;
  bool aborted = false;
  bool auto_read = true;
  // What the peer's segments say unless the text says otherwise.
  uint16_t peer_window = 60'000;
  SynOptions peer_options{kTestMss, -1};
  Duration rtt = 10ms;

 private:
  static FlowKey Key() {
    return {Ipv4Address(10, 0, 0, 1).value(), Ipv4Address(10, 0, 0, 2).value(),
            80, 4242};
  }

  Segment Make(const std::string& text) {
    std::istringstream in(text);
    std::string flags, word;
    int64_t seq = 0;
    int64_t ack = 0;
    uint32_t length = 0;
    uint32_t window = peer_window;
    char bracket = 0;
    in >> flags >> seq >> bracket >> length >> bracket;
    EXPECT_EQ(bracket, ')') << text;
    while (in >> word) {
      if (word == "ack") {
        in >> ack;
      } else if (word == "win") {
        in >> window;
      } else {
        ADD_FAILURE() << "what is '" << word << "' in " << text;
      }
    }
    Segment segment;
    segment.seq = SeqNum(origin.irs + static_cast<uint32_t>(seq));
    segment.ack = Ours(ack);
    segment.window = static_cast<uint16_t>(window);
    segment.payload_length = static_cast<uint16_t>(length);
    segment.header_length = kHeaderLength;
    segment.options = options_.data();
    const uint8_t bits = FlagsOf(flags);
    if ((bits & kSyn) != 0) {
      segment.header_length = static_cast<uint16_t>(
          kHeaderLength + WriteSynOptions(options_.data(), peer_options));
    }
    segment.offset_and_flags =
        static_cast<uint16_t>(segment.header_length / 4 << 12 | bits);
    return segment;
  }

  void Log(const SegmentSpec& spec) {
    std::ostringstream text;
    text << FlagLetters(spec.flags) << ' '
         << static_cast<int32_t>(spec.seq - Ours(0)) << '(' << spec.length
         << ')';
    if ((spec.flags & kAck) != 0) {
      text << " ack " << static_cast<int32_t>(spec.ack - SeqNum(origin.irs));
    }
    log_.push_back({now_ - mark_, spec, text.str()});
  }

  Origin origin;
  Time now_;
  Time mark_;
  std::array<uint8_t, kMaxOptionsLength> options_{};
  std::vector<SentSegment> log_;
};

// A fixture for tests that run at each of the origins.
class ConnectionTest : public ::testing::TestWithParam<int> {
 protected:
  ConnectionHarness h{kOrigins[GetParam()]};
};

}  // namespace corelane::tcp

#endif  // CORELANE_TESTS_PROTO_TCP_CONNECTION_HARNESS_H_
