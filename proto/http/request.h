// The head of an HTTP/1.x request, parsed strictly (RFC 9112 sections 2 to 6):
// where the RFC leaves the choice between repairing and refusing, we refuse.
#ifndef CORELANE_PROTO_HTTP_REQUEST_H_
#define CORELANE_PROTO_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/http/head_progress.h"
#include "proto/http/method.h"

namespace corelane::http {

struct BodyFraming {
  enum class Kind : uint8_t { kNone, kLength, kChunked };

  Kind kind = Kind::kNone;
  uint64_t content_length = 0;  // bytes; 0 unless kLength
};

// Views point into the bytes that were given to the parser and live as long,
// but for `path`, which may be a static "/".
struct RequestHead {
  Method method = Method::kOther;
  uint8_t minor_version = 1;  // of HTTP/1.x; above 1 means 1
  // Whether the connection may serve another request after this one.
  bool keep_alive = false;
  // Whether the client waits for "100 Continue" before it sends the body.
  // False without a body, and for HTTP/1.0 (RFC 9110 section 10.1.1).
  bool expect_continue = false;
  BodyFraming body;
  std::string_view target;  // as sent
  // Not decoded, without the query: "/a" for "/a?b" and for "http://h/a?b",
  // "*" for OPTIONS *, empty for CONNECT. See path.h.
  std::string_view path;
  // The authority of the target if it has one, else the Host field's value.
  std::string_view host;
  std::string_view if_none_match;  // raw, empty if absent. See etag.h.
};

// Bytes count from the first one given, empty lines before the request line
// included.
struct HeadLimits {
  uint32_t max_head = 8192;
  uint32_t max_target = 8000;  // RFC 9110 section 4.1 wants at least that
  uint32_t max_method = 32;
  uint32_t max_fields = 100;
};

enum class ParseStatus : uint8_t { kComplete, kNeedMore, kBad };

struct ParseResult {
  ParseStatus status = ParseStatus::kNeedMore;
  // kComplete: the length of the head, its empty line included; what follows
  // is the body or the next request. 0 otherwise.
  size_t consumed = 0;
  // kBad: what to answer before closing, 400, 414, 431, 501 or 505. Else 0.
  int http_status = 0;
};

// Parses the head at the start of `bytes`. `out` is written only if kComplete.
// Refuses as soon as the bytes show an error, and looks at no more than
// `limits.max_head` bytes.
ParseResult ParseRequestHead(std::string_view bytes, const HeadLimits& limits,
                             RequestHead& out);

// The same for a head that arrives in pieces: after kNeedMore call again with
// the same `progress` and a longer view that starts with the same bytes (which
// may have moved). However the head is cut, the total work is linear and the
// result the same. After kComplete or kBad, `progress` must be reset.
ParseResult ResumeRequestHead(std::string_view bytes, const HeadLimits& limits,
                              HeadProgress& progress, RequestHead& out);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_REQUEST_H_
