// socket, bind, listen, accept, connect, shutdown, close.
#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

class SocketOpen : public SocketWorld {};

TEST_F(SocketOpen, KindsOfSockets) {
  EXPECT_ERRNO(a().Socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
  EXPECT_ERRNO(a().Socket(AF_INET, SOCK_RAW, 0), ESOCKTNOSUPPORT);
  EXPECT_ERRNO(a().Socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
  EXPECT_EQ(a().Socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), 100);
  EXPECT_EQ(a().Socket(AF_INET, SOCK_DGRAM, 0), 101);
  EXPECT_EQ(a().Close(100), 0);
  EXPECT_ERRNO(a().Close(100), EBADF);
  // The lowest free number, as POSIX wants it.
  const int fd = a().Socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  EXPECT_EQ(fd, 100);
  EXPECT_EQ(a().Fcntl(fd, F_GETFL, 0), O_RDWR | O_NONBLOCK);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  EXPECT_FALSE(a().Owns(99));
  EXPECT_TRUE(a().Owns(101));
}

TEST_F(SocketOpen, Bind) {
  const int fd = b().Socket(AF_INET, SOCK_STREAM, 0);
  const auto at = At(kHostB, 80);
  EXPECT_ERRNO(b().Bind(fd, Sa(at), 8), EINVAL);
  const auto foreign = At(kHostA, 80);
  EXPECT_ERRNO(b().Bind(fd, Sa(foreign), sizeof(foreign)), EADDRNOTAVAIL);
  EXPECT_EQ(b().Bind(fd, Sa(at), sizeof(at)), 0);
  EXPECT_ERRNO(b().Bind(fd, Sa(at), sizeof(at)), EINVAL);
  sockaddr_in name;
  socklen_t length = sizeof(name);
  EXPECT_EQ(b().GetSockName(fd, reinterpret_cast<sockaddr*>(&name), &length),
            0);
  EXPECT_EQ(ntohs(name.sin_port), 80);
  EXPECT_ERRNO(b().GetPeerName(fd, reinterpret_cast<sockaddr*>(&name), &length),
               ENOTCONN);

  const int second = b().Socket(AF_INET, SOCK_STREAM, 0);
  const auto any = At(Ipv4Address(), 80);
  EXPECT_ERRNO(b().Bind(second, Sa(any), sizeof(any)), EADDRINUSE);
  EXPECT_EQ(SetInt(b(), fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(SetInt(b(), second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_EQ(b().Bind(second, Sa(any), sizeof(any)), 0);
  EXPECT_EQ(b().Listen(second, 1), 0);
  const int third = b().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(SetInt(b(), third, SOL_SOCKET, SO_REUSEADDR, 1), 0);
  EXPECT_ERRNO(b().Bind(third, Sa(any), sizeof(any)), EADDRINUSE);
  EXPECT_EQ(b().Close(second), 0);
  EXPECT_EQ(b().Close(fd), 0);
  EXPECT_EQ(b().Bind(third, Sa(any), sizeof(any)), 0);
}

TEST_F(SocketOpen, ConnectAndAccept) {
  MakePair();
  sockaddr_in name;
  sockaddr_in peer;
  socklen_t length = sizeof(name);
  EXPECT_EQ(
      a().GetSockName(client, reinterpret_cast<sockaddr*>(&name), &length), 0);
  EXPECT_EQ(ntohl(name.sin_addr.s_addr), kHostA.value());
  EXPECT_EQ(
      b().GetPeerName(server, reinterpret_cast<sockaddr*>(&peer), &length), 0);
  EXPECT_EQ(name.sin_port, peer.sin_port);
  EXPECT_EQ(name.sin_addr.s_addr, peer.sin_addr.s_addr);
  EXPECT_EQ(GetInt(b(), listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(GetInt(b(), server, SOL_SOCKET, SO_ACCEPTCONN), 0);
  const auto at = At(kHostB, 80);
  EXPECT_ERRNO(a().Connect(client, Sa(at), sizeof(at)), EISCONN);
  EXPECT_ERRNO(b().Connect(listener, Sa(at), sizeof(at)), EISCONN);
  EXPECT_ERRNO(b().Accept(server, nullptr, nullptr), EINVAL);
  EXPECT_ERRNO(b().Listen(server, 1), EINVAL);
}

TEST_F(SocketOpen, NonblockingConnect) {
  listener = Listener(80);
  const int fd = a().Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const auto at = At(kHostB, 80);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EINPROGRESS);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EALREADY);
  EXPECT_EQ(ReadText(a(), fd), "-EAGAIN");
  EXPECT_ERRNO(WriteText(a(), fd, "x"), EAGAIN);
  Pass(10ms);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_EQ(a().Connect(fd, Sa(at), sizeof(at)), 0);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EISCONN);
}

TEST_F(SocketOpen, ConnectRefused) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  const auto at = At(kHostB, 81);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), ECONNREFUSED);
  // As often as one likes.
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), ECONNREFUSED);
  SetNonblocking(a(), fd);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EINPROGRESS);
  Pass(10ms);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(GetInt(a(), fd, SOL_SOCKET, SO_ERROR), 0);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), ECONNABORTED);
  listener = Listener(81);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EINPROGRESS);
  Pass(10ms);
  EXPECT_EQ(a().Connect(fd, Sa(at), sizeof(at)), 0);
}

