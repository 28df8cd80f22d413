// A segment that TCP wants sent. Whoever owns the bytes fills them in.
#ifndef CORELANE_PROTO_TCP_SEGMENT_SPEC_H_
#define CORELANE_PROTO_TCP_SEGMENT_SPEC_H_

#include <array>
#include <cstdint>

#include "proto/base/sequence.h"
#include "proto/tcp/header.h"
#include "proto/tcp/options.h"

namespace corelane::tcp {

struct SegmentSpec {
  SeqNum seq;
  SeqNum ack;
  uint32_t length = 0;  // payload: the stream's bytes [seq, seq + length)
  // Not 0: it stands for several segments, each with so much of the payload.
  // All say the same, but PSH and FIN are for the last only.
  uint16_t piece = 0;
  uint16_t window = 0;  // as it stands in the header
  uint8_t flags = 0;
  // ECN-capable transport: set ECT(0) in the IP header (RFC 3168).
  bool ect = false;
  bool has_syn_options = false;
  SynOptions syn_options;
  // Options of all other segments.
  bool has_timestamps = false;
  uint8_t sack_count = 0;
  uint32_t ts_value = 0;
  uint32_t ts_echo = 0;
  std::array<SackBlock, 4> sack;  // the first sack_count count
};

// Writes the segment's options, padded to a multiple of 4, and returns their
// length. `out` has room for kMaxOptionsLength.
size_t WriteOptions(uint8_t* out, const SegmentSpec& spec);

// How many bytes those are.
inline size_t OptionsLength(const SegmentSpec& spec) {
  if (spec.has_syn_options) [[unlikely]] {
    uint8_t scratch[kMaxOptionsLength];
    return WriteSynOptions(scratch, spec.syn_options);
  }
  return (spec.has_timestamps ? 12u : 0u) +
         (spec.sack_count > 0 ? 4u + 8u * spec.sack_count : 0u);
}

// The reset that answers a segment for which there is no connection (RFC 9293
// section 3.10.7.1). Must not be called for a segment that is itself a reset.
inline SegmentSpec ResetFor(const Segment& segment) {
  SegmentSpec spec;
  if (segment.Has(kAck)) {
    spec.seq = segment.ack;
    spec.flags = kRst;
  } else {
    spec.ack = segment.seq + segment.Length();
    spec.flags = kRst | kAck;
  }
  return spec;
}

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SEGMENT_SPEC_H_
