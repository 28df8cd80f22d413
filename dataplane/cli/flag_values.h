// What the values of flags mean. Each parser's message is one line that names
// the flag, what was typed, and what to type instead.
#ifndef CORELANE_DATAPLANE_CLI_FLAG_VALUES_H_
#define CORELANE_DATAPLANE_CLI_FLAG_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/runtime/options.h"
#include "pmd/huge_pages.h"
#include "pmd/idle_mode.h"
#include "proto/base/address.h"
#include "proto/base/time.h"
#include "proto/tcp/congestion_control.h"

namespace corelane::cli {

// Stores what a parser made of a flag's text, if the flag was given and
// nothing was wrong before; else `status` says what is wrong first.
template <typename Value, typename Parser>
void Take(const std::optional<std::string>& text, Value& out,
          absl::Status& status, const Parser& parse) {
  if (!status.ok() || !text.has_value()) return;
  auto value = parse(*text);
  if (value.ok()) {
    out = static_cast<Value>(*std::move(value));
  } else {
    status = value.status();
  }
}

// A decimal number within [low, high]; `unit` ("MiB") may be empty.
absl::StatusOr<uint64_t> ParseNumber(absl::string_view flag,
                                     const std::string& text, uint64_t low,
                                     uint64_t high, absl::string_view unit);
absl::StatusOr<uint16_t> ParsePort(absl::string_view flag,
                                   const std::string& text);
// "500ms", "3s", "2min", or a bare number of seconds.
absl::StatusOr<Duration> ParseDuration(absl::string_view flag,
                                       const std::string& text, Duration low,
                                       Duration high);
// "10.77.0.1:9000".
absl::StatusOr<dataplane::UdpEndpoint> ParseEndpoint(absl::string_view flag,
                                                     const std::string& text);

absl::StatusOr<Ipv4Address> ParseAddress(absl::string_view flag,
                                         const std::string& text);
// "10.77.0.2/24" or "10.77.0.2/24@1".
absl::StatusOr<runtime::DeviceAddress> ParseDeviceAddress(
    const std::string& text, absl::string_view flag = "--addr");
// "10.1.0.0/16,10.77.0.1".
absl::StatusOr<dataplane::StaticRoute> ParseRoute(
    const std::string& text, absl::string_view flag = "--route");
absl::StatusOr<tcp::CongestionControl> ParseCongestion(const std::string& text);
// "0", "2-5", "0,2-3": each CPU once, of those that this process may use.
absl::StatusOr<std::vector<int>> ParseCores(const std::string& text);
absl::StatusOr<pmd::IdleMode> ParseIdle(const std::string& text);
absl::StatusOr<pmd::HugePages> ParseHugePages(const std::string& text);

}  // namespace corelane::cli

#endif  // CORELANE_DATAPLANE_CLI_FLAG_VALUES_H_
