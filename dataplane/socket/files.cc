// Descriptors: making, finding and closing them.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "dataplane/socket/result.h"
#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

constexpr int kTypeFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int kSlotBits = 22;
constexpr uint32_t kSlotMask = (1u << kSlotBits) - 1;

}  // namespace

SocketStack::SocketStack(dataplane::Pipeline* pipeline, Driver* driver,
                         const SocketStackOptions& options)
    : pipeline_(*pipeline),
      driver_(*driver),
      options_(options),
      application_(pipeline->AddApplication(this)) {}

// Sets first: they take themselves off the files that they watch.
SocketStack::~SocketStack() {
  for (auto& file : fds_) {
    if (file != nullptr && file->kind == File::Kind::kEpoll) file.reset();
  }
}

bool SocketStack::SetDefaults(const tcp::Config& options) {
  const uint16_t profile = tcp().AcquireProfile(options);
  if (profile == dataplane::Profiles::kNone) return false;
  tcp().ReleaseProfile(default_profile_);
  default_profile_ = profile;
  return true;
}

std::shared_ptr<File> SocketStack::Find(int fd) const {
  const int64_t at = int64_t{fd} - options_.first_fd;
  if (at < 0 || at >= static_cast<int64_t>(fds_.size())) return nullptr;
  return fds_[static_cast<size_t>(at)];
}

std::shared_ptr<SocketFile> SocketStack::FindSocket(int fd, int& error) const {
  std::shared_ptr<File> file = Find(fd);
  error = file == nullptr ? EBADF : ENOTSOCK;
  if (file == nullptr || file->kind == File::Kind::kEpoll) return nullptr;
  error = 0;
  return std::static_pointer_cast<SocketFile>(file);
}

SocketStack::TcpPointer SocketStack::FindTcp(int fd, int& error) const {
  std::shared_ptr<SocketFile> file = FindSocket(fd, error);
  if (file == nullptr) return nullptr;
  if (file->kind != File::Kind::kTcp) {
    error = EOPNOTSUPP;
    return nullptr;
  }
  return std::static_pointer_cast<TcpSocket>(file);
}

