#include "dataplane/cli/blast_sources.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace corelane::cli {
namespace {

constexpr uint8_t kShortestPrefix = 12;
constexpr uint64_t kMostAddresses = 1u << 20;

absl::Status Bad(const Ipv4Prefix& range, absl::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat("--sources ", ToString(range), ": ", message));
}

}  // namespace

absl::StatusOr<std::vector<Ipv4Prefix>> ParseSources(
    const std::vector<std::string>& texts) {
  std::vector<Ipv4Prefix> ranges;
  uint64_t addresses = 0;
  for (const std::string& text : texts) {
    const auto range = ParseIpv4Prefix(text);
    if (!range.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--sources ", text.empty() ? "''" : text,
                       ": give a range of addresses like 10.77.16.0/20"));
    }
    if (range->address != range->Network()) {
      return Bad(*range,
                 absl::StrCat("host bits are set; write ",
                              ToString(range->Network()), "/", range->length));
    }
    if (range->length >= kShortestPrefix) {
      addresses += uint64_t{1} << (32 - range->length);
    }
    if (range->length < kShortestPrefix || addresses > kMostAddresses) {
      return Bad(*range, absl::StrCat("give at most ", kMostAddresses,
                                      " addresses, like 10.77.0.0/16"));
    }
    const Ipv4Address last(range->address.value() | ~range->Mask());
    if (!range->address.IsUnicastHost() || !last.IsUnicastHost()) {
      return Bad(*range, "no host may have addresses from there");
    }
    ranges.push_back(*range);
  }
  return ranges;
}

absl::Status PlaceSources(const std::vector<Ipv4Prefix>& ranges,
                          Ipv4Address target,
                          runtime::RuntimeOptions& options) {
  for (const Ipv4Prefix& range : ranges) {
    if (range.Contains(target)) {
      return Bad(range, absl::StrCat("the target ", ToString(target),
                                     " is in it; give another range"));
    }
    for (const dataplane::StaticRoute& route : options.routes) {
      if (!range.Contains(route.gateway)) continue;
      return Bad(range, absl::StrCat("the gateway ", ToString(route.gateway),
                                     " is in it; give another range"));
    }
    const auto on_link =
        std::find_if(options.addresses.begin(), options.addresses.end(),
                     [&](const runtime::DeviceAddress& a) {
                       return a.prefix.length <= range.length &&
                              a.prefix.Contains(range.address);
                     });
    runtime::DeviceAddress place = on_link != options.addresses.end()
                                       ? *on_link
                                       : options.addresses.front();
    place.prefix = range;
    options.ranges.push_back(place);
  }
  return absl::OkStatus();
}

std::vector<Ipv4Address> SourcesOf(const runtime::RuntimeOptions& options) {
  std::vector<Ipv4Address> sources;
  if (options.ranges.empty()) {
    for (const runtime::DeviceAddress& a : options.addresses) {
      sources.push_back(a.prefix.address);
    }
    if (sources.size() == 1) sources.clear();
    return sources;
  }
  auto usable = [&](Ipv4Address address) {
    return std::none_of(options.addresses.begin(), options.addresses.end(),
                        [&](const runtime::DeviceAddress& a) {
                          return a.prefix.length < 31 &&
                                 (address == a.prefix.Network() ||
                                  address == a.prefix.DirectedBroadcast());
                        });
  };
  for (const runtime::DeviceAddress& range : options.ranges) {
    const uint32_t first = range.prefix.address.value();
    const uint32_t last = first | ~range.prefix.Mask();
    const uint32_t edge = range.prefix.length < 31 ? 1 : 0;
    for (uint32_t a = first + edge; a <= last - edge; ++a) {
      if (usable(Ipv4Address(a))) sources.emplace_back(a);
    }
  }
  return sources;
}

}  // namespace corelane::cli
