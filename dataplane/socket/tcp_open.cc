// bind, listen, accept, connect, shutdown and close of TCP sockets.
#include <algorithm>
#include <cerrno>

#include "dataplane/socket/result.h"
#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;

constexpr uint32_t kFirstEphemeral = 32768;
constexpr uint32_t kMaxBacklog = 4096;  // as Linux's net.core.somaxconn

int TakeError(SocketFile& s) { return std::exchange(s.error, 0); }

}  // namespace

int SocketStack::Bind(int fd, const sockaddr* address, socklen_t length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  Endpoint to;
  error = ReadAddress(s->family, address, length, to);
  if (error == ENETUNREACH) error = EADDRNOTAVAIL;
  if (error != 0) return Fail(error);
  if (!to.address.IsAny() && !pipeline_.ip().IsOurs(to.address)) {
    return Fail(EADDRNOTAVAIL);
  }
  return Result(s->kind == File::Kind::kTcp
                    ? BindTcp(static_cast<TcpSocket&>(*s), to)
                    : BindUdp(static_cast<DatagramSocket&>(*s), to));
}

bool SocketStack::PortTaken(const TcpSocket& s, const Endpoint& local) const {
  const auto [begin, end] = bound_.equal_range(local.port);
  return std::any_of(begin, end, [&](const auto& entry) {
    const TcpSocket& other = *entry.second;
    const Ipv4Address a = other.local.address;
    if (a != local.address && !a.IsAny() && !local.address.IsAny()) {
      return false;
    }
    return !s.reuse_address || !other.reuse_address ||
           other.phase == Phase::kListening;
  });
}

int SocketStack::BindTcp(TcpSocket& s, const Endpoint& to) {
  if (s.bound || s.phase != Phase::kIdle) return -EINVAL;
  Endpoint local = to;
  if (local.port != 0) {
    if (PortTaken(s, local)) return -EADDRINUSE;
  } else {
    constexpr uint32_t kCount = 65536 - kFirstEphemeral;
    const uint32_t start = pipeline_.core().rng.Below(kCount);
    uint32_t tried = 0;
    do {
      if (tried == kCount) return -EADDRINUSE;
      local.port =
          static_cast<uint16_t>(kFirstEphemeral + (start + tried++) % kCount);
    } while (bound_.contains(local.port));
  }
  s.local = local;
  s.bound = true;
  bound_.emplace(local.port, &s);
  return 0;
}

int SocketStack::AutoBind(TcpSocket& s) {
  return s.bound ? 0 : BindTcp(s, {s.local.address, 0});
}

void SocketStack::Unbind(TcpSocket& s) {
  if (!s.bound) return;
  const auto [begin, end] = bound_.equal_range(s.local.port);
  const auto it = std::find_if(
      begin, end, [&](const auto& entry) { return entry.second == &s; });
  if (it != end) bound_.erase(it);
  s.bound = false;
}

int SocketStack::Listen(int fd, int backlog) {
  int error;
  const TcpPointer s = FindTcp(fd, error);
  if (s == nullptr) return Fail(error);
  s->backlog = std::min(static_cast<uint32_t>(backlog), kMaxBacklog);
  if (s->phase == Phase::kListening) {
    tcp().SetAcceptLimit(s->listener, s->backlog + 1);
    return 0;
  }
  if (s->phase != Phase::kIdle) return Fail(EINVAL);
  if (const int r = AutoBind(*s); r < 0) return Fail(-r);
  dataplane::ListenOptions options;
  options.profile = s->profile;
  options.accept_limit = s->backlog + 1;
  options.app_data = s->handle;
  const auto listener =
      tcp().Listen(s->local.address, s->local.port, application_, options);
  if (!listener.ok()) return Fail(EADDRINUSE);
  s->listener = *listener;
  s->phase = Phase::kListening;
  return 0;
}

