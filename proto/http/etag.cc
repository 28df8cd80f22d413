#include "proto/http/etag.h"

#include <cstddef>

#include "proto/http/syntax.h"

namespace corelane::http {
namespace {

std::string_view WithoutWeakness(std::string_view tag) {
  if (tag.substr(0, 2) == "W/") tag.remove_prefix(2);
  return tag;
}

bool IsTagChar(char c) {
  return IsChar(c, kValueChar) && c != ' ' && c != '\t' && c != '"';
}

// The length of the opaque-tag at the front, quotes included, or 0. A comma may
// be part of it, so a list of tags cannot be cut at commas.
size_t OpaqueTagLength(std::string_view text) {
  if (text.empty() || text.front() != '"') return 0;
  size_t end = 1;
  while (end < text.size() && IsTagChar(text[end])) ++end;
  return end < text.size() && text[end] == '"' ? end + 1 : 0;
}

}  // namespace

ETag MakeETag(uint64_t content_hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  ETag etag;
  etag.text.front() = '"';
  etag.text.back() = '"';
  for (size_t i = 0; i < 16; ++i) {
    etag.text[16 - i] = kDigits[content_hash >> (4 * i) & 0xf];
  }
  return etag;
}

bool IfNoneMatchMatches(std::string_view header_value, std::string_view etag) {
  std::string_view rest = TrimWhitespace(header_value);
  if (rest == "*") return true;
  std::string_view wanted = WithoutWeakness(etag);
  while (!rest.empty()) {
    if (rest.front() == ',') {
      rest = TrimWhitespace(rest.substr(1));
      continue;
    }
    rest = WithoutWeakness(rest);
    size_t length = OpaqueTagLength(rest);
    if (length == 0) return false;
    if (rest.substr(0, length) == wanted) return true;
    rest = TrimWhitespace(rest.substr(length));
    if (!rest.empty() && rest.front() != ',') return false;
  }
  return false;
}

}  // namespace corelane::http
