// ICMP messages (RFC 792, RFC 1122 section 3.2.2).
#ifndef CORELANE_PROTO_ICMP_MESSAGE_H_
#define CORELANE_PROTO_ICMP_MESSAGE_H_

#include <cstdint>

#include "proto/base/address.h"
#include "proto/base/bytes.h"
#include "proto/base/sequence.h"

namespace corelane::icmp {

inline constexpr uint16_t kHeaderLength = 8;
// An error's IP datagram stays within 576 bytes (RFC 1812 section 4.3.2.3), of
// which 20 are its own IP header.
inline constexpr uint16_t kMaxErrorLength = 576 - 20;

enum Type : uint8_t {
  kEchoReply = 0,
  kUnreachable = 3,
  kSourceQuench = 4,
  kRedirect = 5,
  kEchoRequest = 8,
  kTimeExceeded = 11,
  kParameterProblem = 12,
  kTimestampRequest = 13,
  kTimestampReply = 14,
};

enum UnreachableCode : uint8_t {
  kNetUnreachable = 0,
  kHostUnreachable = 1,
  kProtocolUnreachable = 2,
  kPortUnreachable = 3,
  kFragmentationNeeded = 4,
  kSourceRouteFailed = 5,
  kNetProhibited = 9,
  kHostProhibited = 10,
  kAdminProhibited = 13,
};

enum TimeExceededCode : uint8_t {
  kTtlExceeded = 0,
  kReassemblyExceeded = 1,
};

// A received message; `body` is what follows the 8 bytes of header, and lives
// as long as the packet.
struct Message {
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t rest = 0;  // bytes 4..7, whose meaning depends on the type
  ByteView body;

  // Echo request and reply.
  uint16_t identifier() const { return static_cast<uint16_t>(rest >> 16); }
  uint16_t sequence() const { return static_cast<uint16_t>(rest); }
  // Fragmentation needed (RFC 1191): what the router says; may be 0 or a lie.
  uint16_t next_hop_mtu() const { return static_cast<uint16_t>(rest); }
};

enum class ParseStatus : uint8_t {
  kOk,
  kTruncated,  // shorter than 8 bytes
  kBadChecksum,
};

// Reads a message, `bytes` being the whole IP payload.
ParseStatus Parse(ByteView bytes, bool verify_checksum, Message& out);

// Whether a message of this type is, or may be, an error message. Unknown
// types count as errors, so that none is ever sent about them.
bool MayBeError(uint8_t type);

// Turns an echo request whose checksum is right into its reply, in place; the
// caller swaps the addresses. `message` has at least 8 bytes.
void TurnEchoRequestIntoReply(uint8_t* message);

// Writes the header of an echo request and the checksum over all of `message`,
// whose payload (behind 8 bytes) is already in place.
void WriteEchoRequest(MutableByteView message, uint16_t identifier,
                      uint16_t sequence);

// An error to be sent.
struct Error {
  uint8_t type = kUnreachable;
  uint8_t code = kPortUnreachable;
  uint16_t next_hop_mtu = 0;  // for kFragmentationNeeded only
};

// Writes an error about `offending`, which starts at its (valid) IP header.
// Quotes that header and as much of the datagram as fits into `out` and into
// kMaxErrorLength; padding behind the datagram is never quoted. `out` needs
// 8 + header + 8 bytes; returns the message's length, or 0 when it had not.
uint16_t WriteError(MutableByteView out, const Error& error,
                    ByteView offending);

// The packet that a received error is about, as far as it was quoted. Anybody
// can forge one: it has to match something that is in flight (RFC 5927).
struct QuotedPacket {
  Ipv4Address source;  // ours, when the error is genuine
  Ipv4Address destination;
  uint8_t protocol = 0;
  uint16_t total_length = 0;  // as the quoted header says; not checked
  bool first_fragment = false;
  bool has_ports = false;  // TCP and UDP, when quoted that far
  bool has_seq = false;    // TCP, when quoted that far
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  SeqNum seq;
  ByteView transport;  // what was quoted behind the IP header
};

enum class QuoteStatus : uint8_t {
  kOk,
  kTruncated,        // no complete IP header
  kBadVersion,       // not 4
  kBadHeaderLength,  // IHL below 5
  kBadTotalLength,   // total length below the header's
};

// Reads the quotation in an error message's body. Options in the quoted header
// are stepped over, never read.
QuoteStatus ParseQuoted(ByteView body, QuotedPacket& out);

}  // namespace corelane::icmp

#endif  // CORELANE_PROTO_ICMP_MESSAGE_H_
