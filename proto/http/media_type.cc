#include "proto/http/media_type.h"

#include <algorithm>
#include <array>

#include "proto/http/syntax.h"

namespace corelane::http {
namespace {

struct Entry {
  std::string_view extension;
  std::string_view type;
};

constexpr std::array kEntries = {
    Entry{"avif", "image/avif"},
    Entry{"bin", "application/octet-stream"},
    Entry{"bmp", "image/bmp"},
    Entry{"css", "text/css; charset=utf-8"},
    Entry{"csv", "text/csv; charset=utf-8"},
    Entry{"gif", "image/gif"},
    Entry{"gz", "application/gzip"},
    Entry{"htm", "text/html; charset=utf-8"},
    Entry{"html", "text/html; charset=utf-8"},
    Entry{"ico", "image/x-icon"},
    Entry{"jpeg", "image/jpeg"},
    Entry{"jpg", "image/jpeg"},
    Entry{"js", "text/javascript; charset=utf-8"},
    Entry{"json", "application/json"},
    Entry{"map", "application/json"},
    Entry{"md", "text/markdown; charset=utf-8"},
    Entry{"mjs", "text/javascript; charset=utf-8"},
    Entry{"mp3", "audio/mpeg"},
    Entry{"mp4", "video/mp4"},
    Entry{"ogg", "audio/ogg"},
    Entry{"otf", "font/otf"},
    Entry{"pdf", "application/pdf"},
    Entry{"png", "image/png"},
    Entry{"svg", "image/svg+xml"},
    Entry{"tar", "application/x-tar"},
    Entry{"ttf", "font/ttf"},
    Entry{"txt", "text/plain; charset=utf-8"},
    Entry{"wasm", "application/wasm"},
    Entry{"wav", "audio/wav"},
    Entry{"webm", "video/webm"},
    Entry{"webmanifest", "application/manifest+json"},
    Entry{"webp", "image/webp"},
    Entry{"woff", "font/woff"},
    Entry{"woff2", "font/woff2"},
    Entry{"xml", "application/xml"},
    Entry{"zip", "application/zip"},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < kEntries.size(); ++i) {
    if (kEntries[i - 1].extension >= kEntries[i].extension) return false;
  }
  return true;
}
static_assert(IsSorted(), "MediaTypeOf searches by halving");

constexpr size_t LongestExtension() {
  size_t longest = 0;
  for (const Entry& entry : kEntries) {
    longest = std::max(longest, entry.extension.size());
  }
  return longest;
}

constexpr std::string_view kDefaultType = "application/octet-stream";

}  // namespace

std::string_view MediaTypeOf(std::string_view file_name) {
  size_t dot = file_name.find_last_of("./");
  if (dot == std::string_view::npos || file_name[dot] == '/') {
    return kDefaultType;
  }
  std::string_view extension = file_name.substr(dot + 1);
  std::array<char, LongestExtension()> buffer;
  size_t size = std::min(extension.size(), buffer.size());
  if (size < extension.size()) return kDefaultType;
  for (size_t i = 0; i < size; ++i) buffer[i] = ToLower(extension[i]);
  std::string_view lower(buffer.data(), size);
  const auto* found =
      std::lower_bound(kEntries.begin(), kEntries.end(), lower,
                       [](const Entry& entry, std::string_view key) {
                         return entry.extension < key;
                       });
  bool known = found != kEntries.end() && found->extension == lower;
  return known ? found->type : kDefaultType;
}

}  // namespace corelane::http
