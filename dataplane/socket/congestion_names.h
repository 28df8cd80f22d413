// What TCP_CONGESTION calls the algorithms: Linux's names.
#ifndef CORELANE_DATAPLANE_SOCKET_CONGESTION_NAMES_H_
#define CORELANE_DATAPLANE_SOCKET_CONGESTION_NAMES_H_

#include <optional>
#include <string_view>

#include "proto/tcp/config.h"

namespace corelane::socket {

inline std::optional<tcp::CongestionControl> CongestionByName(
    std::string_view name) {
  if (name == "reno") return tcp::CongestionControl::kNewReno;
  if (name == "cubic") return tcp::CongestionControl::kCubic;
  if (name == "dctcp") return tcp::CongestionControl::kDctcp;
  return std::nullopt;
}

constexpr std::string_view CongestionName(tcp::CongestionControl control) {
  switch (control) {
    case tcp::CongestionControl::kNewReno:
      return "reno";
    case tcp::CongestionControl::kCubic:
      return "cubic";
    case tcp::CongestionControl::kDctcp:
      return "dctcp";
  }
  return "";
}

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_CONGESTION_NAMES_H_
