// The many names of receiving and sending.
#include <netinet/in.h>

#include <cerrno>
#include <climits>

#include "dataplane/socket/result.h"
#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

// Reads a count of vectors as POSIX has it; empty `out` and false if it is bad.
bool ReadVectors(const iovec* vectors, size_t count,
                 std::span<const iovec>& out) {
  if (count > IOV_MAX) return false;
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    if (vectors[i].iov_len > SSIZE_MAX - total) return false;
    total += vectors[i].iov_len;
  }
  out = {vectors, count};
  return true;
}

iovec Whole(const void* buffer, size_t n) {
  return {const_cast<void*>(buffer), n > SSIZE_MAX ? size_t{SSIZE_MAX} : n};
}

}  // namespace

ssize_t SocketStack::Receive(int fd, std::span<const iovec> to, int flags,
                             Origin& origin) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  return Result(
      s->kind == File::Kind::kTcp
          ? ReceiveTcp(std::static_pointer_cast<TcpSocket>(s), to, flags)
          : ReceiveUdp(std::static_pointer_cast<DatagramSocket>(s), to, flags,
                       origin));
}

ssize_t SocketStack::Transmit(int fd, std::span<const iovec> from, int flags,
                              const sockaddr* to, socklen_t to_length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  if (s->kind == File::Kind::kTcp) {
    // A connection has one peer: an address is not looked at.
    return Result(SendTcp(std::static_pointer_cast<TcpSocket>(s), from, flags));
  }
  Endpoint target;
  const bool named = to != nullptr && to_length > 0;
  if (named) {
    error = ReadAddress(s->family, to, to_length, target);
    if (error != 0) return Fail(error);
  }
  return Result(SendUdp(static_cast<DatagramSocket&>(*s), from, flags,
                        named ? &target : nullptr));
}

ssize_t SocketStack::Read(int fd, void* buffer, size_t n) {
  return Recv(fd, buffer, n, 0);
}

ssize_t SocketStack::Readv(int fd, const iovec* vectors, int count) {
  std::span<const iovec> to;
  if (count < 0 || !ReadVectors(vectors, static_cast<size_t>(count), to)) {
    return Fail(EINVAL);
  }
  Origin origin;
  return Receive(fd, to, 0, origin);
}

ssize_t SocketStack::Recv(int fd, void* buffer, size_t n, int flags) {
  return RecvFrom(fd, buffer, n, flags, nullptr, nullptr);
}

ssize_t SocketStack::RecvFrom(int fd, void* buffer, size_t n, int flags,
                              sockaddr* from, socklen_t* from_length) {
  const iovec vector = Whole(buffer, n);
  Origin origin;
  const ssize_t r = Receive(fd, {&vector, 1}, flags, origin);
  if (r < 0 || from_length == nullptr) return r;
  if (origin.known) {
    WriteAddress(static_cast<SocketFile&>(*Find(fd)).family, origin.from, from,
                 from_length);
  } else {
    *from_length = 0;  // a stream does not say
  }
  return r;
}

ssize_t SocketStack::RecvMsg(int fd, msghdr* message, int flags) {
  std::span<const iovec> to;
  if (!ReadVectors(message->msg_iov, message->msg_iovlen, to)) {
    return Fail(EMSGSIZE);
  }
  Origin origin;
  const ssize_t r = Receive(fd, to, flags, origin);
  if (r < 0) return r;
  if (origin.known) {
    WriteAddress(static_cast<SocketFile&>(*Find(fd)).family, origin.from,
                 static_cast<sockaddr*>(message->msg_name),
                 &message->msg_namelen);
  } else {
    message->msg_namelen = 0;
  }
  message->msg_controllen = 0;
  message->msg_flags = origin.flags;
  return r;
}

ssize_t SocketStack::Write(int fd, const void* buffer, size_t n) {
  return SendTo(fd, buffer, n, 0, nullptr, 0);
}

ssize_t SocketStack::Writev(int fd, const iovec* vectors, int count) {
  std::span<const iovec> from;
  if (count < 0 || !ReadVectors(vectors, static_cast<size_t>(count), from)) {
    return Fail(EINVAL);
  }
  return Transmit(fd, from, 0, nullptr, 0);
}

ssize_t SocketStack::Send(int fd, const void* buffer, size_t n, int flags) {
  return SendTo(fd, buffer, n, flags, nullptr, 0);
}

ssize_t SocketStack::SendTo(int fd, const void* buffer, size_t n, int flags,
                            const sockaddr* to, socklen_t to_length) {
  const iovec vector = Whole(buffer, n);
  return Transmit(fd, {&vector, 1}, flags, to, to_length);
}

ssize_t SocketStack::SendMsg(int fd, const msghdr* message, int flags) {
  std::span<const iovec> from;
  if (!ReadVectors(message->msg_iov, message->msg_iovlen, from)) {
    return Fail(EMSGSIZE);
  }
  // No ancillary data is understood; what a caller wants by it would not
  // happen.
  if (message->msg_controllen > 0) return Fail(EOPNOTSUPP);
  return Transmit(fd, from, flags, static_cast<sockaddr*>(message->msg_name),
                  message->msg_namelen);
}

}  // namespace corelane::socket
