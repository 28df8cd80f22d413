#include "tests/sim/script_options.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/tcp/options.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

using Kind = OptionText::Kind;
using Words = std::vector<std::string>;

void Append32(std::vector<uint8_t>& out, uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(n >> shift));
  }
}

bool ParseBlocks(const Words& words, OptionText& out) {
  for (size_t i = 1; i < words.size(); ++i) {
    const Words ends = absl::StrSplit(words[i], ':');
    if (ends.size() != 2) return false;
    out.blocks.emplace_back(Number(ends[0]), Number(ends[1]));
  }
  return !out.blocks.empty();
}

// ts VAL ecr ECR
bool ParseTimestamps(const Words& words, OptionText& out) {
  if (words.size() != 4 || words[2] != "ecr") return false;
  if (words[1] != "*") out.value = Number(words[1]);
  if (words[3] != "*" && words[3] != "last") out.echo = Number(words[3]);
  return true;
}

bool ParseOne(const std::string& text, OptionText& out) {
  const Words words =
      absl::StrSplit(text, absl::ByAnyChar(" ="), absl::SkipEmpty());
  if (words.empty()) return false;
  const std::string& name = words[0];
  if (words.size() > 1) out.value = Number(words[1]);
  if (name == "mss" || name == "wscale") {
    out.kind = name == "mss" ? Kind::kMss : Kind::kWindowScale;
    return words.size() == 2;
  }
  if (name == "sack") {
    out.kind = Kind::kSack;
    out.value.reset();
    return ParseBlocks(words, out);
  }
  if (name == "ts") {
    out.kind = Kind::kTimestamps;
    out.value.reset();
    return ParseTimestamps(words, out);
  }
  if (words.size() != 1) return false;
  if (name == "sackOK") {
    out.kind = Kind::kSackPermitted;
  } else if (name == "nop") {
    out.kind = Kind::kNop;
  } else if (name == "eol") {
    out.kind = Kind::kEnd;
  } else {
    return ParseHex(name, out.raw);
  }
  return true;
}

// A walk over what the stack sent; it is trusted to be well formed only as far
// as its lengths are.
std::vector<OptionText> ReadOptions(ByteView bytes, const OptionBases& bases) {
  std::vector<OptionText> out;
  for (size_t i = 0; i < bytes.size();) {
    if (bytes[i] == tcp::kOptionEnd) break;
    if (bytes[i] == tcp::kOptionNop) {
      ++i;
      continue;
    }
    const size_t length = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    if (length < 2 || i + length > bytes.size()) break;
    const uint8_t* p = bytes.data() + i;
    OptionText o;
    if (p[0] == tcp::kOptionMss && length == 4) {
      o.kind = Kind::kMss;
      o.value = LoadBe16(p + 2);
    } else if (p[0] == tcp::kOptionWindowScale && length == 3) {
      o.kind = Kind::kWindowScale;
      o.value = p[2];
    } else if (p[0] == tcp::kOptionSackPermitted && length == 2) {
      o.kind = Kind::kSackPermitted;
    } else if (p[0] == tcp::kOptionTimestamps && length == 10) {
      o.kind = Kind::kTimestamps;
      o.value = LoadBe32(p + 2) - bases.timestamp;
      o.echo = LoadBe32(p + 6);
    } else if (p[0] == tcp::kOptionSack && length % 8 == 2) {
      o.kind = Kind::kSack;
      for (size_t at = 2; at < length; at += 8) {
        o.blocks.emplace_back(LoadBe32(p + at) - bases.sequence,
                              LoadBe32(p + at + 4) - bases.sequence);
      }
    } else {
      o.raw.assign(p, p + length);
    }
    out.push_back(std::move(o));
    i += length;
  }
  return out;
}

bool PaddedWithZeros(ByteView bytes) {
  size_t i = 0;
  while (i < bytes.size() && bytes[i] != tcp::kOptionEnd) {
    const bool alone = bytes[i] == tcp::kOptionNop;
    const size_t length = alone ? 1 : i + 1 < bytes.size() ? bytes[i + 1] : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    i += length;
  }
  return std::all_of(bytes.begin() + static_cast<ptrdiff_t>(i), bytes.end(),
                     [](uint8_t b) { return b == 0; });
}