TEST_F(SocketOpen, ConnectNowhere) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  const auto foreign = At(Ipv4Address(198, 18, 0, 1), 80);
  EXPECT_ERRNO(a().Connect(fd, Sa(foreign), sizeof(foreign)), ENETUNREACH);
  const auto dead = At(Ipv4Address(10, 0, 0, 77), 80);
  const Time start = now();
  EXPECT_ERRNO(a().Connect(fd, Sa(dead), sizeof(dead)), ETIMEDOUT);
  EXPECT_GT(now() - start, 60s);
  timeval two{2, 0};
  EXPECT_EQ(a().SetSockOpt(fd, SOL_SOCKET, SO_SNDTIMEO, &two, sizeof(two)), 0);
  const Time again = now();
  EXPECT_ERRNO(a().Connect(fd, Sa(dead), sizeof(dead)), EINPROGRESS);
  EXPECT_EQ(now() - again, 2s);
  auto unspecified = dead;
  unspecified.sin_family = AF_UNSPEC;
  EXPECT_EQ(a().Connect(fd, Sa(unspecified), sizeof(unspecified)), 0);
}

TEST_F(SocketOpen, AcceptWaitsOrDoesNot) {
  listener = Listener(80);
  SetNonblocking(b(), listener);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EAGAIN);
  client = ConnectTo(80);
  Pass(10ms);
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  server = b().Accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length,
                       SOCK_NONBLOCK);
  EXPECT_GE(server, 0);
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), kHostA.value());
  EXPECT_EQ(ReadText(b(), server), "-EAGAIN");
  EXPECT_ERRNO(b().Accept4(listener, nullptr, nullptr, 1), EINVAL);
}

// listen(n): n + 1 connections wait, further ones do not come about.
TEST_F(SocketOpen, FullAcceptQueue) {
  listener = Listener(80, 1);
  const auto at = At(kHostB, 80);
  std::vector<int> fds;
  for (int i = 0; i < 4; ++i) {
    fds.push_back(a().Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_ERRNO(a().Connect(fds.back(), Sa(at), sizeof(at)), EINPROGRESS);
  }
  Pass(100ms);
  SetNonblocking(b(), listener);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EAGAIN);
  // Room again: the handshakes complete by themselves.
  Pass(5s);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EAGAIN);
}

TEST_F(SocketOpen, ClosingAListenerResetsWhatWaits) {
  listener = Listener(80);
  client = ConnectTo(80);
  Pass(10ms);
  EXPECT_EQ(b().Close(listener), 0);
  Pass(10ms);
  EXPECT_EQ(ReadText(a(), client), "-ECONNRESET");
  EXPECT_EQ(b().Socket(AF_INET, SOCK_STREAM, 0), listener);
}

