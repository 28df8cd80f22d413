// Cutting a payload into fragments (RFC 791 section 2.3).
#ifndef CORELANE_PROTO_IPV4_FRAGMENTATION_H_
#define CORELANE_PROTO_IPV4_FRAGMENTATION_H_

#include <algorithm>
#include <cstdint>

#include "proto/ipv4/header.h"

namespace corelane::ipv4 {

// One piece: bytes [offset, offset + length) of the payload.
struct FragmentRange {
  uint16_t offset = 0;  // a multiple of 8
  uint16_t length = 0;
  bool more = false;  // what the MF flag says

  friend bool operator==(const FragmentRange&, const FragmentRange&) = default;
};

// Yields the fragments of a payload in order, for headers without options:
//   Fragmenter cut(length, mtu);
//   for (FragmentRange f; cut.Next(f);) ...
// A payload that fits, an empty one included, yields one range with `more`
// false.
class Fragmenter {
 public:
  // `mtu` counts the IP header; below kMinMtu it is taken as kMinMtu, which
  // bounds the number of fragments by 1366. `payload_length` is at most
  // 65515.
  Fragmenter(uint16_t payload_length, uint16_t mtu)
      : length_(payload_length),
        room_(std::max(mtu, kMinMtu) - uint32_t{kHeaderLength}) {}

  bool Next(FragmentRange& out) {
    if (done_) return false;
    const uint32_t left = length_ - offset_;
    const bool more = left > room_;
    const uint32_t take = more ? room_ / 8 * 8 : left;
    out = {static_cast<uint16_t>(offset_), static_cast<uint16_t>(take), more};
    offset_ += take;
    done_ = !more;
    return true;
  }

 private:
  uint32_t length_;
  uint32_t room_;
  uint32_t offset_ = 0;
  bool done_ = false;
};

}  // namespace corelane::ipv4

#endif  // CORELANE_PROTO_IPV4_FRAGMENTATION_H_
