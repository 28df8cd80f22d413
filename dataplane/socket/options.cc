// getsockopt and setsockopt, and the options of every socket (SOL_SOCKET, IP).
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dataplane/socket/option_value.h"
#include "dataplane/socket/result.h"
#include "dataplane/socket/socket_stack.h"

namespace corelane::socket {
namespace {

using Phase = TcpSocket::Phase;

// The least buffers, in payload; Linux's, without its overhead.
constexpr int kMinReceiveBuffer = 1152;
constexpr int kMinSendBuffer = 2304;

int ReadTime(const void* value, socklen_t length, Duration& out) {
  timeval time;
  if (const int r = ReadOption(value, length, time); r < 0) return r;
  if (time.tv_usec < 0 || time.tv_usec >= 1'000'000) return -EDOM;
  if (time.tv_sec < 0) {
    out = 1ns;  // as in Linux: does not wait at all
    return 0;
  }
  constexpr int64_t kLongest = 1'000'000'000;  // seconds
  out = std::chrono::seconds(std::min<int64_t>(time.tv_sec, kLongest)) +
        std::chrono::microseconds(time.tv_usec);
  return 0;
}

int WriteTime(Duration from, void* value, socklen_t& length) {
  timeval time;
  time.tv_sec = from.count() / 1'000'000'000;
  time.tv_usec = from.count() / 1000 % 1'000'000;
  return WriteOption(&time, sizeof(time), value, length);
}

}  // namespace

int SocketStack::SetSockOpt(int fd, int level, int name, const void* value,
                            socklen_t length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  switch (level) {
    case SOL_SOCKET:
      return Result(SetSocketOption(*s, name, value, length));
    case IPPROTO_IP:
      return Result(SetIpOption(*s, name, value, length));
    case IPPROTO_TCP:
      if (s->kind != File::Kind::kTcp) return Fail(ENOPROTOOPT);
      return Result(
          SetTcpOption(static_cast<TcpSocket&>(*s), name, value, length));
    case IPPROTO_IPV6: {
      int number;
      if (s->family != AF_INET6 || name != IPV6_V6ONLY) {
        return Fail(ENOPROTOOPT);
      }
      const int r = ReadOption(value, length, number);
      if (r < 0) return Fail(-r);
      return number == 0 ? 0 : Fail(ENOPROTOOPT);
    }
    default:
      return Fail(ENOPROTOOPT);
  }
}

int SocketStack::GetSockOpt(int fd, int level, int name, void* value,
                            socklen_t* length) {
  int error;
  const auto s = FindSocket(fd, error);
  if (s == nullptr) return Fail(error);
  if (value == nullptr || length == nullptr) return Fail(EFAULT);
  switch (level) {
    case SOL_SOCKET:
      return Result(GetSocketOption(*s, name, value, *length));
    case IPPROTO_IP:
      return Result(GetIpOption(*s, name, value, *length));
    case IPPROTO_TCP:
      if (s->kind != File::Kind::kTcp) return Fail(ENOPROTOOPT);
      return Result(
          GetTcpOption(static_cast<TcpSocket&>(*s), name, value, *length));
    case IPPROTO_IPV6:
      if (s->family != AF_INET6 || name != IPV6_V6ONLY) {
        return Fail(ENOPROTOOPT);
      }
      return WriteInt(0, value, *length);
    default:
      return Fail(ENOPROTOOPT);
  }
}

int SocketStack::SetBuffer(SocketFile& s, bool receive, int value) {
  const auto limit = static_cast<int>(options_.max_buffer);
  const int least = receive ? kMinReceiveBuffer : kMinSendBuffer;
  const auto bytes = static_cast<uint32_t>(
      value < 0 ? limit : std::clamp(value, least, limit));
  if (s.kind == File::Kind::kUdp) {
    // A datagram is sent at once: there is no send buffer.
    if (receive) static_cast<DatagramSocket&>(s).receive_limit = bytes;
    return 0;
  }
  return Change(static_cast<TcpSocket&>(s), [&](tcp::Config& options) {
    if (receive) {
      options.receive_buffer = bytes;
      options.autotune_receive = false;
    } else {
      options.send_buffer = 2 * bytes;
      options.send_in_pieces = true;
    }
  });
}

int SocketStack::SetSocketOption(SocketFile& s, int name, const void* value,
                                 socklen_t length) {
  TcpSocket* tcp_socket =
      s.kind == File::Kind::kTcp ? &static_cast<TcpSocket&>(s) : nullptr;
  if (name == SO_RCVTIMEO) return ReadTime(value, length, s.receive_timeout);
  if (name == SO_SNDTIMEO) return ReadTime(value, length, s.send_timeout);
  if (name == SO_LINGER) {
    linger asked;
    if (const int r = ReadOption(value, length, asked); r < 0) return r;
    if (tcp_socket == nullptr) return -ENOPROTOOPT;
    tcp_socket->linger = asked.l_onoff != 0;
    tcp_socket->linger_time = std::chrono::seconds(std::max(asked.l_linger, 0));
    return 0;
  }
  int number;
  if (const int r = ReadOption(value, length, number); r < 0) return r;
  switch (name) {
    case SO_REUSEADDR:
      s.reuse_address = number != 0;
      return 0;
    case SO_REUSEPORT:
      return number == 0 ? 0 : -ENOPROTOOPT;
    case SO_RCVBUF:
    case SO_SNDBUF:
      return SetBuffer(s, name == SO_RCVBUF, number);
    case SO_KEEPALIVE:
      if (tcp_socket == nullptr) return 0;
      return Change(*tcp_socket, [&](tcp::Config& options) {
        options.keepalive = number != 0;
      });
    case SO_RCVLOWAT:
      if (tcp_socket == nullptr) return -ENOPROTOOPT;
      tcp_socket->receive_low =
          number < 0 ? INT32_MAX : static_cast<uint32_t>(std::max(number, 1));
      return 0;
    case SO_TYPE:
    case SO_ERROR:
    case SO_DOMAIN:
    case SO_PROTOCOL:
    case SO_ACCEPTCONN:
    default:
      return -ENOPROTOOPT;
  }
}

int SocketStack::GetSocketOption(SocketFile& s, int name, void* value,
                                 socklen_t& length) {
  const TcpSocket* t =
      s.kind == File::Kind::kTcp ? &static_cast<TcpSocket&>(s) : nullptr;
  auto give = [&](int number) { return WriteInt(number, value, length); };
  switch (name) {
    case SO_ERROR:
      return give(std::exchange(s.error, 0));
    case SO_TYPE:
      return give(t != nullptr ? SOCK_STREAM : SOCK_DGRAM);
    case SO_PROTOCOL:
      return give(t != nullptr ? IPPROTO_TCP : IPPROTO_UDP);
    case SO_DOMAIN:
      return give(s.family);
    case SO_ACCEPTCONN:
      return give(t != nullptr && t->phase == Phase::kListening ? 1 : 0);
    case SO_REUSEADDR:
      return give(s.reuse_address ? 1 : 0);
    case SO_REUSEPORT:
      return give(0);
    case SO_RCVTIMEO:
      return WriteTime(s.receive_timeout, value, length);
    case SO_SNDTIMEO:
      return WriteTime(s.send_timeout, value, length);
    case SO_RCVBUF:
      return give(static_cast<int>(
          2 * (t != nullptr ? OptionsOf(*t).receive_buffer
                            : static_cast<DatagramSocket&>(s).receive_limit)));
    case SO_SNDLOWAT:
      return give(1);
    default:
      break;
  }
  if (t == nullptr) return -ENOPROTOOPT;
  switch (name) {
    case SO_SNDBUF:
      return give(static_cast<int>(OptionsOf(*t).send_buffer));
    case SO_KEEPALIVE:
      return give(OptionsOf(*t).keepalive ? 1 : 0);
    case SO_RCVLOWAT:
      return give(static_cast<int>(t->receive_low));
    case SO_LINGER: {
      const linger is{t->linger ? 1 : 0,
                      static_cast<int>(t->linger_time.count() / 1'000'000'000)};
      return WriteOption(&is, sizeof(is), value, length);
    }
    default:
      return -ENOPROTOOPT;
  }
}

int SocketStack::SetIpOption(SocketFile& s, int name, const void* value,
                             socklen_t length) {
  int number = 0;
  // Programs pass a byte, too.
  if (value != nullptr && length >= 1 && length < sizeof(int)) {
    number = *static_cast<const uint8_t*>(value);
  } else if (const int r = ReadOption(value, length, number); r < 0) {
    return r;
  }
  if (name != IP_TOS && name != IP_TTL) return -ENOPROTOOPT;
  if (name == IP_TTL && number == -1) number = tcp().config().ttl;
  if (name == IP_TTL && (number < 1 || number > 255)) return -EINVAL;
  const auto byte = static_cast<uint8_t>(number);
  if (s.kind == File::Kind::kUdp) {
    auto& udp = static_cast<DatagramSocket&>(s);
    (name == IP_TOS ? udp.tos : udp.ttl) = byte;
    if (udp.bound) udp.socket.SetIpOptions(udp.tos, udp.ttl);
    return 0;
  }
  return Change(static_cast<TcpSocket&>(s), [&](tcp::Config& options) {
    if (name == IP_TTL) {
      options.ttl = byte;
    } else {
      options.tos = byte & 0xfc;  // the two ECN bits are TCP's own
    }
  });
}

int SocketStack::GetIpOption(SocketFile& s, int name, void* value,
                             socklen_t& length) {
  uint8_t tos;
  uint8_t ttl;
  if (s.kind == File::Kind::kUdp) {
    tos = static_cast<DatagramSocket&>(s).tos;
    ttl = static_cast<DatagramSocket&>(s).ttl;
  } else {
    tos = OptionsOf(static_cast<TcpSocket&>(s)).tos;
    ttl = OptionsOf(static_cast<TcpSocket&>(s)).ttl;
  }
  switch (name) {
    case IP_TOS:
      return WriteInt(tos, value, length);
    case IP_TTL:
      return WriteInt(ttl, value, length);
    default:
      return -ENOPROTOOPT;
  }
}

}  // namespace corelane::socket
