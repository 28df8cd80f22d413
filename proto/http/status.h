// Status codes (RFC 9110 section 15).
#ifndef CORELANE_PROTO_HTTP_STATUS_H_
#define CORELANE_PROTO_HTTP_STATUS_H_

#include <string_view>

namespace corelane::http {

// "Not Found" for 404. Empty for a code we never send, which is a valid reason
// phrase (RFC 9112 section 4).
std::string_view ReasonPhrase(int status);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_STATUS_H_
