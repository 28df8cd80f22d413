// What the request parser remembers of a head that is not complete yet.
#ifndef CORELANE_PROTO_HTTP_HEAD_PROGRESS_H_
#define CORELANE_PROTO_HTTP_HEAD_PROGRESS_H_

#include <cstdint>
#include <string_view>

#include "proto/http/method.h"

namespace corelane::http {

// Offsets from the start of the head, since the bytes may move between calls.
struct TextRange {
  uint32_t begin = 0;
  uint32_t end = 0;

  // Both ends must be within `bytes`.
  std::string_view In(std::string_view bytes) const {
    return {bytes.data() + begin, end - begin};
  }
};

// Kept by the caller between calls for one head, and reset (`= {}`) before the
// next one. Everything but `examined` is the parser's own business.
struct HeadProgress {
  enum class State : uint8_t {
    kLeading,
    kLeadingLf,
    kMethod,
    kTarget,
    kVersion,
    kRequestLineLf,
    kFieldStart,
    kFieldName,
    kFieldPadding,
    kFieldValue,
    kFieldLf,
    kEndLf,
    kDone,
  };

  // Bytes from the start that were looked at and will not be again, except
  // once more the field they belong to when its line ends.
  uint32_t examined = 0;

  State state = State::kLeading;
  Method method = Method::kOther;
  uint8_t minor_version = 0;
  uint8_t leading_lines = 0;
  bool host_seen = false;
  bool connection_close = false;
  bool connection_keep_alive = false;
  bool expect_continue = false;
  bool length_seen = false;
  bool chunked = false;
  bool if_none_match_seen = false;
  uint32_t fields = 0;
  uint32_t element_start = 0;  // of the method, the version or the value
  TextRange target;
  TextRange name;
  TextRange value;
  TextRange host;
  TextRange if_none_match;
  uint64_t content_length = 0;
};

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_HEAD_PROGRESS_H_
