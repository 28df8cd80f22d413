#include "proto/tcp/options.h"

#include <algorithm>

namespace corelane::tcp {
namespace {

void ParseSack(const uint8_t* data, size_t length, Options& out) {
  // RFC 2018 section 3: 8n bytes, n from 1 to 4.
  if (length % 8 != 0) return;
  const size_t count = std::min<size_t>(length / 8, out.sack.size());
  for (size_t i = 0; i < count; ++i) {
    out.sack[i] = {SeqNum(LoadBe32(data + 8 * i)),
                   SeqNum(LoadBe32(data + 8 * i + 4))};
  }
  out.sack_count = static_cast<uint8_t>(count);
}

// `data` and `length` are the option's value, without kind and length bytes.
void ParseOne(uint8_t kind, const uint8_t* data, size_t length, Options& out) {
  switch (kind) {
    case kOptionMss:
      if (length == 2) out.mss = LoadBe16(data);
      break;
    case kOptionWindowScale:
      if (length == 1) {
        out.has_window_scale = true;
        out.window_scale = std::min(data[0], kMaxWindowScale);
      }
      break;
    case kOptionSackPermitted:
      if (length == 0) out.sack_permitted = true;
      break;
    case kOptionSack:
      ParseSack(data, length, out);
      break;
    case kOptionTimestamps:
      if (length == 8) {
        out.has_timestamps = true;
        out.ts_value = LoadBe32(data);
        out.ts_echo = LoadBe32(data + 4);
      }
      break;
    default:
      break;
  }
}

}  // namespace

Options ParseOptions(ByteView bytes) {
  Options out;
  size_t i = 0;
  while (i < bytes.size()) {
    const uint8_t kind = bytes[i];
    if (kind == kOptionEnd) break;
    if (kind == kOptionNop) {
      ++i;
      continue;
    }
    if (bytes.size() - i < 2) break;
    const size_t length = bytes[i + 1];
    // Below 2 it would not advance; past the end it would read the payload.
    if (length < 2 || length > bytes.size() - i) break;
    ParseOne(kind, bytes.data() + i + 2, length - 2, out);
    i += length;
  }
  return out;
}

// SACK-permitted stands where the timestamps' two bytes of padding would: then
// all four options take 20 bytes. The order is that of Linux, which middleboxes
// have seen most.
size_t WriteSynOptions(uint8_t* out, const SynOptions& options) {
  uint8_t* p = out;
  *p++ = kOptionMss;
  *p++ = 4;
  StoreBe16(p, options.mss);
  p += 2;
  if (options.has_timestamps != options.sack_permitted) {
    *p++ = kOptionNop;
    *p++ = kOptionNop;
  }
  if (options.sack_permitted) {
    *p++ = kOptionSackPermitted;
    *p++ = 2;
  }
  if (options.has_timestamps) {
    *p++ = kOptionTimestamps;
    *p++ = 10;
    StoreBe32(p, options.ts_value);
    StoreBe32(p + 4, options.ts_echo);
    p += 8;
  }
  if (options.window_scale >= 0) {
    *p++ = kOptionNop;
    *p++ = kOptionWindowScale;
    *p++ = 3;
    *p++ = static_cast<uint8_t>(options.window_scale);
  }
  return static_cast<size_t>(p - out);
}

}  // namespace corelane::tcp
