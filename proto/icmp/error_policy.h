// Whether an ICMP error may be sent: never where it could start a storm or
// serve a reflection, and never faster than a limit that does not leak.
#ifndef CORELANE_PROTO_ICMP_ERROR_POLICY_H_
#define CORELANE_PROTO_ICMP_ERROR_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/rng.h"
#include "proto/base/siphash.h"
#include "proto/base/time.h"
#include "proto/ipv4/header.h"

namespace corelane::icmp {

enum class ErrorVerdict : uint8_t {
  kMaySend,
  kAboutError,        // the offending packet is an ICMP error itself
  kNotFirstFragment,  //
  kLinkGroup,         // came by link-layer broadcast or multicast
  kGroupDestination,  // IP broadcast or multicast
  kSourceNotOneHost,  // the source is no single host's address
};

// RFC 1122 section 3.2.2. `link_group`: the frame's destination had the group
// bit. `local_broadcast`: source or destination is the directed broadcast of
// one of our networks, which only the caller can know. `payload` is the
// offending packet's, as much as there is.
ErrorVerdict MaySendError(const ipv4::Header& offending, ByteView payload,
                          bool link_group, bool local_broadcast);

struct ErrorLimits {
  // One destination: a burst, then one per interval.
  uint32_t destination_burst = 6;
  Duration destination_interval = 1s;
  // All destinations together: the same, but the burst is drawn anew all the
  // time, between half of this and this.
  uint32_t global_burst = 64;
  Duration global_interval = 1ms;
  // Destinations share these by a keyed hash; a power of two.
  size_t buckets = 4096;
};

// The rate limit of one core. A global limit of fixed size would be a side
// channel: whoever counts his own answers learns how many errors spoofed
// probes drew (SAD DNS, CVE-2020-25705). Here a destination's own limit comes
// first, and how much the global one holds cannot be known.
class ErrorLimiter {
 public:
  ErrorLimiter(const ErrorLimits& limits, const SipKey& secret);

  // Whether an error may be sent to `to` now; takes from both limits when the
  // answer is yes, and from neither when it is no.
  bool Allow(Ipv4Address to, Time now);

 private:
  void RefillGlobal(Time now);

  ErrorLimits limits_;
  SipKey secret_;
  Rng rng_;
  uint32_t global_tokens_;
  Time global_refilled_ = kTimeZero;
  // When the bucket will have recovered all of its burst.
  std::vector<Time> recovered_at_;
};

}  // namespace corelane::icmp

#endif  // CORELANE_PROTO_ICMP_ERROR_POLICY_H_
