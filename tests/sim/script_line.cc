#include "tests/sim/script_line.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/tcp/header.h"

namespace corelane::sim {
namespace {

using Words = std::vector<std::string>;

bool ParseFlags(const std::string& text, uint8_t& out) {
  static const std::string letters = "FSRP.UEW";
  out = 0;
  if (text == "-") return true;
  for (char c : text) {
    const size_t bit = letters.find(c);
    if (bit == std::string::npos) return false;
    out = static_cast<uint8_t>(out | 1u << bit);
  }
  return true;
}

// "1:11(10)"
bool ParseRange(const std::string& text, TcpText& out) {
  const Words parts = absl::StrSplit(text, absl::ByAnyChar(":()"));
  if (parts.size() < 3) return false;
  out.seq = Number(parts[0]);
  out.length = Number(parts[2]);
  return Number(parts[1]) == out.seq + out.length;
}

// Words with a value behind them. False if `name` is none.
bool ParseValue(const std::string& name, const std::string& value,
                TcpText& out) {
  const uint32_t n = Number(value);
  if (name == "ack") {
    out.ack = n;
  } else if (name == "win") {
    out.window = static_cast<uint16_t>(n);
  } else if (name == "urg") {
    out.urgent = static_cast<uint16_t>(n);
  } else if (name == "port") {
    out.peer_port = static_cast<uint16_t>(n);
  } else if (name == "our_port") {
    out.our_port = static_cast<uint16_t>(n);
  } else if (name == "from") {
    out.source = ParseIpv4(value);
  } else if (name == "to") {
    out.destination = ParseIpv4(value);
  } else if (name == "doff") {
    out.data_offset = static_cast<uint8_t>(n);
  } else if (name == "ihl") {
    out.header_length = static_cast<uint8_t>(n);
  } else if (name == "iplen") {
    out.total_length = static_cast<uint16_t>(n);
  } else if (name == "udplen") {
    out.udp_length = static_cast<uint16_t>(n);
  } else if (name == "cut") {
    out.cut = n;
  } else if (name == "tos") {
    out.tos = static_cast<uint8_t>(n);
  } else if (name == "ttl") {
    out.ttl = static_cast<uint8_t>(n);
  } else if (name == "by") {
    out.by = n;
  } else if (name == "ipopt") {
    return ParseHex(value, out.ip_options);
  } else {
    return false;
  }
  return true;
}

bool ParseSwitch(const std::string& name, TcpText& out) {
  bool* which = nullptr;
  if (name == "abs") which = &out.absolute;
  if (name == "broadcast") which = &out.broadcast;
  if (name == "bad_sum") which = &out.bad_sum;
  if (name == "bad_ip_sum") which = &out.bad_ip_sum;
  if (name == "no_sum") which = &out.no_sum;
  if (which != nullptr) {
    *which = true;
    return true;
  }
  static constexpr const char* kEcnNames[] = {"noect", "ect1", "ect0", "ce"};
  for (uint8_t bits = 0; bits < 4; ++bits) {
    if (name != kEcnNames[bits]) continue;
    out.ecn = bits;
    return true;
  }
  return false;
}

// Puts options behind the IPv4 header, padded with zeros.
void InsertIpOptions(const std::vector<uint8_t>& options, Frame& frame) {
  const size_t ip = Ipv4Offset(frame);
  std::vector<uint8_t> padded = options;
  padded.resize((options.size() + 3) / 4 * 4);
  frame.insert(frame.begin() + static_cast<ptrdiff_t>(ip + ipv4::kHeaderLength),
               padded.begin(), padded.end());
  uint8_t* p = frame.data() + ip;
  p[0] = static_cast<uint8_t>(p[0] + padded.size() / 4);
  StoreBe16(p + 2, static_cast<uint16_t>(LoadBe16(p + 2) + padded.size()));
  FixChecksums(frame);
}

}  // namespace

uint32_t Number(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}

Duration Seconds(const std::string& text) {
  double seconds = 0;
  (void)absl::SimpleAtod(text, &seconds);
  return Duration(std::llround(seconds * 1e9));
}

Words SplitLine(std::string line) {
  line.resize(std::min(line.find('#'), line.size()));
  Words out;
  bool inside = false;
  for (const std::string& word : Words(
           absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty()))) {
    if (inside) {
      absl::StrAppend(&out.back(), " ", word);
    } else {
      out.push_back(word);
    }
    const std::string& last = out.back();
    // A lone < is the command that injects.
    inside = last.size() > 1 && last.front() == '<' && last.back() != '>';
  }
  return out;
}

std::vector<TcpText> RowOf(const TcpText& text) {
  if (text.by == 0) return {text};
  std::vector<TcpText> row;
  for (uint32_t done = 0; done < text.length; done += text.by) {
    TcpText part = text;
    part.seq = text.seq + done;
    part.length = std::min(text.by, text.length - done);
    const bool last = done + part.length == text.length;
    if (!last) {
      part.flags = static_cast<uint8_t>(part.flags & ~(tcp::kPsh | tcp::kFin));
    }
    row.push_back(std::move(part));
  }
  return row;
}

bool ParseHex(const std::string& text, std::vector<uint8_t>& out) {
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const std::string digits = text.substr(i, 2);
    if (digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return false;
    }
    out.push_back(
        static_cast<uint8_t>(std::strtoul(digits.c_str(), nullptr, 16)));
  }
  return true;
}

std::string ParseModifiers(const Words& words, size_t from, TcpText& out) {
  for (size_t i = from; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word[0] == '<' && word.back() == '>') {
      out.has_options = true;
      std::string wrong =
          ParseOptionText(word.substr(1, word.size() - 2), out.options);
      if (!wrong.empty()) return wrong;
    } else if (ParseSwitch(word, out)) {
      continue;
    } else if (i + 1 < words.size() && ParseValue(word, words[i + 1], out)) {
      ++i;
    } else {
      return absl::StrCat("what is ", word, "?");
    }
  }
  return "";
}

std::string ParseTcpLine(const Words& words, TcpText& out) {
  if (words.size() < 2 || !ParseFlags(words[0], out.flags) ||
      !ParseRange(words[1], out)) {
    return "a segment is FLAGS SEQ:END(LENGTH) ...";
  }
  return ParseModifiers(words, 2, out);
}

void ApplyDamage(const TcpText& text, Frame& frame) {
  const size_t ip = Ipv4Offset(frame);
  if (!text.ip_options.empty()) return InsertIpOptions(text.ip_options, frame);
  uint8_t* p = frame.data() + ip;
  uint8_t* l4 = p + ipv4::kHeaderLength;
  if (text.data_offset) {
    l4[12] = static_cast<uint8_t>(*text.data_offset << 4 | (l4[12] & 0x0f));
  }
  if (text.udp_length) StoreBe16(l4 + 4, *text.udp_length);
  FixChecksums(frame);
  // With these the transport checksum has no place any more.
  if (text.total_length) StoreBe16(p + 2, *text.total_length);
  if (text.header_length) {
    p[0] = static_cast<uint8_t>(0x40 | *text.header_length);
  }
  if (text.total_length || text.header_length) FixChecksums(frame);
  uint8_t* field = l4 + (p[9] == ipv4::kUdp ? 6 : 16);
  if (text.bad_sum) field[0] ^= 0x40;
  if (text.no_sum) StoreBe16(field, 0);
  if (text.bad_ip_sum) p[10] ^= 0x40;
  if (text.cut && *text.cut < frame.size()) frame.resize(*text.cut);
}

}  // namespace corelane::sim
