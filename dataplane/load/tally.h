// What a load has brought about.
#ifndef CORELANE_DATAPLANE_LOAD_TALLY_H_
#define CORELANE_DATAPLANE_LOAD_TALLY_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/load/histogram.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

// What became of a request, or of a connection that was meant to carry some.
enum class Outcome : uint8_t {
  kOk,
  kRefused,      // RST in answer to our SYN, or port unreachable
  kReset,        // RST later
  kClosed,       // the server closed before it had answered
  kTimedOut,     // no answer in time
  kUnreachable,  // no route, no MAC address, ICMP
  kWrong,        // an answer, but not the one that was wanted
  kLost,         // a datagram without an answer
  kNotSent,      // no connection was free when it was due, for too long
  kCount,
};

inline constexpr size_t kOutcomes = static_cast<size_t>(Outcome::kCount);
inline constexpr std::array<const char*, kOutcomes> kOutcomeNames = {
    "ok",          "refused", "reset", "closed early", "timed out",
    "unreachable", "wrong",   "lost",  "not sent"};

struct Tally {
  uint64_t sent = 0;       // requests
  uint64_t opened = 0;     // connections
  uint64_t ended = 0;      // of those, in hold: that did not last
  Duration opening{};      // hold: how long it took to open them
  uint64_t bytes_out = 0;  // of requests
  uint64_t bytes_in = 0;   // of answers
  std::array<uint64_t, kOutcomes> outcomes{};
  uint64_t segments_in = 0;  // of bulk
  uint64_t segments_out = 0;
  // Of stateless connections only.
  uint64_t finished = 0;  // seen to be closed in order
  Histogram handshake;    // from when they were due to the server's SYN-ACK
  // Packets of `blast pps` only.
  uint64_t late = 0;      // came after one that was sent later
  uint64_t doubled = 0;   // came once more
  uint64_t foreign = 0;   // no packets of ours; not counted otherwise
  uint64_t received = 0;  // frames, of `blast replay` only
  Histogram latency;      // of those that went well, from when they were due

  uint64_t Of(Outcome o) const { return outcomes[static_cast<size_t>(o)]; }
  void Note(Outcome o) { ++outcomes[static_cast<size_t>(o)]; }
  uint64_t Errors() const {
    uint64_t sum = 0;
    for (size_t i = 1; i < kOutcomes; ++i) sum += outcomes[i];
    return sum;
  }
  void Add(const Tally& other) {
    sent += other.sent;
    opened += other.opened;
    ended += other.ended;
    opening = std::max(opening, other.opening);
    bytes_out += other.bytes_out;
    bytes_in += other.bytes_in;
    for (size_t i = 0; i < kOutcomes; ++i) outcomes[i] += other.outcomes[i];
    segments_in += other.segments_in;
    segments_out += other.segments_out;
    finished += other.finished;
    handshake.Add(other.handshake);
    late += other.late;
    doubled += other.doubled;
    foreign += other.foreign;
    received += other.received;
    latency.Add(other.latency);
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_LOAD_TALLY_H_
