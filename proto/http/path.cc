#include "proto/http/path.h"

#include "proto/http/syntax.h"

namespace corelane::http {
namespace {

// Takes one decoded byte off the front. False at a broken escape or a byte that
// no path may contain.
bool NextByte(std::string_view& raw, char& c) {
  c = raw.front();
  if (c != '%') {
    raw.remove_prefix(1);
  } else {
    if (raw.size() < 3) return false;
    int high = HexValue(raw[1]);
    int low = HexValue(raw[2]);
    if (high < 0 || low < 0) return false;
    c = static_cast<char>(high << 4 | low);
    raw.remove_prefix(3);
  }
  return static_cast<uint8_t>(c) >= 0x20 && c != 0x7f;
}

// The normalised path so far always begins with '/'; the last segment is the
// one behind the last '/'.
class PathBuilder {
 public:
  explicit PathBuilder(std::span<char> out) : out_(out) {}

  bool Start() {
    segment_ = 1;
    return Append('/');
  }

  // Before a slash, or at the end: drops a "." or empty segment, and takes back
  // the one before a "..". Each byte is taken back once at most, so the whole
  // stays linear. False above the root.
  bool CloseSegment() {
    std::string_view segment = view().substr(segment_);
    if (segment == ".") {
      size_ = segment_;
    } else if (segment == "..") {
      if (segment_ == 1) return false;
      size_ = segment_ - 1;
      size_ = view().rfind('/') + 1;
      segment_ = size_;
    }
    return true;
  }

  bool Slash() {
    if (!CloseSegment()) return false;
    if (size_ == segment_) return true;
    if (!Append('/')) return false;
    segment_ = size_;
    return true;
  }

  bool Append(char c) {
    if (size_ == out_.size()) return false;
    out_[size_++] = c;
    return true;
  }

  std::string_view view() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  size_t size_ = 0;
  size_t segment_ = 0;
};

}  // namespace

std::optional<std::string_view> NormalizePath(std::string_view raw,
                                              std::span<char> out) {
  if (raw.empty() || raw.front() != '/') return std::nullopt;
  raw.remove_prefix(1);
  PathBuilder builder(out);
  if (!builder.Start()) return std::nullopt;
  while (!raw.empty()) {
    char c;
    if (!NextByte(raw, c)) return std::nullopt;
    if (!(c == '/' ? builder.Slash() : builder.Append(c))) return std::nullopt;
  }
  if (!builder.CloseSegment()) return std::nullopt;
  return builder.view();
}

}  // namespace corelane::http
