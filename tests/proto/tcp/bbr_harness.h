// A sender that runs BBR over a bottleneck, in virtual time: the real sender
// against a link with a rate, a queue and a delay, and a receiver that
// acknowledges each segment, with SACK. The same run each time.
#ifndef CORELANE_TESTS_PROTO_TCP_BBR_HARNESS_H_
#define CORELANE_TESTS_PROTO_TCP_BBR_HARNESS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "proto/base/time.h"
#include "proto/tcp/bbr.h"
#include "proto/tcp/emit.h"
#include "proto/tcp/invariants.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/timers.h"

namespace corelane::tcp {

class BbrHarness {
 public:
  static constexpr uint16_t kMss = 1000;

  BbrHarness() {
    config.congestion = CongestionControl::kBbr;
    config.mtu_probing = false;
    config.send_buffer = 1 << 30;
    cb.state = State::kEstablished;
    cb.flags = kSack;
    cb.mss = cb.peer_mss = kMss;
    cb.iss = SeqNum(0xfff00000);  // wraps soon
    cb.snd_una = cb.snd_nxt = cb.snd_queued = cb.iss;
    cb.snd_edge = cb.snd_una + (1u << 29);
    cb.max_window = 1u << 29;
  }

  // With the handshake's round-trip time.
  void Start() {
    cb.srtt_us = static_cast<uint32_t>(2 * delay / 1us) * 8;
    cb.rttvar_us = cb.srtt_us / 4;
    cb.rto_us = 1'000'000;
    StartCongestion(cb, config);
    InitSendState(cb, tx);
    StartBbr(cb, tx, bbr, Ctx());
  }

  void Write(uint32_t bytes) {
    cb.snd_queued += bytes;
    Pump();
  }
  // Always something to send.
  void Saturate() {
    saturated_ = true;
    Refill();
    Pump();
  }
  void Starve() {
    saturated_ = false;
    cb.snd_queued = SeqMax(cb.snd_nxt, cb.snd_una);
  }

  // Lets `d` pass. Calls `each`, if there is one, after every event.
  void Run(Duration d, const std::function<void()>& each = {}) {
    const Time end = now + d;
    while (true) {
      Time next = end;
      if (!events_.empty()) next = std::min(next, events_.begin()->first);
      const auto deadline = NextDeadline(cb, &tx);
      if (deadline) {
        const auto ahead = static_cast<int32_t>(*deadline - Ctx().now.tick);
        next = std::min(
            next,
            Time(Duration(((now.time_since_epoch().count() >> kTickShift) +
                           std::max(ahead, 0))
                          << kTickShift)));
      }
      if (next >= end) break;
      now = std::max(now, next);
      if (!events_.empty() && events_.begin()->first <= now) {
        auto event = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        event();
      } else {
        OnTimers(cb, &tx, Ctx());
      }
      Refill();
      Pump();
      if (each) each();
      if (stop_at_ == bbr.phase) return;
    }
    now = end;
  }
  // Until the phase is `phase`; false if `most` has passed before.
  bool RunUntil(BbrPhase phase, Duration most) {
    const Time end = now + most;
    while (bbr.phase != phase && now < end) {
      stop_at_ = phase;
      Run(end - now);
      stop_at_.reset();
    }
    return bbr.phase == phase;
  }

  // Bytes per second that arrived in `d`.
  uint64_t Goodput(Duration d) {
    const uint64_t before = received;
    Run(d);
    return (received - before) * 1'000'000 / static_cast<uint64_t>(d / 1us);
  }

  Context Ctx() { return {config, counters, Now(now)}; }
  uint32_t Bdp() const {
    return static_cast<uint32_t>(rate * static_cast<uint64_t>(2 * delay / 1us) /
                                 1'000'000);
  }

  // ---- the path
  uint64_t rate = 1'000'000;  // bytes per second
  Duration delay = 10ms;      // each way
  uint32_t queue = 100'000;   // bytes
  // Whether the n-th segment is lost on the link, marked, or how much longer
  // than the others it takes.
  std::function<bool(uint64_t)> lose;
  std::function<bool(uint64_t)> mark;
  std::function<Duration(uint64_t)> late;

