#include "dataplane/inspect/control.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace corelane::inspect {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Runtime;

absl::Status Malformed(const char* wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("malformed request; it has to be ", wanted));
}

absl::StatusOr<Json> Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return Json{{"done", 1}};
}

std::optional<runtime::DeviceAddress> ParseDeviceAddress(
    const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '@');
  const auto prefix = ParseIpv4Prefix(parts[0]);
  if (!prefix.has_value() || parts.size() > 2) return std::nullopt;
  runtime::DeviceAddress address{*prefix, 0};
  if (parts.size() == 1) return address;
  if (!runtime::ParsePlace(parts[1], address)) return std::nullopt;
  return address;
}

const char* StateText(runtime::ClaimState state) {
  switch (state) {
    case runtime::ClaimState::kProbing:
      return "probing";
    case runtime::ClaimState::kInUse:
      return "in use";
    case runtime::ClaimState::kContested:
      return "contested";
  }
  return "?";
}

}  // namespace

absl::StatusOr<Json> AnswerAddresses(Runtime& runtime,
                                     const Parameters& /*p*/) {
  const auto claims = runtime.network().Claims();
  if (!claims.ok()) return claims.status();
  Json report = Json::object();
  size_t number = 0;
  for (const runtime::AddressClaim& claim : *claims) {
    report[absl::StrCat(number++)] = {
        {"address", ToString(claim.address.prefix)},
        {"interface", claim.interface},
        {"device", claim.address.device},
        {"state", StateText(claim.state)},
        {"rival", claim.rival.IsZero() ? "" : ToString(claim.rival)}};
  }
  return report;
}

absl::StatusOr<Json> AddAddress(Runtime& runtime, const Parameters& p) {
  const auto address = p.size() == 1 ? ParseDeviceAddress(p[0]) : std::nullopt;
  if (!address.has_value()) {
    return Malformed(
        "A.B.C.D/N, perhaps with @DEVICE, @vlanN or @DEVICE.vlanN");
  }
  return Done(runtime.network().AddAddress(*address));
}

absl::StatusOr<Json> RemoveAddress(Runtime& runtime, const Parameters& p) {
  const auto address = p.size() == 1 ? ParseIpv4(p[0]) : std::nullopt;
  if (!address.has_value()) return Malformed("A.B.C.D");
  return Done(runtime.network().RemoveAddress(*address));
}

absl::StatusOr<Json> AddRoute(Runtime& runtime, const Parameters& p) {
  const auto to = p.size() == 2 ? ParseIpv4Prefix(p[0]) : std::nullopt;
  const auto gateway = p.size() == 2 ? ParseIpv4(p[1]) : std::nullopt;
  if (!to.has_value() || !gateway.has_value()) {
    return Malformed("A.B.C.D/N,GATEWAY");
  }
  return Done(runtime.network().AddRoute({*to, *gateway}));
}

absl::StatusOr<Json> RemoveRoute(Runtime& runtime, const Parameters& p) {
  const bool good = p.size() == 1 || p.size() == 2;
  const auto to = good ? ParseIpv4Prefix(p[0]) : std::nullopt;
  const auto gateway = p.size() == 2 ? ParseIpv4(p[1]) : Ipv4Address();
  if (!to.has_value() || !gateway.has_value() ||
      (p.size() == 2 && gateway->IsAny())) {
    return Malformed("A.B.C.D/N or A.B.C.D/N,GATEWAY");
  }
  return Done(runtime.network().RemoveRoute(*to, *gateway));
}

absl::StatusOr<Json> FlushNeighbors(Runtime& runtime, const Parameters& p) {
  if (!p.empty()) return Malformed("without parameters");
  return Done(runtime.network().FlushNeighbors());
}

absl::StatusOr<Json> StartCapture(Runtime& runtime, const Parameters& p) {
  const auto grant = runtime.capture().Start(absl::StrJoin(p, ","));
  if (!grant.ok()) return grant.status();
  return Json{{"pid", grant->pid},
              {"fd", grant->fd},
              {"rings", grant->rings},
              {"ring_bytes", grant->ring_bytes}};
}

absl::StatusOr<Json> StopCapture(Runtime& runtime, const Parameters& p) {
  if (!p.empty()) return Malformed("without parameters");
  return Done(runtime.capture().Stop());
}

}  // namespace corelane::inspect
