// Receiving and sending on connections.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

class SocketIo : public SocketWorld {
 protected:
  // With timestamps in every one.
  static constexpr size_t kSegment = 1448;

  int Asked(SocketStack& s, int fd, unsigned long request) {
    int value = -1;
    EXPECT_EQ(s.Ioctl(fd, request, &value), 0);
    return value;
  }
};

TEST_F(SocketIo, BlockingExchange) {
  MakePair();
  EXPECT_EQ(WriteText(a(), client, "hello"), 5);
  EXPECT_EQ(ReadText(b(), server), "hello");
  char buffer[8];
  EXPECT_EQ(b().Write(server, "world", 5), 5);
  EXPECT_EQ(a().Read(client, buffer, sizeof(buffer)), 5);
  EXPECT_EQ(a().Read(client, buffer, 0), 0);
}

TEST_F(SocketIo, Vectors) {
  MakePair();
  char one[] = "one";
  char two[] = "two";
  const iovec out[] = {{one, 3}, {nullptr, 0}, {two, 3}};
  EXPECT_EQ(a().Writev(client, out, 3), 6);
  Pass(10ms);
  char first[2];
  char rest[10];
  const iovec in[] = {{first, 2}, {rest, 10}};
  EXPECT_EQ(b().Readv(server, in, 2), 6);
  EXPECT_EQ(std::string(first, 2) + std::string(rest, 4), "onetwo");
  EXPECT_ERRNO(b().Readv(server, in, -1), EINVAL);
  EXPECT_ERRNO(b().Readv(server, in, 100000), EINVAL);
}

TEST_F(SocketIo, Messages) {
  MakePair();
  char one[] = "one";
  iovec vector{one, 3};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  EXPECT_EQ(a().SendMsg(client, &message, 0), 3);
  char buffer[10];
  vector = {buffer, sizeof(buffer)};
  EXPECT_EQ(b().RecvMsg(server, &message, 0), 3);
  EXPECT_EQ(message.msg_flags, 0);
  char control[64] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  EXPECT_ERRNO(a().SendMsg(client, &message, 0), EOPNOTSUPP);
}

TEST_F(SocketIo, PeekTakesNothing) {
  MakePair();
  EXPECT_EQ(WriteText(a(), client, "abc"), 3);
  Pass(10ms);
  EXPECT_EQ(WriteText(a(), client, std::string(3000, 'x')), 3000);
  Pass(10ms);
  EXPECT_EQ(ReadText(b(), server, 2, MSG_PEEK), "ab");
  EXPECT_EQ(ReadText(b(), server, 5000, MSG_PEEK).size(), 3003u);
  EXPECT_EQ(Asked(b(), server, FIONREAD), 3003);
  EXPECT_EQ(ReadText(b(), server, 3), "abc");
  EXPECT_EQ(b().Recv(server, nullptr, 1000, MSG_TRUNC), 1000);
  EXPECT_EQ(Asked(b(), server, FIONREAD), 2000);
}

TEST_F(SocketIo, DontWaitAndTimeouts) {
  MakePair();
  EXPECT_EQ(ReadText(b(), server, 1, MSG_DONTWAIT), "-EAGAIN");
  const timeval half{0, 500000};
  EXPECT_EQ(
      b().SetSockOpt(server, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof(half)), 0);
  const Time start = now();
  EXPECT_EQ(ReadText(b(), server), "-EAGAIN");
  EXPECT_EQ(now() - start, 500ms);
  EXPECT_EQ(ReadText(b(), server, 1, MSG_OOB), "-EINVAL");
  EXPECT_EQ(ReadText(b(), server, 1, MSG_ERRQUEUE), "-EAGAIN");
  EXPECT_ERRNO(WriteText(b(), server, "x", MSG_OOB), EOPNOTSUPP);
}

TEST_F(SocketIo, WaitAll) {
  MakePair();
  EXPECT_EQ(WriteText(a(), client, "12345"), 5);
  const timeval half{0, 500000};
  EXPECT_EQ(
      b().SetSockOpt(server, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof(half)), 0);
  const Time start = now();
  EXPECT_EQ(ReadText(b(), server, 10, MSG_WAITALL), "12345");
  EXPECT_EQ(now() - start, 500ms);
  EXPECT_EQ(WriteText(a(), client, "12345"), 5);
  EXPECT_EQ(a().Shutdown(client, SHUT_WR), 0);
  EXPECT_EQ(ReadText(b(), server, 10, MSG_WAITALL), "12345");
}

