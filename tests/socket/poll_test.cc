// poll and epoll.
#include <poll.h>
#include <sys/epoll.h>

#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

constexpr short kAll = POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP;

class SocketPoll : public SocketWorld {
 protected:
  // What is ready now.
  static int Ready(SocketStack& s, int fd) {
    pollfd p{fd, kAll, 0};
    EXPECT_GE(s.Poll(&p, 1, 0), 0);
    return p.revents;
  }
  int Epoll(int fd, uint32_t events) {
    const int set = b().EpollCreate(0);
    Control(set, EPOLL_CTL_ADD, fd, events);
    return set;
  }
  void Control(int set, int operation, int fd, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    EXPECT_EQ(b().EpollCtl(set, operation, fd, &event), 0) << strerror(errno);
  }
  // What the set reports of one descriptor; 0 if nothing.
  uint32_t Reported(int set, int timeout = 0) {
    epoll_event events[4];
    const int n = b().EpollWait(set, events, 4, timeout);
    EXPECT_GE(n, 0);
    EXPECT_LE(n, 1);
    return n == 1 ? events[0].events : 0;
  }
};

TEST_F(SocketPoll, StatesOfASocket) {
  const int idle = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(Ready(a(), idle), POLLOUT | POLLHUP);
  EXPECT_EQ(Ready(a(), 99), POLLNVAL);
  listener = Listener(80);
  EXPECT_EQ(Ready(b(), listener), 0);
  SetNonblocking(a(), idle);
  const auto at = At(kHostB, 80);
  EXPECT_ERRNO(a().Connect(idle, Sa(at), sizeof(at)), EINPROGRESS);
  EXPECT_EQ(Ready(a(), idle), 0);
  Pass(10ms);
  EXPECT_EQ(Ready(a(), idle), POLLOUT);
  EXPECT_EQ(Ready(b(), listener), POLLIN);
  server = b().Accept(listener, nullptr, nullptr);
  EXPECT_EQ(WriteText(b(), server, "x"), 1);
  Pass(10ms);
  EXPECT_EQ(Ready(a(), idle), POLLIN | POLLOUT);
  EXPECT_EQ(b().Shutdown(server, SHUT_WR), 0);
  Pass(10ms);
  EXPECT_EQ(Ready(a(), idle), POLLIN | POLLOUT | POLLRDHUP);
  EXPECT_EQ(a().Shutdown(idle, SHUT_WR), 0);
  EXPECT_EQ(Ready(a(), idle), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
}

TEST_F(SocketPoll, Errors) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const auto at = At(kHostB, 81);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EINPROGRESS);
  Pass(10ms);
  EXPECT_EQ(Ready(a(), fd), POLLOUT | POLLERR | POLLHUP);
  MakePair();
  const linger at_once{1, 0};
  b().SetSockOpt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  EXPECT_EQ(b().Close(server), 0);
  Pass(10ms);
  EXPECT_EQ(Ready(a(), client),
            POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
  EXPECT_EQ(ReadText(a(), client), "-ECONNRESET");
  EXPECT_EQ(Ready(a(), client), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
}

TEST_F(SocketPoll, PollWaits) {
  MakePair();
  pollfd fds[] = {{server, POLLIN, 0}, {-1, POLLIN, 0}};
  const Time start = now();
  EXPECT_EQ(b().Poll(fds, 2, 300), 0);
  EXPECT_EQ(now() - start, 300ms);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);
  EXPECT_EQ(b().Poll(fds, 2, -1), 1);
  EXPECT_EQ(fds[0].revents, POLLIN);
  EXPECT_LT(now() - start, 310ms);
}

TEST_F(SocketPoll, LevelTriggered) {
  MakePair();
  const int set = Epoll(server, EPOLLIN);
  EXPECT_EQ(Reported(set), 0u);
  EXPECT_EQ(WriteText(a(), client, "xy"), 2);
  EXPECT_EQ(Reported(set, 1000), EPOLLIN);
  EXPECT_EQ(Reported(set), EPOLLIN);
  EXPECT_EQ(ReadText(b(), server, 1), "x");
  EXPECT_EQ(Reported(set), EPOLLIN);
  EXPECT_EQ(ReadText(b(), server, 1), "y");
  EXPECT_EQ(Reported(set), 0u);
}

