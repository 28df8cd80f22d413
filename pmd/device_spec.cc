#include "pmd/device_spec.h"

#include <net/if.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "pmd/device_table.h"
#include "pmd/nearest_name.h"

namespace corelane::pmd {
namespace {

using absl::InvalidArgumentError;
using absl::string_view;

// sun_path is 108 bytes long, its zero included.
constexpr size_t kLongestSocketPath = 107;

std::vector<string_view> DeviceNames() {
  std::vector<string_view> names;
  for (const DeviceRow& row : DeviceTable()) names.push_back(row.name);
  return names;
}

std::vector<string_view> OptionNames(const DeviceRow& row) {
  std::vector<string_view> names;
  for (const OptionRow& option : row.options) names.push_back(option.name);
  return names;
}

// One option's way into the spec.
class OptionParser {
 public:
  OptionParser(const DeviceRow& row, DeviceSpec& spec)
      : row_(row), spec_(spec) {}

  absl::Status Parse(string_view item) {
    std::pair<string_view, string_view> pair =
        absl::StrSplit(item, absl::MaxSplits('=', 1));
    auto [name, value] = pair;
    // "memif,socket=/run/a,server" is too natural to be refused.
    if (item == "server" || item == "client") {
      name = "role";
      value = item;
    }
    const OptionRow* option = Find(name);
    if (option == nullptr) return Unknown(name);
    if (!seen_.insert(absl::StrCat(name)).second) {
      return Bad(absl::StrCat("option '", name, "' is given twice"));
    }
    if (value.empty()) {
      return Bad(
          absl::StrCat("option '", name, "' needs a value: ", name, "=..."));
    }
    if (value.find_first_of(" \t\n\"'[]()") != string_view::npos) {
      return Bad(absl::StrCat("the value of '", name,
                              "' has a blank, a quote or a bracket in it, "
                              "which DPDK cannot take"));
    }
    return Store(*option, value);
  }

  bool Has(string_view name) const {
    return seen_.contains(absl::StrCat(name));
  }

 private:
  const OptionRow* Find(string_view name) const {
    for (const OptionRow& option : row_.options) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }

  absl::Status Bad(string_view what) const {
    return InvalidArgumentError(absl::StrCat("--dev ", spec_.text, ": ", what));
  }

  absl::Status Unknown(string_view name) const {
    const std::vector<string_view> names = OptionNames(row_);
    return Bad(absl::StrCat("unknown option '", name, "' of '", row_.name, "'",
                            DidYouMean(name, names),
                            "; options: ", absl::StrJoin(names, ", ")));
  }

  void Append(string_view eal_name, string_view value) {
    absl::StrAppend(&spec_.arguments, spec_.arguments.empty() ? "" : ",",
                    eal_name, "=", value);
  }