  Config config;
  Counters counters;
  ControlBlock cb;
  SendState tx;
  BbrState bbr;
  Time now = kTimeZero + (int64_t{1} << 32) * 1us - 1s;  // wraps after a second
  uint64_t received = 0;                                 // bytes in order
  uint64_t segments = 0;                                 // that have left
  uint64_t dropped = 0;                                  // by the queue
  std::vector<Time> departures;

 private:
  void Refill() {
    if (!saturated_) return;
    cb.snd_queued = SeqMax(cb.snd_queued, cb.snd_nxt + 100u * kMss);
  }

  void Pump() {
    SegmentSpec spec;
    while (NextSegment(cb, {&tx, nullptr}, 65535, kMss, Ctx(), spec)) {
      EXPECT_STREQ(CheckInvariants(cb, &tx, config), nullptr);
      EXPECT_GE(cb.cwnd, kMss);
      if (spec.length > 0) Transmit(spec.seq, spec.length);
    }
  }

  void Transmit(SeqNum seq, uint32_t length) {
    const uint64_t n = segments++;
    departures.push_back(now);
    if (lose && lose(n)) return;
    const Duration backlog = std::max(free_at_ - now, Duration(0));
    if (static_cast<uint64_t>(backlog / 1us) * rate / 1'000'000 + length >
        queue) {
      ++dropped;
      return;
    }
    free_at_ =
        std::max(free_at_, now) +
        Duration(int64_t{length} * 1'000'000'000 / static_cast<int64_t>(rate));
    const Duration more = late ? late(n) : Duration(0);
    const bool ce = mark && mark(n);
    events_.emplace(free_at_ + delay + more,
                    [this, seq, length, ce] { Receive(seq, length, ce); });
  }

  void Receive(SeqNum seq, uint32_t length, bool ce) {
    const uint32_t from = std::max(seq - cb.iss, in_order_);
    const uint32_t to = seq + length - cb.iss;
    if (to > in_order_) {
      for (uint32_t at = from; at < to; at += kMss) beyond_.insert(at);
      while (!beyond_.empty() && *beyond_.begin() <= in_order_) {
        in_order_ = *beyond_.begin() + kMss;
        beyond_.erase(beyond_.begin());
        received += kMss;
      }
    }
    // Blocks, that of this segment first (RFC 2018).
    std::vector<SackBlock> blocks;
    for (const uint32_t at : beyond_) {
      const SeqNum start = cb.iss + at;
      if (blocks.empty() || blocks.back().end != start) {
        blocks.push_back({start, start});
      }
      blocks.back().end = start + kMss;
    }
    std::stable_partition(blocks.begin(), blocks.end(), [&](const auto& b) {
      return b.start <= seq && seq < b.end;
    });
    Options options;
    for (const SackBlock& block : blocks) {
      if (options.sack_count == 4) break;
      options.sack[options.sack_count++] = block;
    }
    const SeqNum ack = cb.iss + in_order_;
    events_.emplace(now + delay, [this, ack, options, ce] {
      if (ack < cb.snd_una || cb.snd_una == cb.snd_nxt) return;
      OnAcknowledgment(cb, tx,
                       {.ack = ack,
                        .carried = ack,
                        .duplicate = ack == cb.snd_una,
                        .ece = ce,
                        .options = &options},
                       Ctx());
      EXPECT_STREQ(CheckInvariants(cb, &tx, config), nullptr);
    });
  }

  std::multimap<Time, std::function<void()>> events_;
  Time free_at_ = kTimeZero;  // when the link has sent its queue
  uint32_t in_order_ = 0;
  std::set<uint32_t> beyond_;  // where segments that wait behind a gap begin
  bool saturated_ = false;
  std::optional<BbrPhase> stop_at_;
};

}  // namespace corelane::tcp

#endif  // CORELANE_TESTS_PROTO_TCP_BBR_HARNESS_H_
