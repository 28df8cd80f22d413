// From "-errno" inside to "-1 and errno" outside.
#ifndef CORELANE_DATAPLANE_SOCKET_RESULT_H_
#define CORELANE_DATAPLANE_SOCKET_RESULT_H_

#include <cerrno>

namespace corelane::socket {

inline int Fail(int error) {
  errno = error;
  return -1;
}

// A result of zero or more is passed on; -errno becomes errno.
template <typename T>
T Result(T result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_RESULT_H_
