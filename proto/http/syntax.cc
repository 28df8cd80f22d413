#include "proto/http/syntax.h"

#include <cstring>

namespace corelane::http {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x80 * kOnes;

// Whether one of eight bytes is below 0x20 or is 0x7f. A borrow can only mark
// bytes above a true hit, so "any" is exact.
bool HasControl(uint64_t word) {
  uint64_t below_space = (word - 0x20 * kOnes) & ~word;
  uint64_t no_delete = word ^ (0x7f * kOnes);
  uint64_t is_delete = (no_delete - kOnes) & ~no_delete;
  return ((below_space | is_delete) & kHighBits) != 0;
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool NextListElement(std::string_view& rest, std::string_view& element) {
  if (rest.empty()) return false;
  size_t comma = rest.find(',');
  element = TrimWhitespace(rest.substr(0, comma));
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return true;
}

size_t SkipFieldValue(std::string_view text, size_t pos) {
  while (text.size() - pos >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + pos, sizeof(word));
    if (HasControl(word)) break;
    pos += sizeof(word);
  }
  while (pos < text.size() && IsChar(text[pos], kValueChar)) ++pos;
  return pos;
}

bool ParseDecimal(std::string_view text, uint64_t& value) {
  if (text.empty()) return false;
  uint64_t sum = 0;
  for (char c : text) {
    if (!IsDigit(c)) return false;
    if (__builtin_mul_overflow(sum, uint64_t{10}, &sum)) return false;
    if (__builtin_add_overflow(sum, static_cast<uint64_t>(c - '0'), &sum)) {
      return false;
    }
  }
  value = sum;
  return true;
}

}  // namespace corelane::http
