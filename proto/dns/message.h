// As much of DNS (RFC 1035) as it takes to ask and to check the answer: queries
// with one question, over UDP, without EDNS.
#ifndef CORELANE_PROTO_DNS_MESSAGE_H_
#define CORELANE_PROTO_DNS_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"

namespace corelane::dns {

inline constexpr size_t kHeaderLength = 12;

// Types (RFC 1035 section 3.2.2, RFC 3596).
inline constexpr uint16_t kA = 1;
inline constexpr uint16_t kNs = 2;
inline constexpr uint16_t kCname = 5;
inline constexpr uint16_t kPtr = 12;
inline constexpr uint16_t kAaaa = 28;

// "A", "aaaa", "TYPE65" (RFC 3597); nullopt if it is none.
std::optional<uint16_t> ParseType(std::string_view text);
// "NOERROR", "NXDOMAIN"; nullopt if it is none.
std::optional<uint8_t> ParseRcode(std::string_view text);

// "www.example.com", with or without a dot at its end, as it stands on the wire
// (section 3.1), in lower case; nullopt if a label or the whole is too long, or
// a label empty. "." is the root.
std::optional<std::vector<uint8_t>> EncodeName(std::string_view text);

// A query for it, recursion desired, with an ID of 0. `name` as from
// EncodeName.
std::vector<uint8_t> MakeQuery(ByteView name, uint16_t type);
inline void SetId(uint8_t* query, uint16_t id) { StoreBe16(query, id); }

struct Header {
  uint16_t id = 0;
  bool is_response = false;
  bool truncated = false;
  uint8_t rcode = 0;
};
// nullopt if the message is shorter than a header.
std::optional<Header> ReadHeader(ByteView message);

// Whether `response` has the one question that `query` (from MakeQuery) asks.
bool EchoesQuestion(ByteView response, ByteView query);

// Whether one of the answers has this type and these data; names in it (NS,
// CNAME, PTR) are compared as names, compressed or not. False as well if the
// message makes no sense before one is found.
bool HasAnswer(ByteView response, uint16_t type, ByteView data);

}  // namespace corelane::dns

#endif  // CORELANE_PROTO_DNS_MESSAGE_H_
