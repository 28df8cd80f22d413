#include "tests/differential/replay.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/base/bytes.h"
#include "proto/tcp/options.h"
#include "tests/differential/patch.h"
#include "tests/sim/script_options.h"

namespace corelane::sim {
namespace {

using Clock = std::chrono::steady_clock;
using FlowKey = std::tuple<uint32_t, uint16_t, uint16_t>;

// What the numbers of one stack's connection count from.
struct Base {
  uint32_t iss = 0;
  uint32_t timestamp = 0;
};
using Bases = std::map<FlowKey, Base>;

FlowKey KeyOfSent(const ParsedFrame& f) {
  return {f.ip.destination.value(), f.tcp.destination_port, f.tcp.source_port};
}

FlowKey KeyOfReceived(const ParsedFrame& f) {
  return {f.ip.source.value(), f.tcp.source_port, f.tcp.destination_port};
}

void Learn(Bases& bases, const ParsedFrame& f) {
  if (!f.is_tcp || !f.tcp.Has(tcp::kSyn)) return;
  const tcp::Options options = tcp::ParseOptions(f.tcp.OptionBytes());
  Base& base = bases[KeyOfSent(f)];
  if (base.iss == f.tcp.seq.value()) return;
  base = {f.tcp.seq.value(), options.ts_value};
}

std::string FlagsOf(uint8_t flags) {
  static constexpr std::pair<uint8_t, char> kLetters[] = {
      {tcp::kSyn, 'S'}, {tcp::kFin, 'F'}, {tcp::kRst, 'R'},
      {tcp::kEce, 'E'}, {tcp::kCwr, 'W'}, {tcp::kAck, '.'}};
  std::string out;
  for (const auto& [bit, letter] : kLetters) {
    if ((flags & bit) != 0) out += letter;
  }
  return out;
}

std::string OptionsOf(const tcp::Segment& segment, uint32_t peer_isn) {
  const tcp::Options o = tcp::ParseOptions(segment.OptionBytes());
  std::string out;
  if (o.mss != 0) absl::StrAppend(&out, " mss ", o.mss);
  if (o.has_window_scale) out += " wscale";
  if (o.sack_permitted) out += " sackOK";
  if (o.has_timestamps) out += " ts";
  for (int i = 0; i < o.sack_count; ++i) {
    absl::StrAppend(&out, " sack ", o.sack[i].start.value() - peer_isn, ":",
                    o.sack[i].end.value() - peer_isn);
  }
  return out;
}

std::string Text(const Frame& frame, const Bases& bases, uint32_t peer_isn) {
  const ParsedFrame f = ParseFrame(frame);
  if (f.is_icmp && f.payload.size() >= 2) {
    return absl::StrCat("icmp ", f.payload[0], " ", f.payload[1]);
  }
  if (f.is_udp) return absl::StrCat("udp ", f.payload.size());
  if (!f.is_tcp) return "something else";
  const auto it = bases.find(KeyOfSent(f));
  const uint32_t iss = it == bases.end() ? 0 : it->second.iss;
  const uint32_t seq = f.tcp.seq.value() - iss;
  const auto length = static_cast<uint32_t>(f.payload.size());
  std::string out = absl::StrCat(FlagsOf(f.tcp.flags()), " ", seq, ":",
                                 seq + length, "(", length, ")");
  if (f.tcp.Has(tcp::kAck)) {
    absl::StrAppend(&out, " ack ", f.tcp.ack.value() - peer_isn);
  }
  absl::StrAppend(&out, OptionsOf(f.tcp, peer_isn));
  if (f.tcp.source_port != 80 || f.tcp.destination_port != 5000) {
    absl::StrAppend(&out, " port ", f.tcp.destination_port);
  }
  if ((f.ip.tos & 3) != 0) absl::StrAppend(&out, " ecn ", f.ip.tos & 3);
  return out;
}

// What names our stack's numbers names the kernel's.
void Translate(Frame& frame, const Bases& ours, const Bases& kernels) {
  const ParsedFrame f = ParseFrame(frame);
  const size_t ip = Ipv4Offset(frame);
  if (f.is_icmp && f.payload.size() >= 8 + 20 + 8) {
    const size_t quoted = ip + 20 + 8 + 20;
    const FlowKey key{LoadBe32(&frame[quoted - 4]),
                      LoadBe16(&frame[quoted + 2]), LoadBe16(&frame[quoted])};
    if (!ours.contains(key) || !kernels.contains(key)) return;
    const uint32_t shift = kernels.at(key).iss - ours.at(key).iss;
    StoreBe32(&frame[quoted + 4], LoadBe32(&frame[quoted + 4]) + shift);
    FixChecksums(frame);
    return;
  }
  if (!f.is_tcp) return;
  const FlowKey key = KeyOfReceived(f);
  if (!ours.contains(key) || !kernels.contains(key)) return;
  const Base& our = ours.at(key);
  const Base& their = kernels.at(key);
  const uint32_t shift = their.iss - our.iss;
  const size_t tcp = ip + 4u * (frame[ip] & 15);
  if (f.tcp.Has(tcp::kAck)) PatchTcp(frame, tcp + 8, f.tcp.ack.value() + shift);
  const size_t end = tcp + 4u * (frame[tcp + 12] >> 4);
  for (size_t i = tcp + 20; i + 1 < std::min(end, frame.size());) {
    const uint8_t kind = frame[i];
    if (kind == tcp::kOptionEnd) break;
    const size_t length = kind == tcp::kOptionNop ? 1 : frame[i + 1];
    if (length == 0 || i + length > frame.size()) break;
    if (kind == tcp::kOptionTimestamps && length == 10) {
      const uint32_t echo = LoadBe32(&frame[i + 6]);
      if (echo != 0) {
        PatchTcp(frame, i + 6, echo + their.timestamp - our.timestamp);
      }
    }
    for (size_t at = 2; kind == tcp::kOptionSack && at + 4 <= length; at += 4) {
      PatchTcp(frame, i + at, LoadBe32(&frame[i + at]) + shift);
    }
    i += length;
  }
}

class Replay {
 public:
  Replay(KernelStack& kernel, const ScriptRecord& record)
      : kernel_(kernel), record_(record), acted_(Clock::now()) {}

