// What packetdrill loads: packetdrill_interface_init fills in its table of
// calls. The same file, preloaded, also takes getsockopt and close of the
// stack's descriptors, which packetdrill calls past its table.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/packetdrill/stack.h"

namespace corelane::packetdrill {
namespace {

using socket::SocketStack;

// One per process: packetdrill runs one script in each.
Stack* g_stack = nullptr;

// A system call by its arguments: CALL(Method, arguments...).
#define CALL(...) g_stack->Do([&](SocketStack& s) { return s.__VA_ARGS__; })

void Free(void* /*self*/) {
  if (g_stack->unclaimed() > 0) {
    std::fprintf(stderr, "corelane_packetdrill: %zu packets not asked for\n",
                 g_stack->unclaimed());
  }
  delete g_stack;
  g_stack = nullptr;
}

int Socket(void* /*self*/, int domain, int type, int protocol) {
  g_stack->ReadSysctls();
  return CALL(Socket(domain, type, protocol));
}
int Bind(void* /*self*/, int fd, const sockaddr* address, socklen_t length) {
  return CALL(Bind(fd, address, length));
}
int Listen(void* /*self*/, int fd, int backlog) {
  return CALL(Listen(fd, backlog));
}
int Accept(void* /*self*/, int fd, sockaddr* address, socklen_t* length) {
  return CALL(Accept(fd, address, length));
}
int Connect(void* /*self*/, int fd, const sockaddr* address, socklen_t length) {
  return CALL(Connect(fd, address, length));
}
ssize_t Read(void* /*self*/, int fd, void* buffer, size_t n) {
  return CALL(Read(fd, buffer, n));
}
ssize_t Readv(void* /*self*/, int fd, const iovec* vectors, int count) {
  return CALL(Readv(fd, vectors, count));
}
ssize_t Recv(void* /*self*/, int fd, void* buffer, size_t n, int flags) {
  return CALL(Recv(fd, buffer, n, flags));
}
ssize_t RecvFrom(void* /*self*/, int fd, void* buffer, size_t n, int flags,
                 sockaddr* from, socklen_t* length) {
  return CALL(RecvFrom(fd, buffer, n, flags, from, length));
}
ssize_t RecvMsg(void* /*self*/, int fd, msghdr* message, int flags) {
  return CALL(RecvMsg(fd, message, flags));
}
ssize_t Write(void* /*self*/, int fd, const void* buffer, size_t n) {
  return CALL(Write(fd, buffer, n));
}
ssize_t Writev(void* /*self*/, int fd, const iovec* vectors, int count) {
  return CALL(Writev(fd, vectors, count));
}
ssize_t Send(void* /*self*/, int fd, const void* buffer, size_t n, int flags) {
  return CALL(Send(fd, buffer, n, flags));
}
ssize_t SendTo(void* /*self*/, int fd, const void* buffer, size_t n, int flags,
               const sockaddr* to, socklen_t length) {
  return CALL(SendTo(fd, buffer, n, flags, to, length));
}
ssize_t SendMsg(void* /*self*/, int fd, const msghdr* message, int flags) {
  return CALL(SendMsg(fd, message, flags));
}
int Fcntl(void* /*self*/, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return CALL(Fcntl(fd, command, argument));
}
int Ioctl(void* /*self*/, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return CALL(Ioctl(fd, request, argument));
}
int Close(void* /*self*/, int fd) { return CALL(Close(fd)); }
int Shutdown(void* /*self*/, int fd, int how) {
  return CALL(Shutdown(fd, how));
}
int GetSockOpt(void* /*self*/, int fd, int level, int name, void* value,
               socklen_t* length) {
  return CALL(GetSockOpt(fd, level, name, value, length));
}
int SetSockOpt(void* /*self*/, int fd, int level, int name, const void* value,
               socklen_t length) {
  return CALL(SetSockOpt(fd, level, name, value, length));
}
int Poll(void* /*self*/, pollfd* fds, nfds_t count, int timeout) {
  return CALL(Poll(fds, count, timeout));
}
int EpollCreate(void* /*self*/, int size) {
  if (size <= 0) {
    errno = EINVAL;
    return -1;
  }
  return CALL(EpollCreate(0));
}
int EpollCtl(void* /*self*/, int epoll, int operation, int fd,
             epoll_event* event) {
  return CALL(EpollCtl(epoll, operation, fd, event));
}
int EpollWait(void* /*self*/, int epoll, epoll_event* events, int room,
              int timeout) {
  return CALL(EpollWait(epoll, events, room, timeout));
}
int Pipe(void* /*self*/, int* /*fds*/) {
  errno = ENOSYS;
  return -1;
}
ssize_t Splice(void* /*self*/, int /*in*/, loff_t* /*in_offset*/, int /*out*/,
               loff_t* /*out_offset*/, size_t /*n*/, unsigned /*flags*/) {
  errno = ENOSYS;
  return -1;
}

int NetdevSend(void* /*self*/, const void* packet, size_t length) {
  g_stack->Send({static_cast<const uint8_t*>(packet), length});
  return 0;
}

// No packet, ever: length 0, on which packetdrill gives up.
int NetdevReceive(void* /*self*/, void* packet, size_t* length,
                  long long* time_usecs) {
  std::vector<uint8_t> bytes;
  Time at;
  const bool any = g_stack->Receive(bytes, at) && bytes.size() <= *length;
  *length = any ? bytes.size() : 0;
  if (!any) return 0;
  std::memcpy(packet, bytes.data(), bytes.size());
  *time_usecs = at.time_since_epoch().count() / 1000;
  return 0;
}

int Usleep(void* /*self*/, useconds_t usecs) {
  g_stack->Sleep(std::chrono::microseconds(usecs));
  return 0;
}

int GetTimeOfDay(void* /*self*/, timeval* time, void* /*zone*/) {
  const int64_t usecs = g_stack->Now().time_since_epoch().count() / 1000;
  time->tv_sec = usecs / 1'000'000;
  time->tv_usec = usecs % 1'000'000;
  return 0;
}

template <typename F>
void* Slot(F* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace
}  // namespace corelane::packetdrill

using corelane::packetdrill::g_stack;

#define EXPORTED extern "C" __attribute__((visibility("default")))

// `table` has 33 slots; the first is handed back to each function.
EXPORTED void packetdrill_interface_init(const char* flags, void** table) {
  namespace pd = corelane::packetdrill;
  pd::StackFlags parsed;
  if (flags != nullptr && !parsed.Parse(flags)) {
    std::fprintf(stderr, "corelane_packetdrill: bad --so_flags: %s\n", flags);
    std::exit(2);
  }
  g_stack = new pd::Stack(parsed);
  void* const slots[] = {
      nullptr,
      pd::Slot(pd::Free),
      pd::Slot(pd::Socket),
      pd::Slot(pd::Bind),
      pd::Slot(pd::Listen),
      pd::Slot(pd::Accept),
      pd::Slot(pd::Connect),
      pd::Slot(pd::Read),
      pd::Slot(pd::Readv),
      pd::Slot(pd::Recv),
      pd::Slot(pd::RecvFrom),
      pd::Slot(pd::RecvMsg),
      pd::Slot(pd::Write),
      pd::Slot(pd::Writev),
      pd::Slot(pd::Send),
      pd::Slot(pd::SendTo),
      pd::Slot(pd::SendMsg),
      pd::Slot(pd::Fcntl),
      pd::Slot(pd::Ioctl),
      pd::Slot(pd::Close),
      pd::Slot(pd::Shutdown),
      pd::Slot(pd::GetSockOpt),
      pd::Slot(pd::SetSockOpt),
      pd::Slot(pd::Poll),
      pd::Slot(pd::NetdevSend),
      pd::Slot(pd::NetdevReceive),
      pd::Slot(pd::Usleep),
      pd::Slot(pd::GetTimeOfDay),
      pd::Slot(pd::EpollCreate),
      pd::Slot(pd::EpollCtl),
      pd::Slot(pd::EpollWait),
      pd::Slot(pd::Pipe),
      pd::Slot(pd::Splice),
  };
  static_assert(sizeof(slots) == 33 * sizeof(void*));
  std::memcpy(table, slots, sizeof(slots));
}

EXPORTED int getsockopt(int fd, int level, int name, void* value,
                        socklen_t* length) {
  if (fd < corelane::packetdrill::kFirstFd || g_stack == nullptr) {
    return static_cast<int>(
        syscall(SYS_getsockopt, fd, level, name, value, length));
  }
  constexpr int kMemInfo = 55;  // SO_MEMINFO: nine numbers, all unknown
  if (level == SOL_SOCKET && name == kMemInfo) {
    const auto size = socklen_t{9 * sizeof(uint32_t)};
    if (*length > size) *length = size;
    std::memset(value, 0, *length);
    return 0;
  }
  return corelane::packetdrill::GetSockOpt(nullptr, fd, level, name, value,
                                           length);
}

EXPORTED int close(int fd) {
  if (fd < corelane::packetdrill::kFirstFd || g_stack == nullptr) {
    return static_cast<int>(syscall(SYS_close, fd));
  }
  return corelane::packetdrill::Close(nullptr, fd);
}
