#include "dataplane/cli/flag_values.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "pmd/nearest_name.h"

namespace corelane::cli {
namespace {

absl::Status Bad(absl::string_view flag, absl::string_view text,
                 absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " ", text.empty() ? "''" : text, ": ", what));
}

// absl::SimpleAtoi takes blanks and signs; a flag's number has neither.
bool ParseDigits(absl::string_view text, uint64_t& value) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, &value);
}

// One of a few words; the index of it.
absl::StatusOr<size_t> ParseWord(absl::string_view flag,
                                 const std::string& text,
                                 std::span<const absl::string_view> words) {
  const auto it = std::find(words.begin(), words.end(), text);
  if (it != words.end()) return static_cast<size_t>(it - words.begin());
  return Bad(flag, text,
             absl::StrCat("it is one of ", absl::StrJoin(words, ", "),
                          pmd::DidYouMean(text, words)));
}

std::string InConfig(Duration d) {
  if (d % 1s == 0ns) return absl::StrCat(d / 1s, "s");
  return absl::StrCat(d / 1ms, "ms");
}

}  // namespace

absl::StatusOr<uint64_t> ParseNumber(absl::string_view flag,
                                     const std::string& text, uint64_t low,
                                     uint64_t high, absl::string_view unit) {
  uint64_t value = 0;
  if (!ParseDigits(text, value) || value < low || value > high) {
    return Bad(flag, text,
               absl::StrCat("give a number from ", low, " to ", high,
                            unit.empty() ? "" : " ", unit));
  }
  return value;
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view flag,
                                   const std::string& text) {
  uint64_t value = 0;
  if (!ParseDigits(text, value) || value == 0 || value > 65535) {
    return Bad(flag, text, "a port is a number from 1 to 65535");
  }
  return static_cast<uint16_t>(value);
}

absl::StatusOr<Duration> ParseDuration(absl::string_view flag,
                                       const std::string& text, Duration low,
                                       Duration high) {
  const auto digits_end = std::find_if_not(
      text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::string digits(text.begin(), digits_end);
  const std::string unit(digits_end, text.end());
  Duration scale = 0ns;
  if (unit.empty() || unit == "s") scale = 1s;
  if (unit == "ms") scale = 1ms;
  if (unit == "min" || unit == "m") scale = 1min;
  uint64_t count = 0;
  const bool good = scale != 0ns && ParseDigits(digits, count) &&
                    count <= static_cast<uint64_t>(high / scale) &&
                    static_cast<int64_t>(count) * scale >= low;
  if (!good) {
    return Bad(flag, text,
               absl::StrCat("give a time from ", InConfig(low), " to ",
                            InConfig(high), ", such as 500ms, 10s or 2min"));
  }
  return static_cast<int64_t>(count) * scale;
}

absl::StatusOr<Ipv4Address> ParseAddress(absl::string_view flag,
                                         const std::string& text) {
  const std::optional<Ipv4Address> address = ParseIpv4(text);
  if (!address.has_value()) {
    return Bad(flag, text, "not an IPv4 address; write it like 10.77.0.2");
  }
  return *address;
}

absl::StatusOr<dataplane::UdpEndpoint> ParseEndpoint(absl::string_view flag,
                                                     const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() != 2) {
    return Bad(flag, text, "write address and port like 10.77.0.1:9000");
  }
  auto address = ParseAddress(flag, parts[0]);
  if (!address.ok()) return address.status();
  auto port = ParsePort(flag, parts[1]);
  if (!port.ok()) return port.status();
  return dataplane::UdpEndpoint{*address, *port};
}

absl::StatusOr<runtime::DeviceAddress> ParseDeviceAddress(
    const std::string& text, absl::string_view flag) {
  const std::vector<std::string> parts =
      absl::StrSplit(text, absl::MaxSplits('@', 1));
  runtime::DeviceAddress result;
  const std::optional<Ipv4Prefix> prefix = ParseIpv4Prefix(parts[0]);
  if (!prefix.has_value()) {
    if (ParseIpv4(parts[0]).has_value()) {
      return Bad(flag, text,
                 absl::StrCat("the length of the network's prefix is missing; "
                              "write ",
                              parts[0], "/24"));
    }
    return Bad(flag, text,
               "not an IPv4 address with a prefix length; write it like "
               "10.77.0.2/24");
  }
  result.prefix = *prefix;
  if (parts.size() > 1) {
    if (!runtime::ParsePlace(parts[1], result)) {
      return Bad(flag, text,
                 "what follows the @ is a device's number, 0 for the first "
                 "--dev, or a VLAN from 1 to 4094, or both; write it like "
                 "10.77.0.2/24@0, 10.77.0.2/24@vlan3 or 10.77.0.2/24@0.vlan3");
    }
  }
  return result;
}

