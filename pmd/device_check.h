// What can be found wrong with a device before the EAL is started, when the
// message can still say what to type.
#ifndef CORELANE_PMD_DEVICE_CHECK_H_
#define CORELANE_PMD_DEVICE_CHECK_H_

#include "absl/status/status.h"
#include "pmd/device_spec.h"

namespace corelane::pmd {

// Looks at the system (network interfaces, sockets, files, permissions) in the
// caller's network namespace; changes nothing. The message is one line that
// names the device as typed and the remedy.
absl::Status CheckDevice(const DeviceSpec& spec);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_DEVICE_CHECK_H_