TEST_F(SocketPoll, EdgeTriggered) {
  MakePair();
  const int set = Epoll(server, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  EXPECT_EQ(Reported(set), EPOLLOUT);
  EXPECT_EQ(Reported(set), 0u);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);
  Pass(10ms);
  EXPECT_EQ(Reported(set), EPOLLIN | EPOLLOUT);
  EXPECT_EQ(Reported(set), 0u);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);  // more of the same: another edge
  Pass(10ms);
  EXPECT_EQ(Reported(set), EPOLLIN | EPOLLOUT);
  EXPECT_EQ(a().Close(client), 0);
  Pass(10ms);
  EXPECT_EQ(Reported(set), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  EXPECT_EQ(Reported(set), 0u);
}

TEST_F(SocketPoll, EdgeOfWriting) {
  MakePair();
  EXPECT_EQ(SetInt(b(), server, SOL_SOCKET, SO_SNDBUF, 10000), 0);
  EXPECT_EQ(WriteText(b(), server, std::string(20000, 'x'), MSG_DONTWAIT),
            20000);
  // Filled exactly, so that no write took less than asked.
  const int set = Epoll(server, EPOLLOUT | EPOLLET);
  EXPECT_EQ(Reported(set), 0u);
  Pass(100ms);
  EXPECT_EQ(Reported(set), EPOLLOUT);
  EXPECT_EQ(Reported(set), 0u);
}

TEST_F(SocketPoll, OneShot) {
  MakePair();
  const int set = Epoll(server, EPOLLIN | EPOLLONESHOT);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);
  EXPECT_EQ(Reported(set, 1000), EPOLLIN);
  EXPECT_EQ(Reported(set), 0u);
  EXPECT_EQ(a().Close(client), 0);
  Pass(10ms);
  EXPECT_EQ(Reported(set), 0u);
  Control(set, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLONESHOT);
  EXPECT_EQ(Reported(set), EPOLLIN);
}

TEST_F(SocketPoll, ControlOfASet) {
  MakePair();
  const int set = Epoll(server, EPOLLOUT);
  epoll_event event{};
  EXPECT_ERRNO(b().EpollCtl(set, EPOLL_CTL_ADD, server, &event), EEXIST);
  EXPECT_ERRNO(b().EpollCtl(set, EPOLL_CTL_MOD, listener, &event), ENOENT);
  EXPECT_ERRNO(b().EpollCtl(set, EPOLL_CTL_DEL, listener, nullptr), ENOENT);
  EXPECT_ERRNO(b().EpollCtl(set, EPOLL_CTL_ADD, 77, &event), EBADF);
  EXPECT_ERRNO(b().EpollCtl(set, EPOLL_CTL_ADD, set, &event), EINVAL);
  EXPECT_ERRNO(b().EpollCtl(server, EPOLL_CTL_ADD, set, &event), EINVAL);
  EXPECT_ERRNO(b().EpollCtl(set, 9, server, &event), EINVAL);
  EXPECT_ERRNO(b().EpollWait(set, &event, 0, 0), EINVAL);
  EXPECT_ERRNO(b().EpollWait(server, &event, 1, 0), EINVAL);
  EXPECT_ERRNO(b().EpollCreate(1), EINVAL);
  EXPECT_EQ(Ready(b(), set), POLLIN);
  // A closed descriptor leaves all sets.
  EXPECT_EQ(b().Close(server), 0);
  EXPECT_EQ(Reported(set), 0u);
  EXPECT_EQ(b().Close(set), 0);
}

TEST_F(SocketPoll, ListenerInASet) {
  listener = Listener(80);
  const int set = Epoll(listener, EPOLLIN | EPOLLET);
  client = ConnectTo(80);
  EXPECT_EQ(Reported(set, 1000), EPOLLIN);
  EXPECT_EQ(Reported(set), 0u);
  ConnectTo(80);
  EXPECT_EQ(Reported(set, 1000), EPOLLIN);
}

}  // namespace
}  // namespace corelane::socket
