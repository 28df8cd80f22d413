// Addresses as the socket calls pass them.
#ifndef CORELANE_DATAPLANE_SOCKET_ADDRESS_H_
#define CORELANE_DATAPLANE_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include "dataplane/api/udp_socket.h"

namespace corelane::socket {

using Endpoint = dataplane::UdpEndpoint;

// Reads an address for a socket of `family` (AF_INET, or AF_INET6 with IPv4
// addresses mapped into it; "::" stands for 0.0.0.0). Returns 0 or an errno:
// EINVAL too short, EAFNOSUPPORT of another family, ENETUNREACH IPv6 proper.
int ReadAddress(int family, const sockaddr* address, socklen_t length,
                Endpoint& out);

// Writes at most *length bytes and says in *length how many there are. Does
// nothing if `address` is nullptr.
void WriteAddress(int family, const Endpoint& endpoint, sockaddr* address,
                  socklen_t* length);

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_ADDRESS_H_
