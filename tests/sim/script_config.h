// `set NAME VALUE` in front of a script: every field of proto/tcp/config.h by
// its name (durations in seconds, switches on or off, `congestion cubic`, `ecn
// accept`), the limits of TcpLimits, and
//
//   mtu N              of the interface
//   address A          another one of it, besides 10.0.0.1
//   rx_checksum on     the card verifies checksums
//   probe on           RFC 5227 probes at start
//   seed N             for the stack's secrets
#ifndef CORELANE_TESTS_SIM_SCRIPT_CONFIG_H_
#define CORELANE_TESTS_SIM_SCRIPT_CONFIG_H_

#include <string>

#include "tests/sim/node.h"

namespace corelane::sim {

// The host of all scripts: 10.0.0.1/24, small tables, known secrets.
NodeConfig ScriptNodeConfig();

// Returns what is wrong, or nothing.
std::string SetByName(const std::string& name, const std::string& value,
                      NodeConfig& config);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_CONFIG_H_
