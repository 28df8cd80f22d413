#include "proto/http/field.h"

#include "proto/http/syntax.h"
#include "proto/http/target.h"

namespace corelane::http {
namespace {

// RFC 9112 section 3.2: more than one Host line, or an invalid one, is an
// error whatever the version.
int NoteHost(std::string_view value, HeadProgress& progress) {
  if (progress.host_seen || !IsValidAuthority(value)) return 400;
  progress.host_seen = true;
  progress.host = progress.value;
  return 0;
}

void NoteConnection(std::string_view value, HeadProgress& progress) {
  std::string_view element;
  while (NextListElement(value, element)) {
    if (EqualsLower(element, "close")) progress.connection_close = true;
    if (EqualsLower(element, "keep-alive")) {
      progress.connection_keep_alive = true;
    }
  }
}

void NoteExpect(std::string_view value, HeadProgress& progress) {
  std::string_view element;
  while (NextListElement(value, element)) {
    if (EqualsLower(element, "100-continue")) progress.expect_continue = true;
  }
}

// RFC 9112 section 6.3. Two lengths, even equal ones, or a length beside a
// transfer coding are how requests get smuggled past an intermediary that
// reads them the other way (section 11.2): refused.
int NoteContentLength(std::string_view value, HeadProgress& progress) {
  if (progress.length_seen || progress.chunked) return 400;
  if (!ParseDecimal(value, progress.content_length)) return 400;
  progress.length_seen = true;
  return 0;
}

// RFC 9112 section 6.1. What is not exactly "chunked" is 501 if it is a coding
// that we lack, and 400 if chunked comes twice or not last, or it is no list
// of codings at all.
int NoteTransferEncoding(std::string_view value, HeadProgress& progress) {
  if (progress.minor_version == 0) return 400;
  if (progress.length_seen || progress.chunked) return 400;
  if (EqualsLower(value, "chunked")) {
    progress.chunked = true;
    return 0;
  }
  bool chunked = false;
  bool misplaced = false;
  bool other = false;
  std::string_view element;
  while (NextListElement(value, element)) {
    if (element.empty()) continue;
    misplaced |= chunked;
    if (EqualsLower(element, "chunked")) {
      chunked = true;
    } else {
      other = true;
    }
  }
  return other && !misplaced ? 501 : 400;
}

// Further lines of this list field are dropped: at worst the answer is a 200
// that could have been a 304.
void NoteIfNoneMatch(HeadProgress& progress) {
  if (progress.if_none_match_seen) return;
  progress.if_none_match_seen = true;
  progress.if_none_match = progress.value;
}

}  // namespace

int NoteField(std::string_view bytes, HeadProgress& progress) {
  std::string_view name = progress.name.In(bytes);
  std::string_view value = progress.value.In(bytes);
  // The names we know all differ in length.
  switch (name.size()) {
    case 4:
      if (EqualsLower(name, "host")) return NoteHost(value, progress);
      break;
    case 6:
      if (EqualsLower(name, "expect")) NoteExpect(value, progress);
      break;
    case 10:
      if (EqualsLower(name, "connection")) NoteConnection(value, progress);
      break;
    case 13:
      if (EqualsLower(name, "if-none-match")) NoteIfNoneMatch(progress);
      break;
    case 14:
      if (EqualsLower(name, "content-length")) {
        return NoteContentLength(value, progress);
      }
      break;
    case 17:
      if (EqualsLower(name, "transfer-encoding")) {
        return NoteTransferEncoding(value, progress);
      }
      break;
    default:
      break;
  }
  return 0;
}

}  // namespace corelane::http
