// Request targets and the authority in them (RFC 9112 section 3.2).
#ifndef CORELANE_PROTO_HTTP_TARGET_H_
#define CORELANE_PROTO_HTTP_TARGET_H_

#include <string_view>

#include "proto/http/method.h"

namespace corelane::http {

struct TargetParts {
  std::string_view authority;  // empty but in absolute- and authority-form
  std::string_view path;       // without the query; "*" and "" (CONNECT) too
};

// Whether `text` is uri-host [ ":" port ] as in the Host field. Empty is valid
// (RFC 9110 section 7.2).
bool IsValidAuthority(std::string_view text);

// Takes apart a target that has only kTargetChar in it. The parts are views
// into `target`, or of static storage ("/" where an absolute URI has no path).
// False if the form is none of the four, or not one for this method.
bool SplitTarget(Method method, std::string_view target, TargetParts& parts);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_TARGET_H_