int SocketStack::Accept4(int fd, sockaddr* address, socklen_t* length,
                         int flags) {
  if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return Fail(EINVAL);
  int error;
  const TcpPointer s = FindTcp(fd, error);
  if (s == nullptr) return Fail(error);
  TcpPointer child;
  if (const int r = AcceptTcp(s, child); r < 0) return Fail(-r);
  child->nonblocking = (flags & SOCK_NONBLOCK) != 0;
  child->close_on_exec = (flags & SOCK_CLOEXEC) != 0;
  WriteAddress(child->family, child->remote, address, length);
  return Result(Open(child));
}

int SocketStack::AcceptTcp(const TcpPointer& s, TcpPointer& child) {
  if (s->phase != Phase::kListening) return -EINVAL;
  const int r = Wait(*s, Deadline(*s, 0, s->receive_timeout), [&] {
    return !s->accept_queue.empty() || s->phase != Phase::kListening;
  });
  if (r < 0) return r;
  if (s->phase != Phase::kListening) return s->fd < 0 ? -EBADF : -EINVAL;
  child = s->accept_queue.front();
  s->accept_queue.pop_front();
  tcp().TakeAccepted(s->listener);
  return 0;
}

int SocketStack::Connect(int fd, const sockaddr* address, socklen_t length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  const bool is_tcp = s->kind == File::Kind::kTcp;
  if (address != nullptr && length >= sizeof(sa_family_t) &&
      address->sa_family == AF_UNSPEC) {
    if (is_tcp) {
      Disconnect(static_cast<TcpSocket&>(*s));
    } else {
      auto& udp = static_cast<DatagramSocket&>(*s);
      if (udp.connected) udp.socket.Disconnect();
      udp.connected = false;
    }
    return 0;
  }
  Endpoint to;
  error = ReadAddress(s->family, address, length, to);
  if (error != 0) return Fail(error);
  return Result(is_tcp ? ConnectTcp(std::static_pointer_cast<TcpSocket>(s), to)
                       : ConnectUdp(static_cast<DatagramSocket&>(*s), to));
}

int SocketStack::ConnectTcp(const TcpPointer& s, const Endpoint& to) {
  const Time deadline = Deadline(*s, 0, s->send_timeout);
  int still_going = -EALREADY;
  switch (s->phase) {
    case Phase::kListening:
    case Phase::kBroken:
      return -EISCONN;
    case Phase::kOpen:
      return s->connect_told ? -EISCONN : FinishConnect(*s);
    case Phase::kConnecting:
      break;
    case Phase::kIdle:
      if (!s->connect_told) return FinishConnect(*s);
      if (const int r = StartConnect(s, to); r < 0) return r;
      still_going = -EINPROGRESS;
      break;
  }
  const int r =
      Wait(*s, deadline, [&] { return s->phase != Phase::kConnecting; });
  if (r == -EAGAIN) return still_going;
  return r < 0 ? r : FinishConnect(*s);
}

int SocketStack::StartConnect(const TcpPointer& s, const Endpoint& to) {
  if (!to.address.IsUnicastHost() || pipeline_.ip().IsOurs(to.address)) {
    return -ENETUNREACH;
  }
  auto connection =
      tcp().Connect(to.address, to.port, application_, s->local.address,
                    s->bound ? s->local.port : uint16_t{0}, s->profile);
  if (!connection.ok()) {
    switch (connection.status().code()) {
      case absl::StatusCode::kUnavailable:
        return -ENETUNREACH;
      case absl::StatusCode::kResourceExhausted:
        if (tcp().blocks().in_use() == tcp().blocks().capacity()) {
          return -ENOBUFS;
        }
        [[fallthrough]];
      default:
        return -EADDRNOTAVAIL;
    }
  }
  s->connection = *connection;
  s->connection.set_app_data(s->handle);
  const tcp::FlowKey& key = s->connection.key();
  s->local = {key.local(), key.local_port};
  s->remote = {key.remote(), key.remote_port};
  s->phase = Phase::kConnecting;
  s->connect_told = false;
  s->peer_closed = s->read_shut = s->write_shut = false;
  s->error = 0;
  return 0;
}

