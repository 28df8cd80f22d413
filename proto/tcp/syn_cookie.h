// SYN cookies (RFC 4987 section 3.6): a SYN that finds no room for a request is
// answered all the same, and everything that the request would have held comes
// back with the ACK that completes the handshake.
//
// Our initial sequence number is the cookie, and if the peer sent timestamps
// the low bits of ours carry what does not fit into it:
//
//   ISN    28 bits of a keyed hash | 1: timestamps | 3: which MSS
//   TSval  26 bits of time | 1: ECN | 1: SACK | 4: window scale, 15: none
//
// The hash is over the address pair, the peer's sequence number, the minute and
// all the bits beside it. Without timestamps there is no window scale, no SACK
// and no ECN. The minute is that of the check or the one before, so a cookie is
// good for one to two minutes.
#ifndef CORELANE_PROTO_TCP_SYN_COOKIE_H_
#define CORELANE_PROTO_TCP_SYN_COOKIE_H_

#include "proto/base/siphash.h"
#include "proto/base/time.h"
#include "proto/tcp/handshake.h"

namespace corelane::tcp {

// No cookie is accepted any more that long after it was sent.
inline constexpr Duration kCookieLifetime = 120s;

// The SYN-ACK that stands for a request which has come so far as OpenPassive.
// What a cookie cannot hold is taken out of the request.
SegmentSpec CookieSynAck(Request& request, uint16_t mss, const Config& config,
                         const SipKey& secret, Time now);

// Makes the request again from the ACK of a cookie. The caller has set key,
// port, listener and ts_offset. False if it is no cookie of ours, or too old.
bool OpenFromCookie(Request& request, const Segment& ack, const SipKey& secret,
                    Time now);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_SYN_COOKIE_H_
