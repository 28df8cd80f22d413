// Character classes and list syntax shared by the HTTP parsers (RFC 9110
// section 5.6).
#ifndef CORELANE_PROTO_HTTP_SYNTAX_H_
#define CORELANE_PROTO_HTTP_SYNTAX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace corelane::http {

// Classes of a byte; one table answers for all of them.
enum CharClass : uint8_t {
  kTokenChar = 1,   // tchar, RFC 9110 section 5.6.2
  kTargetChar = 2,  // visible ASCII but '#': no fragment reaches a server
  kValueChar = 4,   // field-vchar, SP or HTAB, RFC 9110 section 5.5
  kHostChar = 8,    // reg-name and IPv4address, RFC 3986 section 3.2.2
};

namespace internal {

constexpr std::array<uint8_t, 256> MakeCharClasses() {
  std::array<uint8_t, 256> table{};
  for (int c = 0x21; c <= 0x7e; ++c) table[c] = kTargetChar | kValueChar;
  for (int c = 0x80; c <= 0xff; ++c) table[c] = kValueChar;
  table['#'] = kValueChar;
  table[' '] = kValueChar;
  table['\t'] = kValueChar;
  auto add = [&table](std::string_view chars, uint8_t bits) {
    for (char c : chars) table[static_cast<uint8_t>(c)] |= bits;
  };
  add("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
      kTokenChar | kHostChar);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  add("-._~!$&'()*+,;=%", kHostChar);
  return table;
}

inline constexpr std::array<uint8_t, 256> kCharClasses = MakeCharClasses();

}  // namespace internal

// `classes` is one CharClass or several or-ed together; true if any matches.
constexpr bool IsChar(char c, uint8_t classes) {
  return (internal::kCharClasses[static_cast<uint8_t>(c)] & classes) != 0;
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The value of a hexadecimal digit, or -1.
constexpr int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// ASCII only. `lower` must have no upper-case letter.
constexpr bool EqualsLower(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (ToLower(text[i]) != lower[i]) return false;
  }
  return true;
}

// Without the spaces and tabs at both ends.
std::string_view TrimWhitespace(std::string_view text);

// Takes the next element off a comma-separated list, trimmed and possibly
// empty (RFC 9110 section 5.6.1). False, with both untouched, once `rest` is
// empty. Knows nothing of quotes: only for lists of tokens.
bool NextListElement(std::string_view& rest, std::string_view& element);

// The position of the first byte at or after `pos`, and before `end`, that is
// in none of `classes`; else `end`. Needs pos <= end <= text.size().
inline size_t SkipClass(std::string_view text, size_t pos, size_t end,
                        uint8_t classes) {
  while (pos < end && IsChar(text[pos], classes)) ++pos;
  return pos;
}

// The position of the first byte at or after `pos` that no field value may
// contain (a control character, CR and LF among them), or text.size().
size_t SkipFieldValue(std::string_view text, size_t pos);

// Strictly 1*DIGIT that fits. False, with `value` untouched, otherwise.
bool ParseDecimal(std::string_view text, uint64_t& value);

}  // namespace corelane::http

#endif  // CORELANE_PROTO_HTTP_SYNTAX_H_
