// The request fields a server must understand to frame and route a request.
#ifndef CORELANE_PROTO_HTTP_FIELD_H_
#define CORELANE_PROTO_HTTP_FIELD_H_

#include <string_view>

#include "proto/http/head_progress.h"

namespace corelane::http {

// Takes note of the field at `progress.name` and `progress.value` (trimmed),
// both within `bytes`. Returns 0, or the HTTP status of the refusal: 400 or
// 501. The request line must have been parsed before.
int NoteField(std::string_view bytes, HeadProgress& progress);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_FIELD_H_
