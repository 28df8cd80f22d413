// Request paths made safe to look up (RFC 3986 sections 2.1 and 5.2.4).
#ifndef CORELANE_PROTO_HTTP_PATH_H_
#define CORELANE_PROTO_HTTP_PATH_H_

#include <optional>
#include <span>
#include <string_view>

namespace corelane::http {

// Decodes the percent-escapes of `raw` (RequestHead::path, without the query)
// and then removes empty, "." and ".." segments: "/a/b" for "//a/./x/../b". A
// slash at the end stays, since it tells a directory: "/a/" for "/a//" and for
// "/a/b/..". An escaped slash separates like a plain one.
//
// The result is a view into `out`, which is big enough if it has raw.size()
// bytes. Nothing if `raw` does not start with '/', has a broken escape, a NUL
// or another control character, climbs above the root at any point, or if the
// result does not fit.
std::optional<std::string_view> NormalizePath(std::string_view raw,
                                              std::span<char> out);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_PATH_H_
