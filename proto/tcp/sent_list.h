// The scoreboard: which parts of what was sent and not cumulatively
// acknowledged have arrived, are under way, or are lost (RFC 6675, RFC 8985).
//
// It is run-length encoded: a run of the stream that left at one time and has
// one fate is one entry, however many segments it is. The runs are adjacent and
// cover [SND.UNA, SND.NXT) exactly. There is room for a fixed number of them;
// when it gets scarce, neighbours of one fate merge (with the later of their
// times, so that nothing is deemed lost too early), and a SACK block that would
// need more room is not believed: the data is sent again.
#ifndef CORELANE_PROTO_TCP_SENT_LIST_H_
#define CORELANE_PROTO_TCP_SENT_LIST_H_

#include <cstdint>

#include "proto/base/sequence.h"
#include "proto/tcp/send_state.h"

namespace corelane::tcp {

// What an acknowledgment found among the runs: bytes that were not known to
// have arrived before.
struct Delivery {
  uint32_t bytes = 0;
  uint32_t original = 0;      // ... sent once, and before tx.recover was set
  bool resent = false;        // ... some that were sent more than once
  bool out_of_order = false;  // sent once, yet below what arrived earlier
  SeqNum lowest_late;         // where the first of those begins
  // The earliest transmission of those sent once and acknowledged in order: the
  // round-trip time that RFC 6298 wants.
  bool has_first = false;
  uint32_t first_us = 0;
  // The latest transmission of all of them (RACK.xmit_ts, RACK.end_seq).
  bool has_latest = false;
  bool latest_resent = false;
  uint32_t latest_us = 0;
  SeqNum latest_end;
  SeqNum highest_end;
  // When the last of them was sent, in the order in which they are gone
  // through, and the last of those sent once (RACK.rtt).
  bool last_resent = false;
  bool has_once = false;
  uint32_t last_us = 0;
  uint32_t once_us = 0;
};

class SentList {
 public:
  // `una` is SND.UNA: where the first run begins.
  SentList(SendState& tx, SeqNum una) : tx_(tx), una_(una) {}

  uint32_t size() const { return tx_.range_count; }
  bool empty() const { return tx_.range_count == 0; }
  const SentRange& operator[](uint32_t i) const { return tx_.ranges[i]; }
  SeqNum StartOf(uint32_t i) const {
    return i == 0 ? una_ : tx_.ranges[i - 1].end;
  }

  // New data up to `end` left at `now_us`, in so many segments. It shares the
  // last run if that one began at most `grain_us` ago. False, and nothing
  // changed, if there is no room: then it must not be sent.
  bool Append(SeqNum end, uint32_t now_us, uint32_t grain_us,
              uint32_t segments = 1);
  // For a connection that runs BBR, which the other changes here know of by
  // themselves: this is what each segment does.
  bool AppendLogged(SeqNum end, uint32_t now_us, uint32_t grain_us);

  // Everything before `ack` has arrived; the list now begins there.
  void AckUpTo(SeqNum ack, Delivery& delivery);

  // The same, without a word, if that is the first run or a part of it.
  void AckInFirst(SeqNum ack);

  // [start, end), which lies within the list, has arrived out of order. Where
  // runs consist of full segments of `mss` bytes, parts of one do not count: no
  // honest receiver has them.
  void Sack(SeqNum start, SeqNum end, uint32_t mss, Delivery& delivery);

  // The receiver has dropped what it had acknowledged selectively.
  void ForgetSacks();

  // The first lost run; size() if there is none.
  uint32_t FirstLost() const;
  // The first `length` bytes of the lost run `i` leave again.
  void Resend(uint32_t i, uint32_t length, uint32_t now_us);

  // The last `length` bytes, or as many as the last run has, leave again as a
  // probe; returns how many, 0 if there is nothing under way there.
  uint32_t ResendTail(uint32_t length, uint32_t now_us);

  void MarkLost(uint32_t i);
  // The first `length` bytes of the list are lost, if they are under way.
  void MarkHeadLost(uint32_t length);
  void MarkAllLost();
  // All that was deemed lost is under way after all.
  void UnmarkLost();

  // Joins neighbours that differ in nothing.
  void Tidy();

 private:
  SentRange& At(uint32_t i) { return tx_.ranges[i]; }
  uint32_t LengthOf(uint32_t i) const { return tx_.ranges[i].end - StartOf(i); }
  // Cuts run `i` into two, the first of them `length` bytes long. There is
  // room.
  void Cut(uint32_t i, uint32_t length);
  void Remove(uint32_t first, uint32_t n);
  // The first `part` bytes of run `i` are about to go.
  void Shorten(uint32_t i, uint32_t part);
  void Join(uint32_t i);  // with the run after it
  // Makes room for `n` more runs by joining neighbours that are both under way,
  // or both lost. False if that does not suffice.
  bool MakeRoom(uint32_t n);
  // The part of [start, end) in run `i` that consists of whole segments.
  void Align(uint32_t i, uint32_t mss, SeqNum& start, SeqNum& end) const;
  void Deliver(uint32_t i, uint32_t length, bool in_order, Delivery& delivery);
  // What is under way (Pipe of recovery.h).
  uint32_t UnderWay() const;
  // Tells BBR's sampler that something has left; `before` was under way.
  void Log(uint32_t now_us, uint32_t before);

  SendState& tx_;
  SeqNum una_;
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SENT_LIST_H_
