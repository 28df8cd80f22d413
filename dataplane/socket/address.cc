#include "dataplane/socket/address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proto/base/bytes.h"

namespace corelane::socket {
namespace {

// ::ffff:0:0/96 (RFC 4291 section 2.5.5.2).
constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0,    0,
                                       0, 0, 0, 0, 0xff, 0xff};

int ReadInet(const sockaddr* address, socklen_t length, Endpoint& out) {
  sockaddr_in in;
  if (length < sizeof(in)) return EINVAL;
  std::memcpy(&in, address, sizeof(in));
  out.address = Ipv4Address(ntohl(in.sin_addr.s_addr));
  out.port = ntohs(in.sin_port);
  return 0;
}

int ReadInet6(const sockaddr* address, socklen_t length, Endpoint& out) {
  sockaddr_in6 in;
  // RFC 2133 had no sin6_scope_id, which Linux still takes.
  if (length < sizeof(in) - sizeof(in.sin6_scope_id)) return EINVAL;
  std::memcpy(&in, address, std::min<size_t>(length, sizeof(in)));
  out.port = ntohs(in.sin6_port);
  const uint8_t* bytes = in.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_UNSPECIFIED(&in.sin6_addr)) {
    out.address = Ipv4Address();
    return 0;
  }
  if (std::memcmp(bytes, kMappedPrefix, sizeof(kMappedPrefix)) != 0) {
    return ENETUNREACH;
  }
  out.address = Ipv4Address(LoadBe32(bytes + sizeof(kMappedPrefix)));
  return 0;
}

}  // namespace

int ReadAddress(int family, const sockaddr* address, socklen_t length,
                Endpoint& out) {
  if (address == nullptr) return EFAULT;
  if (length < sizeof(sa_family_t)) return EINVAL;
  sa_family_t of_address;
  std::memcpy(&of_address, address, sizeof(of_address));
  if (of_address != family) return EAFNOSUPPORT;
  return family == AF_INET ? ReadInet(address, length, out)
                           : ReadInet6(address, length, out);
}

void WriteAddress(int family, const Endpoint& endpoint, sockaddr* address,
                  socklen_t* length) {
  if (address == nullptr || length == nullptr) return;
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    in.sin_addr.s_addr = htonl(endpoint.address.value());
    std::memcpy(address, &in, std::min<size_t>(*length, sizeof(in)));
    *length = sizeof(in);
    return;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(endpoint.port);
  if (!endpoint.address.IsAny()) {
    std::memcpy(in.sin6_addr.s6_addr, kMappedPrefix, sizeof(kMappedPrefix));
    StoreBe32(in.sin6_addr.s6_addr + sizeof(kMappedPrefix),
              endpoint.address.value());
  }
  std::memcpy(address, &in, std::min<size_t>(*length, sizeof(in)));
  *length = sizeof(in);
}

}  // namespace corelane::socket
