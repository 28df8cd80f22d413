// A running instance as other processes see it: its name, its directory of
// sockets, whether it lives.
#ifndef CORELANE_PMD_INSTANCE_H_
#define CORELANE_PMD_INSTANCE_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace corelane::pmd {

// The EAL's directory for the instance of this name (its --file-prefix):
// /var/run/dpdk/NAME for root, below $XDG_RUNTIME_DIR (or /tmp) for others,
// below $RUNTIME_DIRECTORY where systemd sets one.
std::string RuntimeDirectory(const std::string& name);

// Where a running instance answers DPDK's telemetry protocol, a SOCK_SEQPACKET
// unix socket. It does so with and without huge pages.
std::string TelemetrySocketPath(const std::string& name);

// The process that runs the instance; 0 if it lives in a PID namespace that
// this process cannot see into; nullopt when none runs.
std::optional<pid_t> FindInstance(const std::string& name);

// The names of all instances running under this user, sorted.
std::vector<std::string> ListInstances();

// Tells the functions above which instance this process is, empty for none.
// They must not open that one's files: closing a file drops the process's own
// locks on it (POSIX), and with them the proof that it lives. For Eal.
void SetOwnInstance(const std::string& name);

// Letters, digits, '-', '_' and '.', at most 32 of them: it becomes part of
// file names.
absl::Status CheckInstanceName(const std::string& name);

}  // namespace corelane::pmd

#endif  // CORELANE_PMD_INSTANCE_H_
