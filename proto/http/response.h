// Response heads, written into the caller's buffer (RFC 9112 section 4).
#ifndef CORELANE_PROTO_HTTP_RESPONSE_H_
#define CORELANE_PROTO_HTTP_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/base/bytes.h"

namespace corelane::http {

enum class ConnectionField : uint8_t { kNone, kClose, kKeepAlive };

// Which one a response needs: silence means "keep" to an HTTP/1.1 client, and
// "close" to an HTTP/1.0 one (RFC 9112 section 9.3). `keep_alive` is what the
// server decides; the client must have agreed, see RequestHead::keep_alive.
ConnectionField ConnectionFor(uint8_t minor_version, bool keep_alive);

// Fields that are empty are left out. The values are written as they are: they
// must not contain CR or LF.
struct ResponseHead {
  int status = 200;  // 100..999
  ConnectionField connection = ConnectionField::kNone;
  // Bytes of the body (for HEAD and 304: that a GET would get). Never written
  // for 1xx and 204 (RFC 9110 section 8.6).
  std::optional<uint64_t> content_length;
  std::string_view date;  // see FormatHttpDate
  std::string_view content_type;
  std::string_view etag;           // with its quotes, see etag.h
  std::string_view allow;          // for 405
  std::string_view cache_control;  // for example "no-cache"
  // Whole field lines, each with its CRLF, put before the empty line.
  std::string_view extra;
};

// The status line, "Server: corelane", the fields and the empty line. Returns
// the bytes written, or 0, with `out` in any state, if they do not fit. The
// body follows right behind.
size_t WriteResponseHead(const ResponseHead& head, MutableByteView out);

// "HTTP/1.1 100 Continue" with its empty line. Static.
ByteView ContinueResponse();

// A whole response with "Connection: close" and a line of text as body, for
// 400, 404, 405 (Allow: GET, HEAD), 408, 413, 414, 431, 500, 501, 503 and 505;
// any other status gets the one for 500. Static bytes, so without a Date: for
// answers in a hurry; a server at leisure writes one with WriteErrorResponse.
ByteView ErrorResponse(int status);

// The same head without the body: the answer to HEAD.
ByteView ErrorResponseHead(int status);

// Like ErrorResponse, or ErrorResponseHead if `head_only`, but with a Date and
// the connection left to the caller. Returns the bytes written, or 0 if they
// do not fit.
size_t WriteErrorResponse(int status, std::string_view date,
                          ConnectionField connection, bool head_only,
                          MutableByteView out);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_RESPONSE_H_
