#include "proto/tcp/segment_spec.h"

namespace corelane::tcp {

size_t WriteOptions(uint8_t* out, const SegmentSpec& spec) {
  if (spec.has_syn_options) return WriteSynOptions(out, spec.syn_options);
  uint8_t* p = out;
  if (spec.has_timestamps) {
    *p++ = kOptionNop;
    *p++ = kOptionNop;
    *p++ = kOptionTimestamps;
    *p++ = 10;
    StoreBe32(p, spec.ts_value);
    StoreBe32(p + 4, spec.ts_echo);
    p += 8;
  }
  if (spec.sack_count > 0) {
    *p++ = kOptionNop;
    *p++ = kOptionNop;
    *p++ = kOptionSack;
    *p++ = static_cast<uint8_t>(2 + 8 * spec.sack_count);
    for (uint8_t i = 0; i < spec.sack_count; ++i) {
      StoreBe32(p, spec.sack[i].start.value());
      StoreBe32(p + 4, spec.sack[i].end.value());
      p += 8;
    }
  }
  return static_cast<size_t>(p - out);
}

}  // namespace corelane::tcp