bool SocketStack::Adopt(const std::shared_ptr<File>& file) {
  uint32_t slot;
  if (!free_slots_.empty()) {
    slot = free_slots_.back();
    free_slots_.pop_back();
  } else {
    if (slots_.size() >= std::min(options_.max_files, kSlotMask)) return false;
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  slots_[slot].file = file;
  // Never 0: that is what a connection starts with that is not ours.
  file->handle = ++slots_[slot].generation << kSlotBits | slot;
  if (file->handle == 0) {
    file->handle = ++slots_[slot].generation << kSlotBits | slot;
  }
  return true;
}

std::shared_ptr<File> SocketStack::ByHandle(uint32_t handle) const {
  const uint32_t slot = handle & kSlotMask;
  if (handle == 0 || slot >= slots_.size()) return nullptr;
  const std::shared_ptr<File>& file = slots_[slot].file;
  return file != nullptr && file->handle == handle ? file : nullptr;
}

int SocketStack::Open(const std::shared_ptr<File>& file) {
  if (file->handle == 0 && !Adopt(file)) return -EMFILE;
  if (free_fds_.empty()) {
    free_fds_.push(options_.first_fd + static_cast<int>(fds_.size()));
    fds_.emplace_back();
  }
  file->fd = free_fds_.top();
  free_fds_.pop();
  fds_[static_cast<size_t>(file->fd - options_.first_fd)] = file;
  return file->fd;
}

void SocketStack::Forget(File& file) {
  for (EpollSet* set : std::vector<EpollSet*>(file.watchers)) set->Delete(file);
  const uint32_t slot = file.handle & kSlotMask;
  if (file.fd >= 0) {
    const int fd = file.fd;
    file.fd = -1;
    free_fds_.push(fd);
    fds_[static_cast<size_t>(fd - options_.first_fd)].reset();
  }
  free_slots_.push_back(slot);
  slots_[slot].file.reset();  // may be the last reference
}

int SocketStack::Socket(int domain, int type, int protocol) {
  if (domain != AF_INET && domain != AF_INET6) return Fail(EAFNOSUPPORT);
  std::shared_ptr<SocketFile> file;
  switch (type & ~kTypeFlags) {
    case SOCK_STREAM: {
      if (protocol != 0 && protocol != IPPROTO_TCP) {
        return Fail(EPROTONOSUPPORT);
      }
      auto s = std::make_shared<TcpSocket>();
      s->profile = default_profile_;
      tcp().HoldProfile(s->profile);
      s->nodelay = OptionsOf(*s).nodelay;
      file = s;
      break;
    }
    case SOCK_DGRAM:
      if (protocol != 0 && protocol != IPPROTO_UDP) {
        return Fail(EPROTONOSUPPORT);
      }
      file = std::make_shared<DatagramSocket>();
      break;
    default:
      return Fail(ESOCKTNOSUPPORT);
  }
  file->family = domain;
  file->nonblocking = (type & SOCK_NONBLOCK) != 0;
  file->close_on_exec = (type & SOCK_CLOEXEC) != 0;
  const int fd = Open(file);
  if (fd < 0 && file->kind == File::Kind::kTcp) {
    ReleaseOptions(static_cast<TcpSocket&>(*file));
  }
  return Result(fd);
}

int SocketStack::Close(int fd) {
  const std::shared_ptr<File> file = Find(fd);
  if (file == nullptr) return Fail(EBADF);
  switch (file->kind) {
    case File::Kind::kTcp:
      CloseTcp(std::static_pointer_cast<TcpSocket>(file));
      break;
    case File::Kind::kUdp:
      CloseUdp(static_cast<DatagramSocket&>(*file));
      break;
    case File::Kind::kEpoll:
      break;
  }
  // Unless another call closed it while this one lingered.
  if (file->fd == fd) Forget(*file);
  return 0;
}

int SocketStack::GetSockName(int fd, sockaddr* address, socklen_t* length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  WriteAddress(s->family, s->local, address, length);
  return 0;
}

int SocketStack::GetPeerName(int fd, sockaddr* address, socklen_t* length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  const bool connected =
      s->kind == File::Kind::kUdp
          ? static_cast<DatagramSocket&>(*s).connected
          : static_cast<TcpSocket&>(*s).phase == TcpSocket::Phase::kOpen;
  if (!connected) return Fail(ENOTCONN);
  WriteAddress(s->family, s->remote, address, length);
  return 0;
}

// NOLINTNEXTLINE(google-runtime-int): as POSIX has it
int SocketStack::Fcntl(int fd, int command, long argument) {
  const std::shared_ptr<File> file = Find(fd);
  if (file == nullptr) return Fail(EBADF);
  switch (command) {
    case F_GETFL:
      return O_RDWR | (file->nonblocking ? O_NONBLOCK : 0);
    case F_SETFL:
      file->nonblocking = (argument & O_NONBLOCK) != 0;
      return 0;
    case F_GETFD:
      return file->close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
      file->close_on_exec = (argument & FD_CLOEXEC) != 0;
      return 0;
    default:
      return Fail(EINVAL);
  }
}

// What SIOCINQ and its like count.
uint32_t SocketStack::Queued(const SocketFile& socket, uint64_t request) const {
  if (socket.kind == File::Kind::kUdp) {
    const auto& s = static_cast<const DatagramSocket&>(socket);
    if (request != FIONREAD || s.waiting.empty()) return 0;
    return static_cast<uint32_t>(s.waiting.front().bytes.size());
  }
  const auto& s = static_cast<const TcpSocket&>(socket);
  if (request == FIONREAD) return static_cast<uint32_t>(s.Readable());
  if (!s.attached()) return 0;
  const tcp::ControlBlock& cb = s.connection.control_block();
  if (cb.state < tcp::State::kEstablished) return 0;
  const auto corked = static_cast<uint32_t>(s.corked.size());
  return corked + (request == SIOCOUTQ ? cb.SendEnd() - cb.snd_una
                                       : cb.SendEnd() - cb.snd_nxt);
}

// NOLINTNEXTLINE(google-runtime-int): as POSIX has it
int SocketStack::Ioctl(int fd, unsigned long request, void* argument) {
  const std::shared_ptr<File> file = Find(fd);
  if (file == nullptr) return Fail(EBADF);
  if (argument == nullptr) return Fail(EFAULT);
  int& value = *static_cast<int*>(argument);
  if (request == FIONBIO) {
    file->nonblocking = value != 0;
    return 0;
  }
  if (file->kind == File::Kind::kEpoll ||
      (request != FIONREAD && request != SIOCOUTQ && request != SIOCOUTQNSD)) {
    return Fail(ENOTTY);
  }
  const auto& s = static_cast<const SocketFile&>(*file);
  if (s.kind == File::Kind::kTcp &&
      static_cast<const TcpSocket&>(s).phase == TcpSocket::Phase::kListening) {
    return Fail(EINVAL);
  }
  value = static_cast<int>(Queued(s, request));
  return 0;
}

}  // namespace corelane::socket
