// Readiness: poll and epoll.
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "dataplane/socket/result.h"
#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;

// The kernel's two interfaces share their bits, and so do ours.
static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
              POLLHUP == EPOLLHUP && POLLRDNORM == EPOLLRDNORM &&
              POLLWRNORM == EPOLLWRNORM && POLLRDHUP == EPOLLRDHUP);

constexpr uint32_t kIn = EPOLLIN | EPOLLRDNORM;
constexpr uint32_t kOut = EPOLLOUT | EPOLLWRNORM;

bool HasSendSpace(const TcpSocket& s) {
  return s.UnsentRoom() > 0 && s.connection.writable();
}

uint32_t TcpReadiness(const TcpSocket& s) {
  uint32_t ready = 0;
  if (s.phase == Phase::kListening) {
    return s.accept_queue.empty() ? 0 : kIn;
  }
  if (s.error != 0) ready |= EPOLLERR;
  if (s.phase == Phase::kConnecting) return ready;
  const bool closed =
      s.phase != Phase::kOpen || s.connection.state() == tcp::State::kClosed;
  const bool read_shut =
      s.peer_closed || s.read_shut || s.phase == Phase::kBroken;
  const bool write_shut = s.write_shut || s.phase == Phase::kBroken;
  if (closed || (read_shut && write_shut)) ready |= EPOLLHUP;
  if (read_shut) ready |= kIn | EPOLLRDHUP;
  if (s.Readable() >= std::max(s.receive_low, 1u)) ready |= kIn;
  if (closed || write_shut || HasSendSpace(s)) {
    ready |= kOut;
  } else {
    // Asks to be told of space.
    dataplane::Connection(s.connection).AskWritable();
  }
  return ready;
}

uint32_t UdpReadiness(const DatagramSocket& s) {
  uint32_t ready = kOut;
  if (!s.waiting.empty() || s.read_shut) ready |= kIn;
  if (s.read_shut) ready |= EPOLLRDHUP;
  if (s.read_shut && s.write_shut) ready |= EPOLLHUP;
  if (s.error != 0) ready |= EPOLLERR;
  return ready;
}

}  // namespace

uint32_t SocketStack::Readiness(const File& file) {
  switch (file.kind) {
    case File::Kind::kTcp:
      return TcpReadiness(static_cast<const TcpSocket&>(file));
    case File::Kind::kUdp:
      return UdpReadiness(static_cast<const DatagramSocket&>(file));
    case File::Kind::kEpoll:
      return static_cast<const EpollSet&>(file).AnyReady(&Readiness) ? kIn : 0;
  }
  return 0;
}

void SocketStack::Wake(const File& file, uint32_t events) {
  for (EpollSet* set : file.watchers) set->Note(file, events);
}

Time SocketStack::After(int timeout_ms) const {
  return timeout_ms < 0 ? kTimeNever
                        : now() + std::chrono::milliseconds(timeout_ms);
}

Time SocketStack::Deadline(const SocketFile& s, int flags,
                           Duration timeout) const {
  if (s.nonblocking || (flags & MSG_DONTWAIT) != 0) return now();
  return timeout == Duration() ? kTimeNever : now() + timeout;
}

int SocketStack::Poll(pollfd* fds, nfds_t count, int timeout_ms) {
  const Time deadline = After(timeout_ms);
  while (true) {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
      fds[i].revents = 0;
      if (fds[i].fd < 0) continue;
      const auto file = Find(fds[i].fd);
      const uint32_t mask =
          static_cast<uint16_t>(fds[i].events) | POLLERR | POLLHUP;
      fds[i].revents = static_cast<int16_t>(
          file == nullptr ? uint32_t{POLLNVAL} : Readiness(*file) & mask);
      if (fds[i].revents != 0) ++ready;
    }
    if (ready > 0 || now() >= deadline) return ready;
    if (!driver_.Turn(deadline)) return Fail(EINTR);
  }
}

int SocketStack::EpollCreate(int flags) {
  if ((flags & ~EPOLL_CLOEXEC) != 0) return Fail(EINVAL);
  const auto set = std::make_shared<EpollSet>();
  set->close_on_exec = (flags & EPOLL_CLOEXEC) != 0;
  return Result(Open(set));
}

int SocketStack::EpollCtl(int epoll, int operation, int fd,
                          epoll_event* event) {
  const auto set_file = Find(epoll);
  const auto file = Find(fd);
  if (set_file == nullptr || file == nullptr) return Fail(EBADF);
  if (set_file->kind != File::Kind::kEpoll || set_file == file) {
    return Fail(EINVAL);
  }
  auto& set = static_cast<EpollSet&>(*set_file);
  if (operation != EPOLL_CTL_DEL && event == nullptr) return Fail(EFAULT);
  int error = EINVAL;
  switch (operation) {
    case EPOLL_CTL_ADD:
      error = set.Add(*file, *event, &Readiness);
      break;
    case EPOLL_CTL_MOD:
      error = set.Modify(*file, *event, &Readiness);
      break;
    case EPOLL_CTL_DEL:
      error = set.Delete(*file);
      break;
    default:
      break;
  }
  return error == 0 ? 0 : Fail(error);
}

int SocketStack::EpollWait(int epoll, epoll_event* events, int room,
                           int timeout_ms) {
  const auto file = Find(epoll);
  if (file == nullptr) return Fail(EBADF);
  if (file->kind != File::Kind::kEpoll || room <= 0) return Fail(EINVAL);
  auto& set = static_cast<EpollSet&>(*file);
  int n = 0;
  const int r = Wait(*file, After(timeout_ms), [&] {
    n = set.Collect(events, room, &Readiness);
    return n > 0;
  });
  return r < 0 && r != -EAGAIN ? Fail(-r) : n;
}

}  // namespace corelane::socket
