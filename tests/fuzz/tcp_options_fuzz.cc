// TCP options from arbitrary bytes: the parser ends, stays within them, and
// what it says holds. The corpus is replayed as an ordinary test.
#include <cstddef>
#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/tcp/options.h"

namespace corelane::tcp {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

bool Same(const Options& a, const Options& b) {
  bool same = a.mss == b.mss && a.window_scale == b.window_scale &&
              a.has_window_scale == b.has_window_scale &&
              a.sack_permitted == b.sack_permitted &&
              a.has_timestamps == b.has_timestamps &&
              a.ts_value == b.ts_value && a.ts_echo == b.ts_echo &&
              a.sack_count == b.sack_count;
  for (size_t i = 0; same && i < a.sack_count; ++i) {
    same = a.sack[i].start == b.sack[i].start && a.sack[i].end == b.sack[i].end;
  }
  return same;
}

void FuzzOne(ByteView bytes) {
  const Options options = ParseOptions(bytes);
  Check(options.sack_count <= options.sack.size());
  Check(options.window_scale <= kMaxWindowScale);
  Check(options.has_window_scale || options.window_scale == 0);
  Check(options.has_timestamps || (options.ts_value | options.ts_echo) == 0);

  // NOPs before it change nothing, and neither does what follows the end.
  uint8_t padded[2 * kMaxOptionsLength] = {};
  if (bytes.size() > kMaxOptionsLength) return;
  for (size_t i = 0; i < 4; ++i) padded[i] = kOptionNop;
  for (size_t i = 0; i < bytes.size(); ++i) padded[4 + i] = bytes[i];
  Check(Same(options, ParseOptions({padded, 4 + bytes.size()})));

  if (options.mss == 0) return;
  uint8_t written[kMaxOptionsLength];
  const size_t length = WriteSynOptions(
      written,
      {options.mss, options.has_window_scale ? options.window_scale : -1});
  const Options again = ParseOptions({written, length});
  Check(again.mss == options.mss);
  Check(again.has_window_scale == options.has_window_scale);
  Check(again.window_scale == options.window_scale);
}

}  // namespace
}  // namespace corelane::tcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  corelane::tcp::FuzzOne({data, size});
  return 0;
}