int SocketStack::FinishConnect(TcpSocket& s) {
  s.connect_told = true;
  if (s.phase == Phase::kOpen) return 0;
  const int error = TakeError(s);
  return error == 0 ? -ECONNABORTED : -error;
}

int SocketStack::Shutdown(int fd, int how) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return Fail(EINVAL);
  if (s->kind == File::Kind::kTcp) {
    return Result(ShutdownTcp(static_cast<TcpSocket&>(*s), how));
  }
  if (!static_cast<DatagramSocket&>(*s).connected) return Fail(ENOTCONN);
  if (how != SHUT_WR) s->read_shut = true;
  if (how != SHUT_RD) s->write_shut = true;
  Wake(*s, ~0u);
  return 0;
}

int SocketStack::ShutdownTcp(TcpSocket& s, int how) {
  switch (s.phase) {
    case Phase::kIdle:
    case Phase::kBroken:
      return -ENOTCONN;
    case Phase::kListening:
      if (how != SHUT_WR) {
        StopListening(s);
        s.phase = Phase::kIdle;
      }
      break;
    case Phase::kConnecting:
      Disconnect(s);
      break;
    case Phase::kOpen:
      if (s.connection.state() == tcp::State::kClosed) return -ENOTCONN;
      if (how != SHUT_WR) s.read_shut = true;
      if (how == SHUT_RD || s.write_shut) break;
      FlushCorked(s);
      s.write_shut = true;
      // Else when the last bytes find room.
      if (s.corked.empty()) s.connection.ShutdownSend();
      break;
  }
  Wake(s, ~0u);
  return 0;
}

// connect(AF_UNSPEC), and shutdown of what is only connecting.
void SocketStack::Disconnect(TcpSocket& s) {
  if (s.phase == Phase::kListening) StopListening(s);
  if (s.attached()) s.connection.Abort();
  s.phase = Phase::kIdle;
  s.connection = dataplane::Connection();
  s.connect_told = true;
  s.peer_closed = s.read_shut = s.write_shut = false;
  s.error = 0;
  s.leftover.clear();
  s.leftover_begin = 0;
  s.corked.clear();
  s.remote = Endpoint();
  if (!s.bound) s.local = Endpoint();
}

void SocketStack::StopListening(TcpSocket& s) {
  tcp().CloseListener(s.listener);
  auto drop = [this](const TcpPointer& child) {
    // Nobody will ever read what the peer sent: it should know.
    if (child->attached()) child->connection.Abort();
    ReleaseOptions(*child);
    Forget(*child);
  };
  for (const TcpPointer& child : s.accept_queue) drop(child);
  for (const TcpPointer& child : s.deferred) drop(child);
  s.accept_queue.clear();
  s.deferred.clear();
}

// SO_LINGER: the call returns when the peer has acknowledged everything.
void SocketStack::Linger(TcpSocket& s) {
  s.connection.ShutdownSend();
  Wait(s, now() + s.linger_time, [&] {
    if (s.phase != Phase::kOpen) return true;
    const tcp::State state = s.connection.state();
    return state == tcp::State::kFinWait2 || state == tcp::State::kTimeWait ||
           state == tcp::State::kClosed;
  });
}

void SocketStack::CloseTcp(const TcpPointer& s) {
  switch (s->phase) {
    case Phase::kIdle:
    case Phase::kBroken:
      break;
    case Phase::kListening:
      StopListening(*s);
      break;
    case Phase::kConnecting:
      s->connection.Abort();
      break;
    case Phase::kOpen:
      FlushCorked(*s);
      if (!s->corked.empty() || (s->linger && s->linger_time == Duration())) {
        s->connection.Abort();
        break;
      }
      if (s->linger && s->connection.readable() == 0) Linger(*s);
      if (s->phase == Phase::kOpen) s->connection.Close();
      break;
  }
  s->phase = Phase::kIdle;
  s->connection = dataplane::Connection();
  Unbind(*s);
  ReleaseOptions(*s);
}

}  // namespace corelane::socket