absl::StatusOr<dataplane::StaticRoute> ParseRoute(const std::string& text,
                                                  absl::string_view flag) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  if (parts.size() == 2) {
    const std::optional<Ipv4Prefix> to = ParseIpv4Prefix(parts[0]);
    const std::optional<Ipv4Address> gateway = ParseIpv4(parts[1]);
    if (to.has_value() && gateway.has_value()) {
      return dataplane::StaticRoute{*to, *gateway};
    }
  }
  return Bad(flag, text,
             "write a network and its gateway like 10.1.0.0/16,10.77.0.1");
}

absl::StatusOr<tcp::CongestionControl> ParseCongestion(
    const std::string& text) {
  if (const auto control = tcp::CongestionControlByName(text)) return *control;
  constexpr std::array<absl::string_view, 4> kWords = {"newreno", "cubic",
                                                       "dctcp", "bbr"};
  return ParseWord("--congestion", text, kWords).status();
}

namespace {

// What one part of --cores names: a CPU, or a range of them.
absl::Status AddCores(const std::string& text, absl::string_view part,
                      std::vector<int>& cores) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(part, absl::MaxSplits('-', 1));
  const bool range = part.find('-') != absl::string_view::npos;
  uint64_t low = 0;
  uint64_t high = 0;
  if (!ParseDigits(ends.first, low) ||
      !ParseDigits(range ? ends.second : ends.first, high) || high < low) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--cores ", text, ": '", part,
        "' is neither a CPU's number nor a range; give a list such as 2-5 or "
        "0,1"));
  }
  const auto cpus = static_cast<uint64_t>(sysconf(_SC_NPROCESSORS_CONF));
  for (uint64_t cpu = low; cpu <= high; ++cpu) {
    if (cpu >= cpus) {
      return absl::InvalidArgumentError(
          absl::StrCat("--cores ", text, ": there is no CPU ", cpu,
                       "; this machine has 0 to ", cpus - 1));
    }
    if (std::find(cores.begin(), cores.end(), static_cast<int>(cpu)) !=
        cores.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--cores ", text, ": CPU ", cpu, " is named twice; once is enough"));
    }
    cores.push_back(static_cast<int>(cpu));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<int>> ParseCores(const std::string& text) {
  std::vector<int> cores;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    if (absl::Status s = AddCores(text, part, cores); !s.ok()) return s;
  }
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return cores;
  for (const int cpu : cores) {
    if (CPU_ISSET(cpu, &allowed)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--cores ", text, ": this process may not run on CPU ", cpu,
        " (taskset, a container or a cgroup keeps it off); give one that it "
        "may use"));
  }
  return cores;
}

absl::StatusOr<pmd::IdleMode> ParseIdle(const std::string& text) {
  constexpr std::array<absl::string_view, 2> kWords = {"spin", "adaptive"};
  absl::StatusOr<size_t> word = ParseWord("--idle", text, kWords);
  if (!word.ok()) return word.status();
  return *word == 0 ? pmd::IdleMode::kSpin : pmd::IdleMode::kAdaptive;
}

absl::StatusOr<pmd::HugePages> ParseHugePages(const std::string& text) {
  constexpr std::array<absl::string_view, 3> kWords = {"auto", "require",
                                                       "off"};
  absl::StatusOr<size_t> word = ParseWord("--huge", text, kWords);
  if (!word.ok()) return word.status();
  constexpr std::array<pmd::HugePages, 3> kValues = {
      pmd::HugePages::kAuto, pmd::HugePages::kRequire, pmd::HugePages::kOff};
  return kValues[*word];
}

}  // namespace corelane::cli
