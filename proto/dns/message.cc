#include "proto/dns/message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace corelane::dns {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 255;
constexpr uint16_t kInternet = 1;  // class
constexpr uint16_t kRecursionDesired = 0x0100;
constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kTruncated = 0x0200;

constexpr std::array<std::pair<std::string_view, uint16_t>, 13> kTypes = {{
    {"A", kA},
    {"NS", kNs},
    {"CNAME", kCname},
    {"SOA", 6},
    {"PTR", kPtr},
    {"MX", 15},
    {"TXT", 16},
    {"AAAA", kAaaa},
    {"SRV", 33},
    {"DS", 43},
    {"SVCB", 64},
    {"HTTPS", 65},
    {"ANY", 255},
}};

constexpr std::array<std::string_view, 6> kRcodes = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

uint8_t Lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + ('a' - 'A')) : c;
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return Lower(static_cast<uint8_t>(x)) == Lower(static_cast<uint8_t>(y));
  });
}

struct Name {
  std::array<uint8_t, kMaxName> bytes;  // without compression, in lower case
  size_t length = 0;
};

// Reads the name at `at`, and moves that behind it. False if it makes no sense.
// Each pointer has to lead to before what was read last (section 4.1.4: "a
// prior occurrence"), which bounds the loop.
bool ReadName(ByteView message, size_t& at, Name& name) {
  name.length = 0;
  size_t from = at;
  size_t limit = message.size();
  bool jumped = false;
  for (size_t p = at; p < limit;) {
    const uint8_t first = message[p];
    if (first >= 0xc0) {
      if (p + 1 >= message.size()) return false;
      const size_t to = LoadBe16(&message[p]) & 0x3fffu;
      if (!jumped) at = p + 2;
      jumped = true;
      if (to >= from) return false;
      limit = from;
      from = p = to;
      continue;
    }
    if (first > kMaxLabel || p + 1 + first > message.size() ||
        name.length + 1 + first > kMaxName) {
      return false;
    }
    for (size_t i = 0; i <= first; ++i) {
      name.bytes[name.length++] = i == 0 ? first : Lower(message[p + i]);
    }
    p += 1 + size_t{first};
    if (first != 0) continue;
    if (!jumped) at = p;
    return true;
  }
  return false;
}

ByteView ViewOf(const Name& name) { return {name.bytes.data(), name.length}; }

bool Equal(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool IsName(uint16_t type) {
  return type == kNs || type == kCname || type == kPtr;
}

// Moves `at` behind a question.
bool SkipQuestion(ByteView message, size_t& at) {
  Name name;
  if (!ReadName(message, at, name) || at + 4 > message.size()) return false;
  at += 4;
  return true;
}

}  // namespace

std::optional<uint16_t> ParseType(std::string_view text) {
  for (const auto& [word, type] : kTypes) {
    if (SameWord(text, word)) return type;
  }
  if (text.size() < 5 || !SameWord(text.substr(0, 4), "TYPE")) return {};
  uint16_t type = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 4, end, type);
  if (error != std::errc() || stop != end) return {};
  return type;
}

std::optional<uint8_t> ParseRcode(std::string_view text) {
  for (size_t i = 0; i < kRcodes.size(); ++i) {
    if (SameWord(text, kRcodes[i])) return static_cast<uint8_t>(i);
  }
  return {};
}

std::optional<std::vector<uint8_t>> EncodeName(std::string_view text) {
  std::vector<uint8_t> out;
  if (text.empty()) return {};
  if (text.ends_with('.')) text.remove_suffix(1);
  while (!text.empty()) {
    const size_t n = std::min(text.find('.'), text.size());
    if (n == 0 || n > kMaxLabel) return {};
    out.push_back(static_cast<uint8_t>(n));
    for (const char c : text.substr(0, n)) {
      out.push_back(Lower(static_cast<uint8_t>(c)));
    }
    text.remove_prefix(n);
    if (text == ".") return {};  // two of them at the end
    if (!text.empty()) text.remove_prefix(1);
  }
  out.push_back(0);
  if (out.size() > kMaxName) return {};
  return out;
}

std::vector<uint8_t> MakeQuery(ByteView name, uint16_t type) {
  std::vector<uint8_t> query(kHeaderLength + name.size() + 4);
  StoreBe16(&query[2], kRecursionDesired);
  StoreBe16(&query[4], 1);  // questions
  std::copy(name.begin(), name.end(), query.begin() + kHeaderLength);
  StoreBe16(&query[kHeaderLength + name.size()], type);
  StoreBe16(&query[kHeaderLength + name.size() + 2], kInternet);
  return query;
}

std::optional<Header> ReadHeader(ByteView message) {
  if (message.size() < kHeaderLength) return {};
  const uint16_t bits = LoadBe16(&message[2]);
  return Header{LoadBe16(message.data()), (bits & kResponse) != 0,
                (bits & kTruncated) != 0, static_cast<uint8_t>(bits & 0xf)};
}

bool EchoesQuestion(ByteView response, ByteView query) {
  if (response.size() < kHeaderLength || LoadBe16(&response[4]) != 1) {
    return false;
  }
  size_t at = kHeaderLength;
  Name name;
  if (!ReadName(response, at, name) || at + 4 > response.size()) return false;
  const ByteView asked = query.subspan(kHeaderLength);
  return name.length + 4 == asked.size() &&
         Equal(ViewOf(name), asked.first(name.length)) &&
         Equal(response.subspan(at, 4), asked.last(4));
}

bool HasAnswer(ByteView response, uint16_t type, ByteView data) {
  if (response.size() < kHeaderLength) return false;
  size_t at = kHeaderLength;
  for (uint16_t n = LoadBe16(&response[4]); n > 0; --n) {
    if (!SkipQuestion(response, at)) return false;
  }
  for (uint16_t n = LoadBe16(&response[6]); n > 0; --n) {
    // NAME, TYPE, CLASS, TTL, RDLENGTH, RDATA (section 4.1.3).
    Name name;
    if (!ReadName(response, at, name) || at + 10 > response.size()) {
      return false;
    }
    const uint16_t got = LoadBe16(&response[at]);
    const uint16_t length = LoadBe16(&response[at + 8]);
    at += 10;
    if (at + length > response.size()) return false;
    if (got == type) {
      size_t end = at;
      if (IsName(type) ? ReadName(response, end, name) && end == at + length &&
                             Equal(ViewOf(name), data)
                       : Equal(response.subspan(at, length), data)) {
        return true;
      }
    }
    at += length;
  }
  return false;
}

}  // namespace corelane::dns