  Comparison Run(Duration longest);

 private:
  void Await(Clock::time_point until, size_t replies);
  void Act(const ScriptEvent& event);

  KernelStack& kernel_;
  const ScriptRecord& record_;
  Bases ours_;
  Bases kernels_;
  Clock::time_point acted_;  // when something was last done
  Duration acted_at_{};      // the same in the script's time
  Comparison out_;
};

// Until then, or a little longer if fewer replies have come than are due.
void Replay::Await(Clock::time_point until, size_t replies) {
  const auto grace = std::chrono::milliseconds(60) + (until - acted_) / 4;
  for (;;) {
    const bool complete = out_.kernel.size() >= replies;
    const auto end = complete ? until : until + grace;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        end - Clock::now());
    auto frame =
        kernel_.Receive(std::max(left, std::chrono::microseconds::zero()));
    if (!frame) return;
    Learn(kernels_, ParseFrame(*frame));
    out_.kernel.push_back(
        {Text(*frame, kernels_, record_.peer_isn), Clock::now() - acted_});
  }
}

void Replay::Act(const ScriptEvent& event) {
  if (event.kind == ScriptEvent::Kind::kArrives) {
    Frame frame = event.frame;
    Translate(frame, ours_, kernels_);
    kernel_.Deliver(std::move(frame));
  } else {
    (void)kernel_.Do(event.words);
  }
}

Comparison Replay::Run(Duration longest) {
  Duration last{};
  for (const ScriptEvent& event : record_.events) {
    if (event.at > longest) {
      out_.cut = true;
      break;
    }
    last = event.at;
    if (event.kind == ScriptEvent::Kind::kSent) {
      const ParsedFrame f = ParseFrame(event.frame);
      if (f.is_arp) continue;
      Learn(ours_, f);
      out_.ours.push_back(
          {Text(event.frame, ours_, record_.peer_isn), event.at - acted_at_});
      continue;
    }
    // What comes in one burst is done in one.
    if (event.at > acted_at_ || out_.kernel.size() < out_.ours.size()) {
      Await(acted_ + (event.at - acted_at_), out_.ours.size());
      acted_ = Clock::now();
    }
    acted_at_ = event.at;
    Act(event);
  }
  Await(acted_ + (last - acted_at_) + std::chrono::milliseconds(30),
        out_.ours.size());
  return std::move(out_);
}

bool SameTime(Duration a, Duration b) {
  const Duration apart = a > b ? a - b : b - a;
  return apart <= 60ms || 3 * apart <= std::max(a, b);
}

}  // namespace

Comparison ReplayOn(KernelStack& kernel, const ScriptRecord& record,
                    Duration longest) {
  return Replay(kernel, record).Run(longest);
}

std::string Differences(const Comparison& c) {
  const size_t n = c.ours.size();
  const size_t m = c.kernel.size();
  // Longest common subsequence, from the ends.
  std::vector<std::vector<uint32_t>> common(n + 1,
                                            std::vector<uint32_t>(m + 1));
  for (size_t i = n; i-- > 0;) {
    for (size_t j = m; j-- > 0;) {
      common[i][j] = c.ours[i].text == c.kernel[j].text
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string out;
  auto line = [&out](char sign, const Reply& reply) {
    absl::StrAppendFormat(&out, "  %c %.3f %s\n", sign,
                          static_cast<double>(reply.after.count()) * 1e-9,
                          reply.text);
  };
  for (size_t i = 0, j = 0; i < n || j < m;) {
    if (i < n && j < m && c.ours[i].text == c.kernel[j].text) {
      if (!SameTime(c.ours[i].after, c.kernel[j].after)) {
        absl::StrAppendFormat(
            &out, "  ~ %.3f, the kernel %.3f: %s\n",
            static_cast<double>(c.ours[i].after.count()) * 1e-9,
            static_cast<double>(c.kernel[j].after.count()) * 1e-9,
            c.ours[i].text);
      }
      ++i, ++j;
    } else if (j == m || (i < n && common[i + 1][j] >= common[i][j + 1])) {
      line('-', c.ours[i++]);
    } else {
      line('+', c.kernel[j++]);
    }
  }
  return out;
}

}  // namespace corelane::sim