TEST_F(SocketOpen, ShutdownIsHalfAClose) {
  MakePair();
  EXPECT_ERRNO(a().Shutdown(client, 7), EINVAL);
  EXPECT_EQ(WriteText(a(), client, "question"), 8);
  EXPECT_EQ(a().Shutdown(client, SHUT_WR), 0);
  EXPECT_ERRNO(WriteText(a(), client, "more"), EPIPE);
  EXPECT_EQ(ReadText(b(), server), "question");
  EXPECT_EQ(ReadText(b(), server), "");
  EXPECT_EQ(WriteText(b(), server, "answer"), 6);
  EXPECT_EQ(b().Close(server), 0);
  EXPECT_EQ(ReadText(a(), client), "answer");
  EXPECT_EQ(ReadText(a(), client), "");
  EXPECT_EQ(a().Close(client), 0);
  const int idle = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_ERRNO(a().Shutdown(idle, SHUT_RD), ENOTCONN);
}

TEST_F(SocketOpen, ShutdownOfReading) {
  MakePair();
  EXPECT_EQ(b().Shutdown(server, SHUT_RD), 0);
  EXPECT_EQ(ReadText(b(), server), "");
  EXPECT_EQ(WriteText(a(), client, "late"), 4);
  Pass(10ms);
  EXPECT_EQ(ReadText(b(), server), "late");
  EXPECT_EQ(ReadText(b(), server), "");
}

TEST_F(SocketOpen, CloseWithUnreadDataResets) {
  MakePair();
  EXPECT_EQ(WriteText(a(), client, "unread"), 6);
  Pass(10ms);
  EXPECT_EQ(b().Close(server), 0);
  Pass(10ms);
  EXPECT_ERRNO(WriteText(a(), client, "x"), ECONNRESET);
  EXPECT_ERRNO(WriteText(a(), client, "x"), EPIPE);
  EXPECT_EQ(ReadText(a(), client), "");
}

TEST_F(SocketOpen, Linger) {
  MakePair();
  const linger now_it{1, 0};
  EXPECT_EQ(
      b().SetSockOpt(server, SOL_SOCKET, SO_LINGER, &now_it, sizeof(now_it)),
      0);
  EXPECT_EQ(b().Close(server), 0);
  Pass(10ms);
  EXPECT_EQ(ReadText(a(), client), "-ECONNRESET");
  EXPECT_EQ(ReadText(a(), client), "");

  const int second = ConnectTo(80);
  const int accepted = b().Accept(listener, nullptr, nullptr);
  const linger wait{1, 5};
  EXPECT_EQ(a().SetSockOpt(second, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait)),
            0);
  linger is{};
  socklen_t length = sizeof(is);
  EXPECT_EQ(a().GetSockOpt(second, SOL_SOCKET, SO_LINGER, &is, &length), 0);
  EXPECT_EQ(is.l_linger, 5);
  EXPECT_EQ(WriteText(a(), second, std::string(50000, 'x')), 50000);
  const Time start = now();
  EXPECT_EQ(a().Close(second), 0);
  EXPECT_GE(now() - start, 2ms);  // a round trip at the least
  EXPECT_LT(now() - start, 1s);
  std::string all;
  while (true) {
    const std::string part = ReadText(b(), accepted, 10000);
    if (part.empty()) break;
    all += part;
  }
  EXPECT_EQ(all.size(), 50000u);
}

TEST_F(SocketOpen, MappedAddresses) {
  listener = b().Socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(80);
  EXPECT_EQ(b().Bind(listener, reinterpret_cast<sockaddr*>(&any), sizeof(any)),
            0);
  EXPECT_EQ(b().Listen(listener, 1), 0);
  const int fd = a().Socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(80);
  EXPECT_EQ(inet_pton(AF_INET6, "2001:db8::1", &to.sin6_addr), 1);
  EXPECT_ERRNO(a().Connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
               ENETUNREACH);
  const auto four = At(kHostB, 80);
  EXPECT_ERRNO(a().Connect(fd, Sa(four), sizeof(four)), EAFNOSUPPORT);
  EXPECT_EQ(inet_pton(AF_INET6, "::ffff:10.0.0.2", &to.sin6_addr), 1);
  EXPECT_EQ(a().Connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  sockaddr_in6 peer{};
  socklen_t length = sizeof(peer);
  server = b().Accept(listener, reinterpret_cast<sockaddr*>(&peer), &length);
  EXPECT_GE(server, 0);
  EXPECT_EQ(length, sizeof(peer));
  char text[INET6_ADDRSTRLEN];
  EXPECT_STREQ(inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text)),
               "::ffff:10.0.0.1");
}

}  // namespace
}  // namespace corelane::socket
