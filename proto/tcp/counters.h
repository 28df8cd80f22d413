// What TCP counts. One set per core, plain integers; others read them racily.
#ifndef CORELANE_PROTO_TCP_COUNTERS_H_
#define CORELANE_PROTO_TCP_COUNTERS_H_

#include <cstdint>

namespace corelane::tcp {

struct Counters {
  uint64_t segments_in = 0;
  uint64_t segments_out = 0;
  uint64_t predicted_data = 0;  // taken by header prediction
  uint64_t predicted_acks = 0;
  uint64_t acks_merged = 0;  // left out, as the next one said more
  uint64_t bytes_in = 0;     // delivered in order
  uint64_t bytes_out = 0;    // sent for the first time
  uint64_t active_opens = 0;
  uint64_t passive_opens = 0;
  uint64_t failed_opens = 0;
  uint64_t resets_in = 0;
  uint64_t resets_out = 0;
  uint64_t retransmits = 0;
  uint64_t fast_retransmits = 0;
  uint64_t timeouts = 0;           // RTO expirations
  uint64_t spurious_timeouts = 0;  // found so by F-RTO or Eifel
  uint64_t undos = 0;              // reductions of the window taken back
  uint64_t tail_probes = 0;        // RFC 8985 section 7
  uint64_t dsacks_in = 0;          // duplicates that peers reported
  uint64_t ecn_reductions = 0;
  uint64_t ecn_marks_in = 0;  // segments that came with CE
  uint64_t paws_dropped = 0;
  uint64_t keepalive_probes = 0;
  uint64_t window_probes = 0;
  uint64_t out_of_order = 0;
  uint64_t duplicate_data = 0;
  uint64_t duplicate_acks = 0;
  uint64_t unacceptable = 0;
  uint64_t challenge_acks = 0;
  uint64_t delayed_acks = 0;
  uint64_t gave_up = 0;  // connections ended by R2
  uint64_t syn_cookies_sent = 0;
  uint64_t syn_cookies_accepted = 0;
  uint64_t syn_cookies_failed = 0;  // stray ACKs while some were out
};

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_COUNTERS_H_
