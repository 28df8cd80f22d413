// UDP sockets.
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

class SocketUdp : public SocketWorld {
 protected:
  int Bound(SocketStack& s, uint16_t port) {
    const int fd = s.Socket(AF_INET, SOCK_DGRAM, 0);
    const auto at = At(Ipv4Address(), port);
    EXPECT_EQ(s.Bind(fd, Sa(at), sizeof(at)), 0);
    return fd;
  }
  ssize_t SendTo(SocketStack& s, int fd, Ipv4Address address, uint16_t port,
                 const std::string& text, int flags = 0) {
    const auto at = At(address, port);
    return s.SendTo(fd, text.data(), text.size(), flags, Sa(at), sizeof(at));
  }
};

TEST_F(SocketUdp, ToAndFrom) {
  const int to = Bound(b(), 53);
  const int from = a().Socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_EQ(SendTo(a(), from, kHostB, 53, "question"), 8);
  char buffer[100];
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  EXPECT_EQ(b().RecvFrom(to, buffer, sizeof(buffer), 0,
                         reinterpret_cast<sockaddr*>(&peer), &length),
            8);
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), kHostA.value());
  EXPECT_EQ(b().SendTo(to, "answer", 6, 0, Sa(peer), sizeof(peer)), 6);
  EXPECT_EQ(ReadText(a(), from), "answer");
}

TEST_F(SocketUdp, DatagramsKeepTheirBounds) {
  const int to = Bound(b(), 53);
  const int from = a().Socket(AF_INET, SOCK_DGRAM, 0);
  const auto at = At(kHostB, 53);
  EXPECT_EQ(a().Connect(from, Sa(at), sizeof(at)), 0);
  EXPECT_EQ(WriteText(a(), from, "first"), 5);
  EXPECT_EQ(WriteText(a(), from, ""), 0);
  EXPECT_EQ(WriteText(a(), from, "to", MSG_MORE), 2);
  EXPECT_EQ(WriteText(a(), from, "gether"), 6);
  EXPECT_EQ(WriteText(a(), from, std::string(5000, 'x')), 5000);
  Pass(10ms);
  int waiting = 0;
  EXPECT_EQ(b().Ioctl(to, FIONREAD, &waiting), 0);
  EXPECT_EQ(waiting, 5);
  EXPECT_EQ(ReadText(b(), to, 2, MSG_PEEK), "fi");
  char two[2];
  EXPECT_EQ(b().Recv(to, two, 2, MSG_TRUNC | MSG_PEEK), 5);
  iovec vector{two, 2};
  msghdr message{};
  sockaddr_in peer{};
  message.msg_name = &peer;
  message.msg_namelen = sizeof(peer);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  EXPECT_EQ(b().RecvMsg(to, &message, 0), 2);
  EXPECT_EQ(message.msg_flags, MSG_TRUNC);
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), kHostA.value());
  EXPECT_EQ(ReadText(b(), to), "");
  EXPECT_EQ(ReadText(b(), to), "together");
  EXPECT_EQ(ReadText(b(), to, 9000).size(), 5000u);
  EXPECT_EQ(ReadText(b(), to, 1, MSG_DONTWAIT), "-EAGAIN");
}

TEST_F(SocketUdp, Refusals) {
  const int fd = a().Socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_ERRNO(WriteText(a(), fd, "x"), EDESTADDRREQ);
  EXPECT_ERRNO(SendTo(a(), fd, kHostB, 0, "x"), EINVAL);
  EXPECT_ERRNO(SendTo(a(), fd, Ipv4Address(198, 18, 0, 1), 5, "x"),
               ENETUNREACH);
  EXPECT_ERRNO(SendTo(a(), fd, kHostB, 5, std::string(65508, 'x')), EMSGSIZE);
  EXPECT_ERRNO(a().Listen(fd, 1), EOPNOTSUPP);
  EXPECT_ERRNO(a().Accept(fd, nullptr, nullptr), EOPNOTSUPP);
  EXPECT_ERRNO(a().Shutdown(fd, SHUT_WR), ENOTCONN);
  const int bound = Bound(a(), 53);
  const int second = a().Socket(AF_INET, SOCK_DGRAM, 0);
  const auto at = At(Ipv4Address(), 53);
  EXPECT_ERRNO(a().Bind(second, Sa(at), sizeof(at)), EADDRINUSE);
  EXPECT_EQ(a().Close(bound), 0);
  EXPECT_EQ(a().Bind(second, Sa(at), sizeof(at)), 0);
}

TEST_F(SocketUdp, PortUnreachable) {
  const int fd = a().Socket(AF_INET, SOCK_DGRAM, 0);
  const auto at = At(kHostB, 99);
  EXPECT_EQ(a().Connect(fd, Sa(at), sizeof(at)), 0);
  EXPECT_EQ(WriteText(a(), fd, "x"), 1);
  Pass(10ms);
  pollfd p{fd, POLLIN, 0};
  EXPECT_EQ(a().Poll(&p, 1, 0), 1);
  EXPECT_EQ(p.revents, POLLERR);
  EXPECT_EQ(ReadText(a(), fd), "-ECONNREFUSED");
  auto nobody = at;
  nobody.sin_family = AF_UNSPEC;
  EXPECT_EQ(a().Connect(fd, Sa(nobody), sizeof(nobody)), 0);
  EXPECT_ERRNO(WriteText(a(), fd, "x"), EDESTADDRREQ);
}

TEST_F(SocketUdp, ABoundOnWhatWaits) {
  const int to = Bound(b(), 53);
  EXPECT_EQ(SetInt(b(), to, SOL_SOCKET, SO_RCVBUF, 4000), 0);
  EXPECT_EQ(GetInt(b(), to, SOL_SOCKET, SO_RCVBUF), 8000);
  const int from = a().Socket(AF_INET, SOCK_DGRAM, 0);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(SendTo(a(), from, kHostB, 53, std::string(1000, 'x')), 1000);
    Pass(5ms);
  }
  int got = 0;
  while (ReadText(b(), to, 2000, MSG_DONTWAIT).size() == 1000) ++got;
  EXPECT_EQ(got, 3);
}

TEST_F(SocketUdp, Shutdown) {
  const int fd = a().Socket(AF_INET, SOCK_DGRAM, 0);
  const auto at = At(kHostB, 99);
  EXPECT_EQ(a().Connect(fd, Sa(at), sizeof(at)), 0);
  EXPECT_EQ(a().Shutdown(fd, SHUT_RDWR), 0);
  EXPECT_EQ(ReadText(a(), fd), "");
  EXPECT_ERRNO(WriteText(a(), fd, "x"), EPIPE);
}

}  // namespace
}  // namespace corelane::socket
