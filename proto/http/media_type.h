// Media types by file name extension.
#ifndef CORELANE_PROTO_HTTP_MEDIA_TYPE_H_
#define CORELANE_PROTO_HTTP_MEDIA_TYPE_H_

#include <string_view>

namespace corelane::http {

// The Content-Type for a file name or path, "application/octet-stream" if the
// extension is unknown or missing. Upper and lower case are the same. Static.
std::string_view MediaTypeOf(std::string_view file_name);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_MEDIA_TYPE_H_
