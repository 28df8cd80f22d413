// Request methods (RFC 9110 section 9, RFC 5789).
#ifndef CORELANE_PROTO_HTTP_METHOD_H_
#define CORELANE_PROTO_HTTP_METHOD_H_

#include <cstdint>
#include <string_view>

namespace corelane::http {

enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kOptions,
  kConnect,
  kTrace,
  kPatch,
  kOther,  // a well-formed token that is none of the above
};

// Case-sensitive (RFC 9110 section 9.1).
Method MethodFromName(std::string_view name);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_METHOD_H_
