// The Date field's format (RFC 9110 section 5.6.7).
#ifndef CORELANE_PROTO_HTTP_DATE_H_
#define CORELANE_PROTO_HTTP_DATE_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace corelane::http {

// IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". Good for one second; worth
// keeping between responses.
struct HttpDate {
  std::array<char, 29> text;

  std::string_view view() const { return {text.data(), text.size()}; }
};

// `unix_seconds` counts from 1970-01-01T00:00:00Z. Years outside 1970..9999
// have no such form: clamped to the nearest that has.
HttpDate FormatHttpDate(int64_t unix_seconds);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_DATE_H_