TEST_F(SocketIo, FullSendBuffer) {
  MakePair();
  EXPECT_EQ(SetInt(a(), client, SOL_SOCKET, SO_SNDBUF, 10000), 0);
  EXPECT_EQ(GetInt(a(), client, SOL_SOCKET, SO_SNDBUF), 20000);
  const std::string much(600'000, 'x');
  // All that fits, a piece begun included; and the rest does not wait.
  const auto fits =
      static_cast<int>(WriteText(a(), client, much, MSG_DONTWAIT));
  EXPECT_GE(fits, 20000);
  EXPECT_LE(fits, 20000 + 2 * 65536);
  EXPECT_ERRNO(WriteText(a(), client, "x", MSG_DONTWAIT), EAGAIN);
  EXPECT_EQ(Asked(a(), client, SIOCOUTQ), fits);
  EXPECT_EQ(Asked(a(), client, SIOCOUTQNSD), fits);
  Pass(100ms);
  EXPECT_EQ(Asked(a(), client, SIOCOUTQ), 0);
  // A blocking write waits, here until the peer's window is full: it has not
  // grown, as nobody reads.
  const timeval second{1, 0};
  EXPECT_EQ(
      a().SetSockOpt(client, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)),
      0);
  const ssize_t taken = WriteText(a(), client, much);
  EXPECT_GT(fits + taken, 65'535);
  EXPECT_LT(taken, 300'000);
}

TEST_F(SocketIo, ResetIsToldOnce) {
  MakePair();
  EXPECT_EQ(WriteText(b(), server, "last words"), 10);
  Pass(10ms);
  const linger at_once{1, 0};
  EXPECT_EQ(
      b().SetSockOpt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
      0);
  EXPECT_EQ(b().Close(server), 0);
  Pass(10ms);
  // What came before the reset can still be read.
  EXPECT_EQ(Asked(a(), client, FIONREAD), 10);
  EXPECT_EQ(ReadText(a(), client, 4), "last");
  EXPECT_EQ(ReadText(a(), client, 100, MSG_PEEK), " words");
  EXPECT_EQ(ReadText(a(), client), " words");
  EXPECT_EQ(ReadText(a(), client), "-ECONNRESET");
  EXPECT_EQ(ReadText(a(), client), "");
  EXPECT_ERRNO(WriteText(a(), client, "x"), EPIPE);
  EXPECT_ERRNO(a().Shutdown(client, SHUT_RD), ENOTCONN);
}

TEST_F(SocketIo, NotConnected) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(ReadText(a(), fd), "-ENOTCONN");
  EXPECT_ERRNO(WriteText(a(), fd, "x"), EPIPE);
  EXPECT_EQ(ReadText(a(), 77), "-EBADF");
  listener = Listener(80);
  EXPECT_EQ(ReadText(b(), listener), "-ENOTCONN");
  EXPECT_ERRNO(WriteText(b(), listener, "x"), EPIPE);
  int value;
  EXPECT_ERRNO(b().Ioctl(listener, FIONREAD, &value), EINVAL);
  EXPECT_ERRNO(b().Ioctl(listener, 0x1234, &value), ENOTTY);
}

// Less than a segment is held back while corked, and goes after 200 ms.
TEST_F(SocketIo, CorkAndMore) {
  MakePair();
  EXPECT_EQ(WriteText(a(), client, "head", MSG_MORE), 4);
  Pass(50ms);
  EXPECT_EQ(ReadText(b(), server, 100, MSG_DONTWAIT), "-EAGAIN");
  EXPECT_EQ(Asked(a(), client, SIOCOUTQ), 4);
  EXPECT_EQ(WriteText(a(), client, "tail"), 4);
  Pass(10ms);
  EXPECT_EQ(ReadText(b(), server), "headtail");

  EXPECT_EQ(SetInt(a(), client, IPPROTO_TCP, TCP_CORK, 1), 0);
  EXPECT_EQ(WriteText(a(), client, std::string(2000, 'x')), 2000);
  Pass(50ms);
  EXPECT_EQ(ReadText(b(), server, 5000).size(), kSegment);
  EXPECT_EQ(SetInt(a(), client, IPPROTO_TCP, TCP_CORK, 0), 0);
  Pass(10ms);
  EXPECT_EQ(ReadText(b(), server, 5000).size(), 2000 - kSegment);

  EXPECT_EQ(SetInt(a(), client, IPPROTO_TCP, TCP_CORK, 1), 0);
  EXPECT_EQ(WriteText(a(), client, "slow"), 4);
  Pass(250ms);
  EXPECT_EQ(ReadText(b(), server), "slow");
  EXPECT_EQ(WriteText(a(), client, "end"), 3);
  EXPECT_EQ(a().Close(client), 0);
  EXPECT_EQ(ReadText(b(), server), "end");
  EXPECT_EQ(ReadText(b(), server), "");
}

TEST_F(SocketIo, LittleUnsent) {
  MakePair();
  EXPECT_EQ(SetInt(a(), client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000), 0);
  EXPECT_EQ(WriteText(a(), client, std::string(9000, 'x'), MSG_DONTWAIT), 4000);
  EXPECT_ERRNO(WriteText(a(), client, "x", MSG_DONTWAIT), EAGAIN);
  Pass(10ms);
  EXPECT_EQ(WriteText(a(), client, std::string(50000, 'x')), 50000);
}

// With nobody to wait for, a call fails instead of hanging for ever.
TEST_F(SocketIo, NothingWillHappen) {
  listener = Listener(80);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EINTR);
}

}  // namespace
}  // namespace corelane::socket
