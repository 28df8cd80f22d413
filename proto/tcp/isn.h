// Initial sequence numbers (RFC 6528): ISN = M + F(connection, secret).
#ifndef CORELANE_PROTO_TCP_ISN_H_
#define CORELANE_PROTO_TCP_ISN_H_

#include "proto/base/sequence.h"
#include "proto/base/siphash.h"
#include "proto/base/time.h"
#include "proto/tcp/control_block.h"

namespace corelane::tcp {

// M advances by one every 4 microseconds, so that a connection's successor
// begins past it; F, SipHash-2-4, hides where. `secret` is drawn at start.
SeqNum InitialSequence(const FlowKey& key, const SipKey& secret, Time now);

// Where our timestamps of a connection begin: TSval = milliseconds + offset
// (RFC 7323 section 5.4 and 7.1). One address pair always has the same, so that
// a successor's timestamps are past those of its predecessor (RFC 6191), and
// nobody can tell from them how long the host is up.
uint32_t TimestampOffset(const FlowKey& key, const SipKey& secret);

}  // namespace corelane::tcp

#endif  // CORELANE_PROTO_TCP_ISN_H_
