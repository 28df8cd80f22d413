// What each kind of device is called, which options it takes, and what those
// are called in the EAL's language.
#ifndef CORELANE_PMD_DEVICE_TABLE_H_
#define CORELANE_PMD_DEVICE_TABLE_H_

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "pmd/device_spec.h"

namespace corelane::pmd {

enum class OptionType : uint8_t {
  kInterface,  // a kernel interface's name, shorter than IFNAMSIZ
  kSocket,     // a unix socket's path
  kRole,       // server or client
  kNumber,     // decimal, within [low, high]
  kYesNo,
  kFile,
  kText,
  kMac,  // not for the EAL: the port sets it
};

struct OptionRow {
  absl::string_view name;      // as typed
  absl::string_view eal_name;  // empty: handled by the parser itself
  OptionType type;
  uint32_t low = 0;
  uint32_t high = 0;
};

struct DeviceRow {
  DeviceKind kind;
  absl::string_view name;      // as typed
  absl::string_view eal_name;  // driver prefix, the index follows: "net_tap"
  std::span<const OptionRow> options;
  absl::string_view usage;  // for --help
};

std::span<const DeviceRow> DeviceTable();
const DeviceRow& RowOf(DeviceKind kind);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_DEVICE_TABLE_H_
