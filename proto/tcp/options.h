// TCP options (RFC 9293 section 3.2). The parser is the one that four
// well-known stacks got wrong: a length byte of 0 must not loop.
#ifndef CORELANE_PROTO_TCP_OPTIONS_H_
#define CORELANE_PROTO_TCP_OPTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/base/sequence.h"

namespace corelane::tcp {

enum OptionKind : uint8_t {
  kOptionEnd = 0,
  kOptionNop = 1,
  kOptionMss = 2,
  kOptionWindowScale = 3,
  kOptionSackPermitted = 4,
  kOptionSack = 5,
  kOptionTimestamps = 8,
};

// RFC 7323 section 2.3: a larger shift count counts as 14.
inline constexpr uint8_t kMaxWindowScale = 14;
inline constexpr size_t kMaxOptionsLength = 40;

struct SackBlock {
  SeqNum start;
  SeqNum end;  // one past the last byte
};

// What a segment's options said. An option that was absent or malformed is
// "not there"; the segment itself is never refused for its options.
struct Options {
  uint16_t mss = 0;  // 0: not there
  uint8_t window_scale = 0;
  bool has_window_scale = false;
  bool sack_permitted = false;
  bool has_timestamps = false;
  uint8_t sack_count = 0;
  uint32_t ts_value = 0;
  uint32_t ts_echo = 0;
  std::array<SackBlock, 4> sack{};
};

// Reads the options between the fixed header and the payload. Unknown kinds
// are skipped by their length; a length below 2 or past the end ends the walk,
// and what came before it counts. At most `bytes.size()` steps.
Options ParseOptions(ByteView bytes);

// What goes into a SYN or SYN-ACK.
struct SynOptions {
  uint16_t mss = 0;
  int window_scale = -1;  // -1: not offered
  bool sack_permitted = false;
  bool has_timestamps = false;
  uint32_t ts_value = 0;
  uint32_t ts_echo = 0;
};

// Writes them, padded to a multiple of 4; returns the length. `out` has room
// for kMaxOptionsLength.
size_t WriteSynOptions(uint8_t* out, const SynOptions& options);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_OPTIONS_H_
