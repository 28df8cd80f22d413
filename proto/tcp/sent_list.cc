#include "proto/tcp/sent_list.h"

#include <algorithm>

#include "proto/tcp/bbr.h"

namespace corelane::tcp {
namespace {

using Fate = SentRange::Fate;

// Microseconds from `a` to `b`, which may lie a little before it.
int32_t Since(uint32_t a, uint32_t b) { return static_cast<int32_t>(b - a); }

}  // namespace

void SentList::Remove(uint32_t first, uint32_t n) {
  auto begin = tx_.ranges.begin();
  std::copy(begin + first + n, begin + size(), begin + first);
  tx_.range_count = static_cast<uint8_t>(size() - n);
}

void SentList::Cut(uint32_t i, uint32_t length) {
  const SeqNum start = StartOf(i);
  const uint32_t whole = LengthOf(i);
  auto begin = tx_.ranges.begin();
  std::copy_backward(begin + i, begin + size(), begin + size() + 1);
  tx_.range_count = static_cast<uint8_t>(size() + 1);
  SentRange& first = At(i);
  SentRange& second = At(i + 1);
  first.end = start + length;
  // Which segments lie where is not remembered; they are mostly alike.
  const uint32_t segments = second.segments;
  uint32_t share =
      static_cast<uint32_t>((uint64_t{segments} * length + whole / 2) / whole);
  share = std::clamp<uint32_t>(share, 1, std::max<uint32_t>(segments, 2) - 1);
  first.segments = static_cast<uint16_t>(share);
  second.segments = static_cast<uint16_t>(
      std::max<uint32_t>(segments > share ? segments - share : 0, 1));
}

void SentList::Join(uint32_t i) {
  SentRange& first = At(i);
  const SentRange& second = At(i + 1);
  first.end = second.end;
  first.segments = static_cast<uint16_t>(
      std::min<uint32_t>(first.segments + second.segments, 0xffff));
  first.retransmitted |= second.retransmitted;
  if (Since(first.sent_us, second.sent_us) > 0) first.sent_us = second.sent_us;
  Remove(i + 1, 1);
}

bool SentList::MakeRoom(uint32_t n) {
  while (size() + n > SendState::kMaxRanges) {
    uint32_t best = size();
    int32_t least = 0;
    for (uint32_t i = 0; i + 1 < size(); ++i) {
      const SentRange& a = At(i);
      const SentRange& b = At(i + 1);
      if (a.fate != b.fate || a.fate == Fate::kSacked) continue;
      // When what is lost was sent does not matter any more.
      const int32_t apart =
          a.fate == Fate::kLost ? 0 : std::abs(Since(a.sent_us, b.sent_us));
      if (best == size() || apart < least) {
        best = i;
        least = apart;
      }
    }
    if (best == size()) return false;
    Join(best);
    // BBR's least round-trip time must not come from a time that is not the
    // segment's own.
    if (tx_.bbr != nullptr && least > 0) At(best).retransmitted = true;
  }
  return true;
}

uint32_t SentList::UnderWay() const {
  const uint32_t all = empty() ? 0 : tx_.ranges[size() - 1].end - una_;
  const uint32_t out = tx_.sacked_bytes + tx_.lost_bytes;
  return all > out ? all - out : 0;
}

void SentList::Log(uint32_t now_us, uint32_t before) {
  tx_.bbr->sampler.OnSend(now_us, UnderWay(), before == 0, tx_.bbr->grain_us);
}

bool SentList::AppendLogged(SeqNum end, uint32_t now_us, uint32_t grain_us) {
  const uint32_t before = UnderWay();
  if (!Append(end, now_us, grain_us)) return false;
  Log(now_us, before);
  return true;
}

bool SentList::Append(SeqNum end, uint32_t now_us, uint32_t grain_us,
                      uint32_t segments) {
  if (!empty()) {
    SentRange& last = At(size() - 1);
    // Retransmissions in between would confuse the order of times.
    const bool unsealed = !tx_.Has(kRunSealed);
    if (last.fate == Fate::kInFlight && !last.retransmitted && unsealed &&
        now_us - last.sent_us <= grain_us &&
        last.segments + segments <= 0xffff) {
      last.end = end;
      last.segments = static_cast<uint16_t>(last.segments + segments);
      return true;
    }
  }
  if (!MakeRoom(1)) return false;
  tx_.Clear(kRunSealed);
  At(size()) = {end, now_us, static_cast<uint16_t>(segments), Fate::kInFlight,
                false};
  ++tx_.range_count;
  return true;
}

// Notes that the first `length` bytes of run `i` have arrived, and takes them
// out of the sums.
void SentList::Deliver(uint32_t i, uint32_t length, bool in_order,
                       Delivery& delivery) {
  const SentRange& run = At(i);
  if (run.fate == Fate::kSacked) {
    if (in_order) tx_.sacked_bytes -= length;
    return;
  }
  if (run.fate == Fate::kLost) tx_.lost_bytes -= length;
  const SeqNum end = StartOf(i) + length;
  delivery.bytes += length;
  delivery.last_us = run.sent_us;
  delivery.last_resent = run.retransmitted;
  if (run.retransmitted) {
    delivery.resent = true;
  } else {
    delivery.has_once = true;
    delivery.once_us = run.sent_us;
    if (end <= tx_.recover) delivery.original += length;
    if (end < tx_.fack) {
      const SeqNum start = StartOf(i);
      delivery.lowest_late =
          delivery.out_of_order ? SeqMin(delivery.lowest_late, start) : start;
      delivery.out_of_order = true;
    }
    if (in_order && !delivery.has_first) {
      delivery.has_first = true;
      delivery.first_us = run.sent_us;
    }
  }
  delivery.highest_end =
      delivery.has_latest ? SeqMax(delivery.highest_end, end) : end;
  const int32_t later = Since(delivery.latest_us, run.sent_us);
  if (!delivery.has_latest || later > 0 ||
      (later == 0 && end > delivery.latest_end)) {
    delivery.has_latest = true;
    delivery.latest_us = run.sent_us;
    delivery.latest_end = end;
    delivery.latest_resent = run.retransmitted;
  }
}

void SentList::AckUpTo(SeqNum ack, Delivery& delivery) {
  uint32_t whole = 0;
  while (whole < size() && At(whole).end <= ack) {
    Deliver(whole, LengthOf(whole), true, delivery);
    ++whole;
  }
  if (whole < size() && StartOf(whole) < ack) {
    const uint32_t part = ack - StartOf(whole);
    Deliver(whole, part, true, delivery);
    Shorten(whole, part);
  }
  Remove(0, whole);
  una_ = ack;
}

void SentList::Shorten(uint32_t i, uint32_t part) {
  SentRange& run = At(i);
  const uint32_t length = LengthOf(i);
  const uint64_t left = uint64_t{run.segments} * (length - part) / length;
  run.segments = static_cast<uint16_t>(std::max<uint64_t>(left, 1));
}

void SentList::AckInFirst(SeqNum ack) {
  if (ack == At(0).end) {
    Remove(0, 1);
  } else {
    Shorten(0, ack - una_);
  }
  una_ = ack;
}

void SentList::Align(uint32_t i, uint32_t mss, SeqNum& start,
                     SeqNum& end) const {
  const SeqNum first = StartOf(i);
  start = SeqMax(start, first);
  end = SeqMin(end, tx_.ranges[i].end);
  if (LengthOf(i) != tx_.ranges[i].segments * mss) return;
  start = first + (start - first + mss - 1) / mss * mss;
  end = first + (end - first) / mss * mss;
}

void SentList::Sack(SeqNum block_start, SeqNum block_end, uint32_t mss,
                    Delivery& delivery) {
  // Two cuts at most. Without room for them only whole runs are believed.
  const bool room = MakeRoom(2);
  for (uint32_t i = 0; i < size(); ++i) {
    if (At(i).end <= block_start) continue;
    if (StartOf(i) >= block_end) break;
    if (At(i).fate == Fate::kSacked) continue;
    SeqNum start = block_start;
    SeqNum end = block_end;
    Align(i, mss, start, end);
    if (start >= end) continue;
    if (StartOf(i) < start) {
      if (!room) continue;
      Cut(i, start - StartOf(i));
      continue;  // with the second part
    }
    if (At(i).end > end) {
      if (!room) break;
      Cut(i, end - StartOf(i));
    }
    const uint32_t length = LengthOf(i);
    Deliver(i, length, false, delivery);
    At(i).fate = Fate::kSacked;
    tx_.sacked_bytes += length;
  }
  Tidy();
}

void SentList::ForgetSacks() {
  for (uint32_t i = 0; i < size(); ++i) {
    if (At(i).fate != Fate::kSacked) continue;
    At(i).fate = Fate::kInFlight;
    At(i).retransmitted = true;  // its times are worth nothing any more
  }
  tx_.sacked_bytes = 0;
}

uint32_t SentList::ResendTail(uint32_t length, uint32_t now_us) {
  if (empty()) return 0;
  tx_.Set(kRunSealed);
  uint32_t last = size() - 1;
  const uint32_t whole = LengthOf(last);
  if (At(last).fate != Fate::kInFlight) return 0;
  length = std::min(length, whole);
  if (length < whole && MakeRoom(1)) {
    last = size() - 1;
    if (length < LengthOf(last)) Cut(last, LengthOf(last) - length);
    last = size() - 1;
  }
  At(last).sent_us = now_us;
  At(last).retransmitted = true;
  if (tx_.bbr != nullptr) Log(now_us, UnderWay());
  return length;
}

uint32_t SentList::FirstLost() const {
  if (tx_.lost_bytes == 0) return size();
  uint32_t i = 0;
  while (i < size() && (*this)[i].fate != Fate::kLost) ++i;
  return i;
}

void SentList::Resend(uint32_t i, uint32_t length, uint32_t now_us) {
  tx_.Set(kRunSealed);
  const uint32_t before = tx_.bbr != nullptr ? UnderWay() : 0;
  const SeqNum start = StartOf(i);
  if (length < LengthOf(i)) {
    if (MakeRoom(1)) {
      i = 0;  // joining may have moved it
      while (At(i).end <= start) ++i;
      Cut(i, length);
    }
    // Else all of it counts as sent: RACK or the timer will find the rest.
  }
  SentRange& run = At(i);
  tx_.lost_bytes -= LengthOf(i);
  run.fate = Fate::kInFlight;
  run.sent_us = now_us;
  run.retransmitted = true;
  if (i > 0 && At(i - 1).fate == Fate::kInFlight && At(i - 1).retransmitted &&
      At(i - 1).sent_us == now_us) {
    Join(i - 1);
  }
  if (tx_.bbr != nullptr) Log(now_us, before);
}

void SentList::MarkLost(uint32_t i) {
  if (At(i).fate != Fate::kInFlight) return;
  At(i).fate = Fate::kLost;
  tx_.lost_bytes += LengthOf(i);
  if (tx_.bbr != nullptr) {
    const bool separate = i == 0 || At(i - 1).fate != Fate::kLost;
    BbrOnLoss(*tx_.bbr, LengthOf(i), At(i).sent_us, separate);
  }
}

void SentList::MarkHeadLost(uint32_t length) {
  if (empty() || At(0).fate != Fate::kInFlight) return;
  if (length < LengthOf(0)) {
    if (!MakeRoom(1)) return;
    if (length < LengthOf(0)) Cut(0, length);
  }
  MarkLost(0);
}

void SentList::MarkAllLost() {
  for (uint32_t i = 0; i < size(); ++i) MarkLost(i);
}

void SentList::UnmarkLost() {
  for (uint32_t i = 0; i < size(); ++i) {
    if (At(i).fate == Fate::kLost) At(i).fate = Fate::kInFlight;
  }
  tx_.lost_bytes = 0;
}

void SentList::Tidy() {
  for (uint32_t i = 0; i + 1 < size();) {
    const SentRange& a = At(i);
    const SentRange& b = At(i + 1);
    const bool alike =
        a.fate == b.fate &&
        (a.fate == Fate::kSacked ||
         (a.sent_us == b.sent_us && a.retransmitted == b.retransmitted));
    if (alike && uint32_t{a.segments} + b.segments < 0xffff) {
      Join(i);
    } else {
      ++i;
    }
  }
}

}  // namespace corelane::tcp