  absl::Status Store(const OptionRow& option, string_view value) {
    switch (option.type) {
      case OptionType::kInterface:
        return StoreInterface(option, value);
      case OptionType::kSocket:
        return StoreSocket(option, value);
      case OptionType::kRole:
        return StoreRole(option, value);
      case OptionType::kNumber:
        return StoreNumber(option, value);
      case OptionType::kYesNo:
        if (value != "yes" && value != "no") {
          return Bad(absl::StrCat("'", option.name, "' is yes or no, not '",
                                  value, "'"));
        }
        if (option.name == "zero-copy") spec_.zero_copy = value == "yes";
        if (option.name == "tso") {
          spec_.tso = value == "yes";
          return absl::OkStatus();
        }
        Append(option.eal_name, value);
        return absl::OkStatus();
      case OptionType::kMac:
        return StoreMac(value);
      case OptionType::kFile:
        if (option.name == "rx") spec_.input_file = absl::StrCat(value);
        Append(option.eal_name, value);
        return absl::OkStatus();
      case OptionType::kText:
        Append(option.eal_name, value);
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status StoreInterface(const OptionRow& option, string_view value) {
    if (value.size() >= IFNAMSIZ) {
      return Bad(absl::StrCat("interface name '", value, "' has ", value.size(),
                              " characters; the kernel allows ", IFNAMSIZ - 1));
    }
    if (value.find('/') != string_view::npos || value == "." || value == "..") {
      return Bad(absl::StrCat("'", value,
                              "' cannot be an interface's name; use letters "
                              "and digits, such as cl0"));
    }
    if (option.name == "iface") spec_.interface = absl::StrCat(value);
    Append(option.eal_name, value);
    return absl::OkStatus();
  }

  absl::Status StoreSocket(const OptionRow& option, string_view value) {
    const bool abstract = value[0] == '@';
    if (abstract && row_.kind != DeviceKind::kMemif) {
      return Bad(
          "only memif takes an abstract socket ('@name'); give a path "
          "such as socket=/run/a.sock");
    }
    if (value.size() > kLongestSocketPath) {
      return Bad(absl::StrCat("the socket's path has ", value.size(),
                              " characters; at most ", kLongestSocketPath));
    }
    spec_.socket = absl::StrCat(value);
    if (row_.kind == DeviceKind::kMemif) {
      Append("socket", abstract ? value.substr(1) : value);
      // DPDK's default is the abstract name space, where a path is no file.
      Append("socket-abstract", abstract ? "yes" : "no");
    } else {
      Append(option.eal_name, value);
    }
    return absl::OkStatus();
  }

  absl::Status StoreRole(const OptionRow& option, string_view value) {
    if (value != "server" && value != "client") {
      return Bad(absl::StrCat("role is server or client, not '", value, "'"));
    }
    spec_.socket_server = value == "server";
    if (!option.eal_name.empty()) Append(option.eal_name, value);
    return absl::OkStatus();
  }

  absl::Status StoreNumber(const OptionRow& option, string_view value) {
    uint32_t number = 0;
    const bool digits =
        std::all_of(value.begin(), value.end(), absl::ascii_isdigit);
    if (!digits || !absl::SimpleAtoi(value, &number) || number < option.low ||
        number > option.high) {
      return Bad(absl::StrCat("'", option.name, "' is a number from ",
                              option.low, " to ", option.high, ", not '", value,
                              "'"));
    }
    if (option.eal_name.empty()) {
      spec_.most_queues = static_cast<uint16_t>(number);
    } else {
      Append(option.eal_name, value);
    }
    return absl::OkStatus();
  }

  absl::Status StoreMac(string_view value) {
    spec_.mac = ParseMac({value.data(), value.size()});
    if (!spec_.mac) {
      return Bad(absl::StrCat("'", value,
                              "' is not a MAC address; write it like "
                              "02:00:00:00:00:01"));
    }
    if (spec_.mac->IsMulticast() || spec_.mac->IsZero()) {
      return Bad(absl::StrCat("'", value,
                              "' is a group address or zero, no station's; "
                              "start it with 02:"));
    }
    return absl::OkStatus();
  }

  const DeviceRow& row_;
  DeviceSpec& spec_;
  std::set<std::string> seen_;
};

bool IsHex(string_view text, size_t low, size_t high) {
  return text.size() >= low && text.size() <= high &&
         std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// "[domain:]bus:device.function", made complete with the domain; empty if it
// is something else.
std::string CanonicalPciAddress(string_view text) {
  std::vector<string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() == 2) parts.insert(parts.begin(), "0000");
  if (parts.size() != 3) return "";
  const std::vector<string_view> slot = absl::StrSplit(parts[2], '.');
  if (slot.size() != 2 || !IsHex(parts[0], 1, 8) || !IsHex(parts[1], 2, 2) ||
      !IsHex(slot[0], 2, 2) || slot[1].size() != 1 || slot[1][0] < '0' ||
      slot[1][0] > '7') {
    return "";
  }
  return absl::AsciiStrToLower(absl::StrJoin(parts, ":"));
}

absl::StatusOr<DeviceSpec> ParsePci(DeviceSpec spec, string_view rest) {
  const size_t comma = rest.find(',');
  spec.name = CanonicalPciAddress(rest.substr(0, comma));
  if (spec.name.empty()) {
    return InvalidArgumentError(absl::StrCat(
        "--dev ", spec.text,
        ": a PCI address is needed, such as pci,0000:01:00.0 (lspci -D lists "
        "them)"));
  }
  // Device arguments are the driver's own language.
  if (comma != string_view::npos) {
    spec.arguments = absl::StrCat(rest.substr(comma + 1));
  }
  return spec;
}

// What an option's absence means, and which must be there.
absl::Status Complete(const OptionParser& parser, int index, DeviceSpec& spec) {
  auto append = [&spec](string_view text) {
    absl::StrAppend(&spec.arguments, spec.arguments.empty() ? "" : ",", text);
  };
  auto missing = [&spec](string_view what) {
    return InvalidArgumentError(absl::StrCat("--dev ", spec.text, ": ", what));
  };
  switch (spec.kind) {
    case DeviceKind::kTap:
      if (spec.interface.empty()) {
        spec.interface = absl::StrCat("cl", index);
        append(absl::StrCat("iface=", spec.interface));
      }
      break;
    case DeviceKind::kAfPacket:
    case DeviceKind::kAfXdp:
      if (spec.interface.empty()) {
        return missing(
            "the interface is missing; add iface=NAME (ip link "
            "lists them)");
      }
      break;
    case DeviceKind::kMemif:
      if (spec.socket.empty() || !parser.Has("role")) {
        return missing(
            "memif needs a socket and a role; for example "
            "memif,socket=/run/memif.sock,role=server");
      }
      if (spec.zero_copy && spec.socket_server) {
        return missing(
            "zero-copy is the client's to offer; drop it or use "
            "role=client");
      }
      break;
    case DeviceKind::kVhost:
    case DeviceKind::kVirtioUser:
      if (spec.socket.empty()) {
        return missing("the socket is missing; add socket=PATH");
      }
      if (spec.kind == DeviceKind::kVhost) {
        if (!parser.Has("role")) spec.socket_server = true;
        if (!spec.socket_server) append("client=1");
      } else if (spec.socket_server) {
        append("server=1");
      }
      break;
    case DeviceKind::kPcap:
      if (parser.Has("iface") == parser.Has("rx")) {
        return missing(
            "pcap needs either rx=FILE (and perhaps tx=FILE) or "
            "iface=NAME");
      }
      if (parser.Has("iface") && parser.Has("tx")) {
        return missing("tx=FILE goes with rx=FILE, not with iface");
      }
      break;
    case DeviceKind::kNull:
    case DeviceKind::kRing:
    case DeviceKind::kPci:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<DeviceSpec> ParseDevice(const std::string& text,
                                       std::map<DeviceKind, int>& counts) {
  const std::vector<string_view> items = absl::StrSplit(text, ',');
  const DeviceRow* row = nullptr;
  for (const DeviceRow& candidate : DeviceTable()) {
    if (candidate.name == items[0]) row = &candidate;
  }
  if (row == nullptr) {
    const std::vector<string_view> names = DeviceNames();
    // "tap0" and "net_tap" are what DPDK's own documentation teaches.
    string_view bare = absl::StripPrefix(items[0], "net_");
    while (!bare.empty() && absl::ascii_isdigit(bare.back())) {
      bare.remove_suffix(1);
    }
    return InvalidArgumentError(absl::StrCat(
        "--dev ", text, ": unknown device '", items[0], "'",
        DidYouMean(bare, names), (NearestName(bare, names).empty() ? ";" : ""),
        " devices: ", absl::StrJoin(names, ", ")));
  }
  DeviceSpec spec;
  spec.kind = row->kind;
  // Its driver cuts in software, and no better than we do.
  spec.tso = spec.kind != DeviceKind::kTap;
  spec.text = text;
  if (row->kind == DeviceKind::kPci) {
    string_view rest = text;
    absl::ConsumePrefix(&rest, "pci");
    absl::ConsumePrefix(&rest, ",");
    return ParsePci(std::move(spec), rest);
  }
  const int index = counts[row->kind]++;
  spec.name = absl::StrCat(row->eal_name, index);
  OptionParser parser(*row, spec);
  for (size_t i = 1; i < items.size(); ++i) {
    if (absl::Status status = parser.Parse(items[i]); !status.ok()) {
      return status;
    }
  }
  if (absl::Status status = Complete(parser, index, spec); !status.ok()) {
    return status;
  }
  return spec;
}

// Two devices that cannot both exist, whichever of them comes first.
absl::Status CheckDistinct(const std::vector<DeviceSpec>& specs) {
  std::set<std::string> names;
  std::set<std::string> interfaces;
  for (const DeviceSpec& spec : specs) {
    if (!names.insert(spec.name).second) {
      return InvalidArgumentError(
          absl::StrCat("--dev ", spec.text, ": this device is given twice"));
    }
    // af_xdp may take several queue ranges of one interface.
    if (spec.interface.empty() || spec.kind == DeviceKind::kAfXdp) continue;
    if (!interfaces.insert(spec.interface).second) {
      return InvalidArgumentError(absl::StrCat(
          "--dev ", spec.text, ": interface ", spec.interface,
          " is already another --dev's; give each its own iface=NAME"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsVirtual(const DeviceSpec& spec) { return spec.kind != DeviceKind::kPci; }

bool NeedsSingleFileSegments(const DeviceSpec& spec) {
  return spec.kind == DeviceKind::kMemif ||
         spec.kind == DeviceKind::kVirtioUser;
}

bool MayHaveRxInterrupt(const DeviceSpec& spec) {
  switch (spec.kind) {
    case DeviceKind::kTap:
    case DeviceKind::kVhost:
    case DeviceKind::kVirtioUser:
    case DeviceKind::kPci:
      return true;
    default:
      return false;
  }
}

IdleMode DefaultIdleMode(const DeviceSpec& spec) {
  return IsVirtual(spec) ? IdleMode::kAdaptive : IdleMode::kSpin;
}

std::string EalDeviceArgument(const DeviceSpec& spec) {
  if (spec.arguments.empty()) return spec.name;
  return absl::StrCat(spec.name, ",", spec.arguments);
}

absl::StatusOr<std::vector<DeviceSpec>> ParseDevices(
    std::span<const std::string> texts) {
  std::vector<DeviceSpec> specs;
  std::map<DeviceKind, int> counts;
  for (const std::string& text : texts) {
    absl::StatusOr<DeviceSpec> spec = ParseDevice(text, counts);
    if (!spec.ok()) return spec.status();
    specs.push_back(*std::move(spec));
  }
  if (absl::Status status = CheckDistinct(specs); !status.ok()) return status;
  return specs;
}

std::string DeviceHelp() {
  std::string help;
  for (const DeviceRow& row : DeviceTable()) {
    absl::StrAppend(&help, "  ", row.usage, "\n");
  }
  return help;
}

}  // namespace corelane::pmd
