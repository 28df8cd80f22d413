#include "proto/base/address.h"

#include <charconv>
#include <cstdio>

namespace corelane {
namespace {

// Reads a decimal number of at most `max` at the front of `text` and removes
// it. A leading zero is refused: some readers take it for octal.
std::optional<uint32_t> TakeDecimal(std::string_view& text, uint32_t max) {
  uint32_t value = 0;
  const char* begin = text.data();
  auto [end, error] = std::from_chars(begin, begin + text.size(), value);
  if (error != std::errc() || value > max) return std::nullopt;
  if (end - begin > 1 && *begin == '0') return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - begin));
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Ipv4Address> TakeIpv4(std::string_view& text) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !TakeChar(text, '.')) return std::nullopt;
    auto part = TakeDecimal(text, 255);
    if (!part) return std::nullopt;
    value = value << 8 | *part;
  }
  return Ipv4Address(value);
}

}  // namespace

std::string ToString(const MacAddress& mac) {
  char text[18];
  const auto& b = mac.bytes;
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
                b[2], b[3], b[4], b[5]);
  return text;
}

std::string ToString(Ipv4Address address) {
  char text[16];
  uint32_t v = address.value();
  std::snprintf(text, sizeof(text), "%u.%u.%u.%u", v >> 24, v >> 16 & 0xff,
                v >> 8 & 0xff, v & 0xff);
  return text;
}

std::string ToString(const Ipv4Prefix& prefix) {
  return ToString(prefix.address) + "/" + std::to_string(prefix.length);
}

std::optional<MacAddress> ParseMac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac;
  for (size_t i = 0; i < 6; ++i) {
    if (i > 0 && text[3 * i - 1] != ':') return std::nullopt;
    const char* begin = text.data() + 3 * i;
    auto [end, error] = std::from_chars(begin, begin + 2, mac.bytes[i], 16);
    if (error != std::errc() || end != begin + 2) return std::nullopt;
  }
  return mac;
}

std::optional<Ipv4Address> ParseIpv4(std::string_view text) {
  auto address = TakeIpv4(text);
  if (!address || !text.empty()) return std::nullopt;
  return address;
}

std::optional<Ipv4Prefix> ParseIpv4Prefix(std::string_view text) {
  auto address = TakeIpv4(text);
  if (!address || !TakeChar(text, '/')) return std::nullopt;
  auto length = TakeDecimal(text, 32);
  if (!length || !text.empty()) return std::nullopt;
  return Ipv4Prefix{*address, static_cast<uint8_t>(*length)};
}

}  // namespace corelane
