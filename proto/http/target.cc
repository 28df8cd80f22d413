#include "proto/http/target.h"

#include "proto/http/syntax.h"

namespace corelane::http {
namespace {

// The length of the well-formed host at the front: where ":port", or nothing,
// should begin. 0 if it is empty or malformed.
size_t HostLength(std::string_view authority) {
  size_t end = authority.size();
  if (end == 0 || authority.front() != '[') {
    return SkipClass(authority, 0, end, kHostChar);
  }
  // IP-literal: only here may the host have colons.
  size_t pos = 1;
  while (pos < end &&
         (IsChar(authority[pos], kHostChar) || authority[pos] == ':')) {
    ++pos;
  }
  return pos > 1 && pos < end && authority[pos] == ']' ? pos + 1 : 0;
}

std::string_view WithoutQuery(std::string_view text) {
  return text.substr(0, text.find('?'));
}

// Userinfo needs no check of its own: '@' is no host character (RFC 9110
// section 4.2.4 wants it refused).
bool SplitAbsoluteForm(std::string_view target, TargetParts& parts) {
  size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  std::string_view scheme = target.substr(0, colon);
  if (!EqualsLower(scheme, "http") && !EqualsLower(scheme, "https")) {
    return false;
  }
  std::string_view rest = target.substr(colon + 3);
  parts.authority = rest.substr(0, rest.find_first_of("/?"));
  if (HostLength(parts.authority) == 0) return false;
  parts.path = WithoutQuery(rest.substr(parts.authority.size()));
  if (parts.path.empty()) parts.path = "/";
  return IsValidAuthority(parts.authority);
}

// RFC 9112 section 3.2.3: host and port, both there.
bool SplitAuthorityForm(std::string_view target, TargetParts& parts) {
  size_t host = HostLength(target);
  if (host == 0 || target.size() - host < 2) return false;
  parts.authority = target;
  return IsValidAuthority(target);
}

}  // namespace

bool IsValidAuthority(std::string_view text) {
  size_t pos = HostLength(text);
  if (pos == text.size()) return true;
  if (text[pos] != ':') return false;
  for (++pos; pos < text.size(); ++pos) {
    if (!IsDigit(text[pos])) return false;
  }
  return true;
}

bool SplitTarget(Method method, std::string_view target, TargetParts& parts) {
  parts = {};
  if (target.empty()) return false;
  if (method == Method::kConnect) return SplitAuthorityForm(target, parts);
  if (target.front() == '/') {
    parts.path = WithoutQuery(target);
    return true;
  }
  if (target == "*") {
    parts.path = target;
    return method == Method::kOptions;
  }
  return SplitAbsoluteForm(target, parts);
}

}  // namespace corelane::http
