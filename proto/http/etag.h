// Entity tags and the condition that asks for them (RFC 9110 sections 8.8.3
// and 13.1.2).
#ifndef CORELANE_PROTO_HTTP_ETAG_H_
#define CORELANE_PROTO_HTTP_ETAG_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace corelane::http {

// A strong tag with its quotes: "\"00000000deadbeef\"".
struct ETag {
  std::array<char, 18> text;

  std::string_view view() const { return {text.data(), text.size()}; }
};

// The tag of a representation whose bytes hash to `content_hash`.
ETag MakeETag(uint64_t content_hash);

// Whether If-None-Match names `etag` (with its quotes, W/ or not) by weak
// comparison, or is "*": then the answer to GET and HEAD is 304. A list is read
// up to where it breaks the syntax, and an absent field (empty) names nothing.
bool IfNoneMatchMatches(std::string_view header_value, std::string_view etag);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_ETAG_H_
