// Option values, copied in and out as the kernel does it.
#ifndef CORELANE_DATAPLANE_SOCKET_OPTION_VALUE_H_
#define CORELANE_DATAPLANE_SOCKET_OPTION_VALUE_H_

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace corelane::socket {

// Reads a T; 0 or -errno.
template <typename T>
int ReadOption(const void* value, socklen_t length, T& out) {
  if (value == nullptr) return -EFAULT;
  if (length < sizeof(T)) return -EINVAL;
  std::memcpy(&out, value, sizeof(T));
  return 0;
}

// Writes bytes, as many as there is room for, and says how many.
inline int WriteOption(const void* from, size_t size, void* value,
                       socklen_t& length) {
  length = static_cast<socklen_t>(std::min<size_t>(length, size));
  if (length > 0) std::memcpy(value, from, length);
  return 0;
}

inline int WriteInt(int from, void* value, socklen_t& length) {
  return WriteOption(&from, sizeof(from), value, length);
}

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_OPTION_VALUE_H_
