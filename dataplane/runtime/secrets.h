// The process's secrets, from the host's random device.
#ifndef CORELANE_DATAPLANE_RUNTIME_SECRETS_H_
#define CORELANE_DATAPLANE_RUNTIME_SECRETS_H_

#include "absl/status/statusor.h"
#include "dataplane/pipeline/core.h"

namespace corelane::runtime {

// All but one are drawn anew each time: that of timestamps is the host's since
// it started. Unavailable if the kernel gives no random numbers.
absl::StatusOr<dataplane::Secrets> DrawSecrets();

}  // namespace corelane::runtime

#endif  // CORELANE_DATAPLANE_RUNTIME_SECRETS_H_
