// Scripts set the kernel's TCP settings (of the network namespace they run in);
// the stack under test follows them.
#ifndef CORELANE_TESTS_PACKETDRILL_SYSCTLS_H_
#define CORELANE_TESTS_PACKETDRILL_SYSCTLS_H_

#include "proto/tcp/config.h"

namespace corelane::packetdrill {

// The options that sockets start with under the present /proc/sys/net/ipv4.
tcp::Config ConfigOfSysctls();

}  // namespace corelane::packetdrill

#endif  // CORELANE_TESTS_PACKETDRILL_SYSCTLS_H_