bool SameOption(const OptionText& want, const OptionText& got) {
  if (want.kind != got.kind) return false;
  if (want.kind == Kind::kTimestamps) {
    const bool value_ok = !want.value || *got.value - *want.value + 1 <= 2;
    return value_ok && (!want.echo || *got.echo == *want.echo);
  }
  return want.value == got.value && want.blocks == got.blocks &&
         want.raw == got.raw;
}

}  // namespace

std::string ParseOptionText(const std::string& text,
                            std::vector<OptionText>& out) {
  for (const std::string& option :
       Words(absl::StrSplit(text, ',', absl::SkipWhitespace()))) {
    OptionText parsed;
    if (!ParseOne(option, parsed)) return absl::StrCat("option ", option, "?");
    out.push_back(std::move(parsed));
  }
  return "";
}

std::vector<uint8_t> OptionBytesOf(const std::vector<OptionText>& options,
                                   const OptionBases& bases) {
  std::vector<uint8_t> out;
  for (const OptionText& o : options) {
    const uint32_t n = o.value.value_or(0);
    switch (o.kind) {
      case Kind::kMss:
        out.insert(out.end(), {tcp::kOptionMss, 4, static_cast<uint8_t>(n >> 8),
                               static_cast<uint8_t>(n)});
        break;
      case Kind::kWindowScale:
        out.insert(out.end(),
                   {tcp::kOptionWindowScale, 3, static_cast<uint8_t>(n)});
        break;
      case Kind::kSackPermitted:
        out.insert(out.end(), {tcp::kOptionSackPermitted, 2});
        break;
      case Kind::kTimestamps:
        out.insert(out.end(), {tcp::kOptionTimestamps, 10});
        Append32(out, n);
        if (!o.echo) {
          Append32(out, bases.last_value);
        } else {
          Append32(out, *o.echo + (bases.echoes ? bases.timestamp : 0));
        }
        break;
      case Kind::kSack:
        out.push_back(tcp::kOptionSack);
        out.push_back(static_cast<uint8_t>(2 + 8 * o.blocks.size()));
        for (const auto& [start, end] : o.blocks) {
          Append32(out, start + bases.sequence);
          Append32(out, end + bases.sequence);
        }
        break;
      case Kind::kNop:
        out.push_back(tcp::kOptionNop);
        break;
      case Kind::kEnd:
        out.push_back(tcp::kOptionEnd);
        break;
      case Kind::kRaw:
        out.insert(out.end(), o.raw.begin(), o.raw.end());
        break;
    }
  }
  return out;
}

std::string DescribeOptions(ByteView bytes, const OptionBases& bases) {
  std::string text;
  for (const OptionText& o : ReadOptions(bytes, bases)) {
    if (!text.empty()) text += ',';
    switch (o.kind) {
      case Kind::kMss:
        absl::StrAppend(&text, "mss ", *o.value);
        break;
      case Kind::kWindowScale:
        absl::StrAppend(&text, "wscale ", *o.value);
        break;
      case Kind::kSackPermitted:
        text += "sackOK";
        break;
      case Kind::kTimestamps:
        absl::StrAppend(&text, "ts ", *o.value, " ecr ", *o.echo);
        break;
      case Kind::kSack:
        text += "sack";
        for (const auto& [start, end] : o.blocks) {
          absl::StrAppend(&text, " ", start, ":", end);
        }
        break;
      default:
        absl::StrAppend(&text, "kind ", o.raw[0]);
        break;
    }
  }
  return absl::StrCat("<", text, ">");
}

bool OptionsMatch(const std::vector<OptionText>& want, ByteView sent,
                  const OptionBases& bases) {
  // What follows the end of the list is padding, of zeros (RFC 9293 MUST-69).
  if (!PaddedWithZeros(sent)) return false;
  std::vector<OptionText> got = ReadOptions(sent, bases);
  for (const OptionText& w : want) {
    if (w.kind == Kind::kNop || w.kind == Kind::kEnd) continue;
    const auto it =
        std::find_if(got.begin(), got.end(),
                     [&w](const OptionText& g) { return SameOption(w, g); });
    if (it == got.end()) return false;
    got.erase(it);
  }
  return got.empty();
}

}  // namespace corelane::sim
