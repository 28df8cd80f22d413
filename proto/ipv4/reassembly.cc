#include "proto/ipv4/reassembly.h"

#include <algorithm>
#include <bit>

#include "proto/ipv4/header.h"

namespace corelane::ipv4 {
namespace {

constexpr uint32_t kMaxPayload = kMaxTotalLength - kHeaderLength;
// Datagrams that one call may evict or expire.
constexpr int kMaxEvictions = 4;
constexpr int kMaxExpiries = 32;

}  // namespace

Reassembly::Reassembly(const ReassemblyLimits& limits, const SipKey& key)
    : limits_(limits), key_(key) {
  limits_.max_datagrams = std::max<uint32_t>(limits_.max_datagrams, 1);
  limits_.max_fragments = std::max<uint32_t>(limits_.max_fragments, 1);
  mask_ = std::bit_ceil(limits_.max_datagrams) - 1;
  buckets_.assign(size_t{mask_} + 1, kNone);
  sources_.resize(size_t{mask_} + 1);
  // One more than may be unfinished: the one that the caller is reading.
  datagrams_.resize(size_t{limits_.max_datagrams} + 1);
  // Released fragments keep their place until they are fetched; one call
  // releases those of its evictions and of the datagram it was about.
  pieces_.resize(limits_.max_fragments +
                 size_t{limits_.max_fragments_per_datagram} *
                     (kMaxEvictions + 2));
  for (uint32_t i = 0; i < datagrams_.size(); ++i) {
    datagrams_[i].next_in_bucket = free_datagram_;
    free_datagram_ = i;
  }
  for (uint32_t i = 0; i < pieces_.size(); ++i) {
    pieces_[i].next = free_piece_;
    free_piece_ = i;
  }
}

uint32_t Reassembly::BucketOf(const FragmentKey& key) const {
  uint8_t bytes[11];
  StoreBe32(bytes, key.source.value());
  StoreBe32(bytes + 4, key.destination.value());
  StoreBe16(bytes + 8, key.id);
  bytes[10] = key.protocol;
  return static_cast<uint32_t>(SipHash13(key_, bytes)) & mask_;
}

Reassembly::SourceBucket& Reassembly::SourceOf(Ipv4Address source) {
  uint8_t bytes[4];
  StoreBe32(bytes, source.value());
  return sources_[static_cast<uint32_t>(SipHash13(key_, bytes)) & mask_];
}

uint32_t Reassembly::Find(const FragmentKey& key) const {
  uint32_t index = buckets_[BucketOf(key)];
  while (index != kNone && datagrams_[index].key != key) {
    index = datagrams_[index].next_in_bucket;
  }
  return index;
}

AddResult Reassembly::Add(const FragmentKey& key, const Fragment& fragment,
                          Time now) {
  if (fragment.length == 0) return {FragmentStatus::kEmpty};
  if (fragment.offset % 8 != 0 || (fragment.more && fragment.length % 8 != 0)) {
    return {FragmentStatus::kUnaligned};
  }
  if (uint32_t{fragment.offset} + fragment.length > kMaxPayload) {
    return {FragmentStatus::kPastEnd};
  }
  uint32_t index = Find(key);
  if (index == kNone) index = Create(key, now);
  if (index == kNone) return {FragmentStatus::kNoSpace};
  Datagram& d = datagrams_[index];
  if (d.dropped) return {FragmentStatus::kDroppedBefore};

  const FragmentStatus status = Place(index, fragment);
  switch (status) {
    case FragmentStatus::kOverlap:
    case FragmentStatus::kEndConflict:
    case FragmentStatus::kTooMany:
      // RFC 5722, made for IPv6, is no less right here; what still comes of
      // this datagram is refused as well.
      ReleasePieces(index, ReleaseReason::kMalformed);
      d.dropped = true;
      break;
    case FragmentStatus::kNoSpace:
      if (d.pieces == 0) Drop(index, ReleaseReason::kEvicted);
      break;
    case FragmentStatus::kHeld:
      // Nothing overlaps, so the lengths adding up means no gap either.
      if (d.has_end && d.bytes == d.end) {
        Detach(index);
        return {FragmentStatus::kComplete, index};
      }
      break;
    default:
      break;
  }
  return {status};
}

uint32_t Reassembly::Create(const FragmentKey& key, Time now) {
  SourceBucket& bucket = SourceOf(key.source);
  if (bucket.count >= limits_.max_datagrams_per_source && bucket.count > 0) {
    Drop(bucket.ends.head, ReleaseReason::kEvicted);
  } else if (unfinished_ >= limits_.max_datagrams) {
    Drop(age_.head, ReleaseReason::kEvicted);
  }
  const uint32_t index = free_datagram_;
  if (index == kNone) return kNone;
  Datagram& d = datagrams_[index];
  free_datagram_ = d.next_in_bucket;
  d = Datagram{};
  d.key = key;
  d.deadline = now + limits_.timeout;
  uint32_t& head = buckets_[BucketOf(key)];
  d.next_in_bucket = head;
  head = index;
  Append(age_, &Datagram::age, index);
  Append(bucket.ends, &Datagram::source, index);
  ++bucket.count;
  ++unfinished_;
  return index;
}

// Finds the fragment's place among those that are there. The walk is bounded
// by max_fragments_per_datagram, and not needed when they come in order.
FragmentStatus Reassembly::Place(uint32_t index, const Fragment& f) {
  const Datagram& d = datagrams_[index];
  const uint32_t end = uint32_t{f.offset} + f.length;
  uint32_t before = kNone;
  uint32_t after = d.first;
  if (d.last != kNone && pieces_[d.last].fragment.offset < f.offset) {
    before = d.last;
    after = kNone;
  }
  while (after != kNone && pieces_[after].fragment.offset < f.offset) {
    before = after;
    after = pieces_[after].next;
  }
  if (after != kNone) {
    const Fragment& a = pieces_[after].fragment;
    if (a.offset == f.offset && a.length == f.length && a.more == f.more) {
      return FragmentStatus::kDuplicate;
    }
    if (a.offset < end) return FragmentStatus::kOverlap;
    if (!f.more) return FragmentStatus::kEndConflict;
  }
  if (before != kNone) {
    const Fragment& b = pieces_[before].fragment;
    if (uint32_t{b.offset} + b.length > f.offset) {
      return FragmentStatus::kOverlap;
    }
  }
  if (d.has_end && (!f.more || end > d.end)) {
    return FragmentStatus::kEndConflict;
  }
  if (d.pieces >= limits_.max_fragments_per_datagram) {
    return FragmentStatus::kTooMany;
  }
  if (!MakeRoomForPiece(index)) return FragmentStatus::kNoSpace;
  InsertAfter(index, before, f);
  return FragmentStatus::kHeld;
}

void Reassembly::InsertAfter(uint32_t index, uint32_t before,
                             const Fragment& f) {
  Datagram& d = datagrams_[index];
  const uint32_t place = free_piece_;
  free_piece_ = pieces_[place].next;
  uint32_t& link = before == kNone ? d.first : pieces_[before].next;
  pieces_[place] = Piece{f, link, ReleaseReason::kFinished};
  link = place;
  if (d.last == before) d.last = place;
  ++d.pieces;
  ++held_;
  d.bytes += f.length;
  if (!f.more) {
    d.has_end = true;
    d.end = uint32_t{f.offset} + f.length;
  }
}

// Evicts the oldest datagrams, but not `except`, until another fragment may be
// held.
bool Reassembly::MakeRoomForPiece(uint32_t except) {
  for (int i = 0; i < kMaxEvictions && held_ >= limits_.max_fragments; ++i) {
    uint32_t oldest = age_.head;
    if (oldest == except) oldest = datagrams_[oldest].age.next;
    if (oldest == kNone) return false;
    Drop(oldest, ReleaseReason::kEvicted);
  }
  return held_ < limits_.max_fragments && free_piece_ != kNone;
}

void Reassembly::ReleasePieces(uint32_t index, ReleaseReason reason) {
  Datagram& d = datagrams_[index];
  if (d.first == kNone) return;
  for (uint32_t i = d.first; i != kNone; i = pieces_[i].next) {
    pieces_[i].reason = reason;
  }
  if (released_.tail == kNone) {
    released_.head = d.first;
  } else {
    pieces_[released_.tail].next = d.first;
  }
  released_.tail = d.last;
  held_ -= d.pieces;
  d.first = kNone;
  d.last = kNone;
  d.pieces = 0;
  d.bytes = 0;
}

// Takes a datagram out of all lists; its fragments stay.
void Reassembly::Detach(uint32_t index) {
  const Datagram& d = datagrams_[index];
  uint32_t* link = &buckets_[BucketOf(d.key)];
  while (*link != index) link = &datagrams_[*link].next_in_bucket;
  *link = d.next_in_bucket;
  SourceBucket& bucket = SourceOf(d.key.source);
  Unlink(age_, &Datagram::age, index);
  Unlink(bucket.ends, &Datagram::source, index);
  --bucket.count;
  --unfinished_;
}

void Reassembly::Finish(uint32_t index) {
  ReleasePieces(index, ReleaseReason::kFinished);
  datagrams_[index].next_in_bucket = free_datagram_;
  free_datagram_ = index;
}

void Reassembly::Drop(uint32_t index, ReleaseReason reason) {
  Detach(index);
  ReleasePieces(index, reason);
  datagrams_[index].next_in_bucket = free_datagram_;
  free_datagram_ = index;
}

bool Reassembly::PopReleased(Released& out) {
  const uint32_t index = released_.head;
  if (index == kNone) return false;
  Piece& piece = pieces_[index];
  out = {piece.fragment.handle, piece.reason, piece.fragment.offset == 0};
  released_.head = piece.next;
  if (released_.head == kNone) released_.tail = kNone;
  piece.next = free_piece_;
  free_piece_ = index;
  return true;
}

bool Reassembly::Expire(Time now) {
  for (int i = 0; i < kMaxExpiries; ++i) {
    if (NextDeadline() > now) return false;
    Drop(age_.head, ReleaseReason::kTimeout);
  }
  return NextDeadline() <= now;
}

Time Reassembly::NextDeadline() const {
  return age_.head == kNone ? kTimeNever : datagrams_[age_.head].deadline;
}

void Reassembly::Flush() {
  while (age_.head != kNone) Drop(age_.head, ReleaseReason::kFlushed);
}

void Reassembly::Append(Ends& ends, Links Datagram::*links, uint32_t index) {
  datagrams_[index].*links = {ends.tail, kNone};
  if (ends.tail == kNone) {
    ends.head = index;
  } else {
    (datagrams_[ends.tail].*links).next = index;
  }
  ends.tail = index;
}

void Reassembly::Unlink(Ends& ends, Links Datagram::*links, uint32_t index) {
  const Links l = datagrams_[index].*links;
  if (l.prev == kNone) {
    ends.head = l.next;
  } else {
    (datagrams_[l.prev].*links).next = l.next;
  }
  if (l.next == kNone) {
    ends.tail = l.prev;
  } else {
    (datagrams_[l.next].*links).prev = l.prev;
  }
}

bool Reassembly::CheckInvariants() const {
  uint32_t datagrams = 0;
  uint32_t held = 0;
  Time last = Time::min();
  for (uint32_t i = age_.head; i != kNone; i = datagrams_[i].age.next) {
    const Datagram& d = datagrams_[i];
    if (++datagrams > unfinished_ || Find(d.key) != i) return false;
    if (d.deadline < last || (d.dropped && d.pieces != 0)) return false;
    last = d.deadline;
    uint32_t pieces = 0;
    uint32_t bytes = 0;
    uint32_t end = 0;
    for (uint32_t p = d.first; p != kNone; p = pieces_[p].next) {
      const Fragment& f = pieces_[p].fragment;
      if (++pieces > d.pieces || f.offset < end) return false;
      end = uint32_t{f.offset} + f.length;
      bytes += f.length;
      if (pieces_[p].next == kNone && p != d.last) return false;
    }
    if (pieces != d.pieces || bytes != d.bytes) return false;
    if (d.has_end && !d.dropped && (end > d.end || bytes >= d.end)) {
      return false;
    }
    held += pieces;
  }
  return datagrams == unfinished_ && held == held_ &&
         unfinished_ <= limits_.max_datagrams && held_ <= limits_.max_fragments;
}

}  // namespace corelane::ipv4
