#include "tests/sim/script_line.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/tcp/options.h"

namespace corelane::sim {
namespace {

using Words = std::vector<std::string>;

uint32_t Number(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}

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

bool AppendOption(const std::string& text, std::vector<uint8_t>& out) {
  const Words parts = absl::StrSplit(text, '=');
  const uint32_t value = parts.size() > 1 ? Number(parts[1]) : 0;
  auto append = [&out](std::initializer_list<uint32_t> bytes) {
    for (uint32_t b : bytes) out.push_back(static_cast<uint8_t>(b));
  };
  if (parts[0] == "mss") {
    append({tcp::kOptionMss, 4, value >> 8, value & 0xff});
  } else if (parts[0] == "wscale") {
    append({tcp::kOptionWindowScale, 3, value});
  } else if (parts[0] == "nop") {
    append({tcp::kOptionNop});
  } else if (parts[0] == "eol") {
    append({tcp::kOptionEnd});
  } else {
    std::vector<uint8_t> bytes;
    if (!ParseHex(text, bytes)) return false;
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return true;
}

std::string ParseOptionList(std::string text, std::vector<uint8_t>& out) {
  text = text.substr(1, text.size() - 2);
  for (const std::string& option : Words(absl::StrSplit(text, ','))) {
    if (!AppendOption(option, out)) return absl::StrCat("option ", option, "?");
  }
  return "";
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
  if (which == nullptr) return false;
  *which = true;
  return true;
}

}  // namespace

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
      std::string wrong = ParseOptionList(word, out.options);
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

bool CounterValue(const dataplane::Counters& counters, const std::string& kind,
                  const std::string& name, std::string& out) {
  if (kind == "drop") {
    for (size_t i = 0; i < dataplane::kDropReasonCount; ++i) {
      if (name == DropReasonName(static_cast<dataplane::DropReason>(i))) {
        out = absl::StrCat(counters.drops[i]);
        return true;
      }
    }
    return false;
  }
  if (kind == "counter") {
#define X(id, text) \
  if (name == #id) out = absl::StrCat(counters.id);
    CORELANE_COUNTERS(X)
#undef X
    return !out.empty();
  }
  if (kind != "tcp") return false;
  const tcp::Counters& t = counters.tcp;
  if (name == "challenge_acks") out = absl::StrCat(t.challenge_acks);
  if (name == "retransmits") out = absl::StrCat(t.retransmits);
  if (name == "fast_retransmits") out = absl::StrCat(t.fast_retransmits);
  if (name == "window_probes") out = absl::StrCat(t.window_probes);
  if (name == "resets_in") out = absl::StrCat(t.resets_in);
  if (name == "resets_out") out = absl::StrCat(t.resets_out);
  if (name == "unacceptable") out = absl::StrCat(t.unacceptable);
  if (name == "failed_opens") out = absl::StrCat(t.failed_opens);
  return !out.empty();
}

}  // namespace corelane::sim
