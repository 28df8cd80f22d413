// Putting fragmented datagrams together (RFC 791 section 3.2, RFC 1122 section
// 3.3.2) with hard bounds on what strangers can make us hold.
#ifndef CORELANE_PROTO_IPV4_REASSEMBLY_H_
#define CORELANE_PROTO_IPV4_REASSEMBLY_H_

#include <cstdint>
#include <vector>

#include "proto/base/address.h"
#include "proto/base/siphash.h"
#include "proto/base/time.h"

namespace corelane::ipv4 {

// What the fragments of one datagram have in common.
struct FragmentKey {
  Ipv4Address source;
  Ipv4Address destination;
  uint16_t id = 0;
  uint8_t protocol = 0;

  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

// One fragment: bytes [offset, offset + length) of the datagram's payload.
// `handle` means something to the caller only: the buffer that holds them.
struct Fragment {
  uint64_t handle = 0;
  uint16_t offset = 0;  // a multiple of 8
  uint16_t length = 0;
  bool more = false;  // the MF flag
};

struct ReassemblyLimits {
  uint32_t max_datagrams = 1024;
  // Held fragments, all datagrams together. Each pins one of the caller's
  // buffers whatever its length, so this is the bound on memory.
  uint32_t max_fragments = 4096;
  // 45 carry the longest ping at an MTU of 1500.
  uint32_t max_fragments_per_datagram = 64;
  // Unfinished datagrams of one source (of one hash bucket of sources).
  uint32_t max_datagrams_per_source = 64;
  Duration timeout = 15s;  // since the first fragment came in
};

enum class FragmentStatus : uint8_t {
  kHeld,
  kComplete,  // the datagram can be read, then Finish()ed
  // From here on the fragment was not taken: its handle stays the caller's.
  kEmpty,          // no payload
  kUnaligned,      // MF set and the length no multiple of 8
  kPastEnd,        // ends beyond 65515 bytes
  kDuplicate,      // exactly the range of one that is there
  kOverlap,        // overlaps in part: the whole datagram is dropped
  kEndConflict,    // contradicts where the datagram ends: likewise
  kTooMany,        // max_fragments_per_datagram: likewise
  kDroppedBefore,  // its datagram was dropped for one of those reasons
  kNoSpace,        // no room, and nothing older to evict
};

struct AddResult {
  FragmentStatus status = FragmentStatus::kNoSpace;
  uint32_t datagram = 0;  // when kComplete
};

enum class ReleaseReason : uint8_t {
  kFinished,  // by the caller
  kTimeout,
  kEvicted,    // older than others, and no room
  kMalformed,  // overlap, conflicting ends, too many fragments
  kFlushed,
};

struct Released {
  uint64_t handle = 0;
  ReleaseReason reason = ReleaseReason::kFinished;
  // The fragment at offset 0: with kTimeout, the one to quote in a "reassembly
  // time exceeded" (RFC 1122 section 3.3.2).
  bool first = false;
};

// The datagrams in the making of one core. Owns no bytes. Whatever it lets go
// of waits to be fetched with PopReleased, which is to be called until empty
// after every other call that changes something.
class Reassembly {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  Reassembly(const ReassemblyLimits& limits, const SipKey& key);

  AddResult Add(const FragmentKey& key, const Fragment& fragment, Time now);

  // Reading a complete datagram, in order of offsets:
  //   for (uint32_t i = r.First(d); i != Reassembly::kNone; i = r.Next(i))
  //     Use(r.At(i));
  uint32_t First(uint32_t datagram) const { return datagrams_[datagram].first; }
  uint32_t Next(uint32_t piece) const { return pieces_[piece].next; }
  const Fragment& At(uint32_t piece) const { return pieces_[piece].fragment; }
  // The length of its payload: up to 65515, to which a first header with
  // options does not always fit.
  uint16_t PayloadLength(uint32_t datagram) const {
    return static_cast<uint16_t>(datagrams_[datagram].end);
  }
  // Done with a complete datagram: releases its fragments. To be called before
  // the next Add.
  void Finish(uint32_t datagram);

  // Fetches one handle that is the caller's again; false when there is none.
  bool PopReleased(Released& out);

  // Drops what is too old, a bounded number of datagrams per call; true when
  // there may be more.
  bool Expire(Time now);
  // When Expire wants to be called.
  Time NextDeadline() const;
  // Drops everything.
  void Flush();

  uint32_t held_fragments() const { return held_; }
  uint32_t held_datagrams() const { return unfinished_; }

  // Walks all lists, with no complete datagram being read; for tests.
  bool CheckInvariants() const;

 private:
  struct Piece {
    Fragment fragment;
    uint32_t next = kNone;
    ReleaseReason reason = ReleaseReason::kFinished;
  };

  struct Links {
    uint32_t prev = kNone;
    uint32_t next = kNone;
  };
  struct Ends {
    uint32_t head = kNone;
    uint32_t tail = kNone;
  };

  struct Datagram {
    FragmentKey key;
    uint32_t next_in_bucket = kNone;
    Links age;     // all unfinished datagrams, oldest first
    Links source;  // those of one bucket of sources, oldest first
    uint32_t first = kNone;
    uint32_t last = kNone;
    uint32_t pieces = 0;
    uint32_t bytes = 0;
    uint32_t end = 0;  // valid when has_end
    bool has_end = false;
    bool dropped = false;  // remembered only to refuse what still comes
    Time deadline{};
  };

  struct SourceBucket {
    Ends ends;
    uint32_t count = 0;
  };

  uint32_t BucketOf(const FragmentKey& key) const;
  SourceBucket& SourceOf(Ipv4Address source);
  uint32_t Find(const FragmentKey& key) const;

  uint32_t Create(const FragmentKey& key, Time now);
  bool MakeRoomForPiece(uint32_t except);
  FragmentStatus Place(uint32_t datagram, const Fragment& fragment);
  void InsertAfter(uint32_t datagram, uint32_t before, const Fragment& f);
  void ReleasePieces(uint32_t datagram, ReleaseReason reason);
  void Detach(uint32_t datagram);
  void Drop(uint32_t datagram, ReleaseReason reason);

  void Append(Ends& ends, Links Datagram::*links, uint32_t index);
  void Unlink(Ends& ends, Links Datagram::*links, uint32_t index);

  ReassemblyLimits limits_;
  SipKey key_;
  uint32_t mask_;
  uint32_t held_ = 0;
  uint32_t unfinished_ = 0;
  uint32_t free_datagram_ = kNone;
  uint32_t free_piece_ = kNone;
  Ends age_;
  Ends released_;
  std::vector<uint32_t> buckets_;
  std::vector<SourceBucket> sources_;
  std::vector<Datagram> datagrams_;
  std::vector<Piece> pieces_;
};

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_REASSEMBLY_H_
