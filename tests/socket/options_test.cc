// getsockopt and setsockopt, and what reaches the wire of them.
#include <poll.h>
#include <sys/time.h>

#include "tests/socket/world.h"

namespace corelane::socket {
namespace {

class SocketOptions : public SocketWorld {
 protected:
  // The next IPv4 packet with payload that host A sends.
  sim::ParsedFrame NextFromA() {
    sim::ParsedFrame found;
    world().SetTap([&](size_t wire, ByteView frame, Time) {
      if (wire != 0 || found.is_tcp) return;
      frame_.assign(frame.begin(), frame.end());
      const sim::ParsedFrame f = sim::ParseFrame(frame_);
      if (f.is_tcp) found = f;
    });
    Pass(20ms);
    world().SetTap(nullptr);
    return found;
  }
  std::vector<uint8_t> Info(SocketStack& s, int fd) {
    std::vector<uint8_t> info(280);
    socklen_t length = 280;
    EXPECT_EQ(s.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, info.data(), &length), 0);
    EXPECT_EQ(length, 280u);
    return info;
  }
  static uint32_t U32(const std::vector<uint8_t>& info, size_t at) {
    uint32_t value;
    std::memcpy(&value, info.data() + at, sizeof(value));
    return value;
  }

 private:
  sim::Frame frame_;
};

TEST_F(SocketOptions, RoundTrips) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  const struct {
    int level;
    int name;
    int value;
    int back;
  } kCases[] = {
      {SOL_SOCKET, SO_REUSEADDR, 7, 1},
      {SOL_SOCKET, SO_KEEPALIVE, 1, 1},
      {SOL_SOCKET, SO_RCVBUF, 100000, 200000},
      {SOL_SOCKET, SO_SNDBUF, 50000, 100000},
      {SOL_SOCKET, SO_RCVBUF, 0, 2304},
      {SOL_SOCKET, SO_RCVLOWAT, 10, 10},
      {SOL_SOCKET, SO_REUSEPORT, 0, 0},
      {IPPROTO_TCP, TCP_NODELAY, 1, 1},
      {IPPROTO_TCP, TCP_CORK, 1, 1},
      {IPPROTO_TCP, TCP_MAXSEG, 1000, 1000},
      {IPPROTO_TCP, TCP_KEEPIDLE, 30, 30},
      {IPPROTO_TCP, TCP_KEEPINTVL, 3, 3},
      {IPPROTO_TCP, TCP_KEEPCNT, 4, 4},
      {IPPROTO_TCP, TCP_SYNCNT, 2, 2},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, 12345, 12345},
      {IPPROTO_TCP, TCP_LINGER2, 30, 30},
      {IPPROTO_TCP, TCP_LINGER2, -1, -1},
      {IPPROTO_TCP, TCP_DEFER_ACCEPT, 3, 3},
      {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000, 4000},
      {IPPROTO_IP, IP_TOS, 0x28, 0x28},
      {IPPROTO_IP, IP_TOS, 0x03, 0x00},
      {IPPROTO_IP, IP_TTL, 9, 9},
      {IPPROTO_IP, IP_TTL, -1, 64},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(SetInt(a(), fd, c.level, c.name, c.value), 0)
        << c.name << ": " << strerror(errno);
    EXPECT_EQ(GetInt(a(), fd, c.level, c.name), c.back) << c.name;
  }
}

TEST_F(SocketOptions, Refusals) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_ERRNO(SetInt(a(), fd, SOL_SOCKET, SO_REUSEPORT, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), fd, SOL_SOCKET, SO_PRIORITY, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), fd, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_TCP, TCP_FASTOPEN, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_TCP, TCP_MAXSEG, 10), EINVAL);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
  EXPECT_ERRNO(SetInt(a(), fd, IPPROTO_IP, IP_MTU_DISCOVER, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), fd, 99, 1, 1), ENOPROTOOPT);
  EXPECT_ERRNO(SetInt(a(), 77, SOL_SOCKET, SO_ERROR, 1), EBADF);
  const char small = 1;
  EXPECT_ERRNO(a().SetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, &small, 1), EINVAL);
  EXPECT_ERRNO(a().SetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, nullptr, 4),
               EFAULT);
  const timeval bad{1, 1'000'000};
  EXPECT_ERRNO(a().SetSockOpt(fd, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)),
               EDOM);
  const int udp = a().Socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_ERRNO(SetInt(a(), udp, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
}

TEST_F(SocketOptions, CongestionByName) {
  const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_ERRNO(a().SetSockOpt(fd, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5),
               ENOENT);
  EXPECT_EQ(a().SetSockOpt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
  char name[16];
  socklen_t length = sizeof(name);
  EXPECT_EQ(a().GetSockOpt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
  EXPECT_STREQ(name, "reno");
}

// At any time, also while data is under way.
TEST_F(SocketOptions, CongestionChangesUnderWay) {
  MakePair();
  const std::string text(40'000, 'x');
  for (const char* name : {"bbr", "cubic", "bbr", "reno", "bbr"}) {
    EXPECT_EQ(a().SetSockOpt(client, IPPROTO_TCP, TCP_CONGESTION, name,
                             static_cast<socklen_t>(std::strlen(name))),
              0);
    EXPECT_EQ(WriteText(a(), client, text), 40'000);
    Pass(1ms);
    std::array<uint32_t, 5> info{};
    socklen_t length = sizeof(info);
    EXPECT_EQ(
        a().GetSockOpt(client, IPPROTO_TCP, TCP_CC_INFO, info.data(), &length),
        0);
    const bool bbr = std::string_view(name) == "bbr";
    EXPECT_EQ(length, bbr ? sizeof(info) : 0u);
    EXPECT_EQ(info[3] != 0, bbr);        // the pacing gain
    constexpr size_t kPacingRate = 104;  // tcpi_pacing_rate
    EXPECT_EQ(U32(Info(a(), client), kPacingRate) != 0, bbr);
    size_t got = 0;
    for (int i = 0; i < 100 && got < text.size(); ++i) {
      Pass(10ms);
      const std::string read = ReadText(b(), server, text.size());
      if (read[0] == 'x') got += read.size();  // else there is nothing yet
    }
    EXPECT_EQ(got, text.size());
  }
}

TEST_F(SocketOptions, TosAndTtlReachThePackets) {
  MakePair();
  EXPECT_EQ(SetInt(a(), client, IPPROTO_IP, IP_TOS, 0xb8), 0);
  EXPECT_EQ(SetInt(a(), client, IPPROTO_IP, IP_TTL, 17), 0);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);
  const sim::ParsedFrame f = NextFromA();
  ASSERT_TRUE(f.is_tcp);
  EXPECT_EQ(f.ip.tos & 0xfc, 0xb8);
  EXPECT_EQ(f.ip.ttl, 17);
}

TEST_F(SocketOptions, MaximumSegmentAndWindowAreOffered) {
  listener = Listener(80);
  const int fd = a().Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  EXPECT_EQ(SetInt(a(), fd, IPPROTO_TCP, TCP_MAXSEG, 700), 0);
  EXPECT_EQ(SetInt(a(), fd, SOL_SOCKET, SO_RCVBUF, 20000), 0);
  const auto at = At(kHostB, 80);
  EXPECT_ERRNO(a().Connect(fd, Sa(at), sizeof(at)), EINPROGRESS);
  const sim::ParsedFrame f = NextFromA();
  ASSERT_TRUE(f.is_tcp);
  const tcp::Options options = tcp::ParseOptions(f.tcp.OptionBytes());
  EXPECT_EQ(options.mss, 700);
  EXPECT_EQ(options.window_scale, 0);
  EXPECT_EQ(f.tcp.window, 20000);
  server = b().Accept(listener, nullptr, nullptr);
  EXPECT_EQ(GetInt(b(), server, IPPROTO_TCP, TCP_MAXSEG) <= 700, true);
}

// A listener's options are those of what it accepts; later changes are not.
TEST_F(SocketOptions, ConnectionsInherit) {
  listener = Listener(80);
  EXPECT_EQ(SetInt(b(), listener, IPPROTO_IP, IP_TTL, 33), 0);
  EXPECT_EQ(SetInt(b(), listener, IPPROTO_TCP, TCP_NODELAY, 1), 0);
  client = ConnectTo(80);
  server = b().Accept(listener, nullptr, nullptr);
  EXPECT_EQ(SetInt(b(), listener, IPPROTO_IP, IP_TTL, 34), 0);
  EXPECT_EQ(GetInt(b(), server, IPPROTO_IP, IP_TTL), 33);
  EXPECT_EQ(GetInt(b(), server, IPPROTO_TCP, TCP_NODELAY), 1);
  const auto& layer = world().node(1).pipeline().tcp();
  EXPECT_EQ(layer.profiles().in_use(), 3);
  EXPECT_EQ(b().Close(listener), 0);
  EXPECT_EQ(layer.profiles().in_use(), 2);
  EXPECT_EQ(b().Close(server), 0);
  EXPECT_EQ(a().Close(client), 0);
  Pass(120s);
  EXPECT_EQ(layer.profiles().in_use(), 1);
}

TEST_F(SocketOptions, TooManyDifferentOnes) {
  int error = 0;
  for (int i = 1; i < 300 && error == 0; ++i) {
    const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
    if (SetInt(a(), fd, IPPROTO_TCP, TCP_KEEPIDLE, i) != 0) error = errno;
  }
  EXPECT_EQ(error, ENOBUFS);
}

TEST_F(SocketOptions, DeferredAccept) {
  listener = Listener(80);
  EXPECT_EQ(SetInt(b(), listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 3), 0);
  SetNonblocking(b(), listener);
  client = ConnectTo(80);
  Pass(10ms);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EAGAIN);
  EXPECT_EQ(WriteText(a(), client, "x"), 1);
  Pass(10ms);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  // Its time is over.
  const int silent = ConnectTo(80);
  Pass(1s);
  EXPECT_ERRNO(b().Accept(listener, nullptr, nullptr), EAGAIN);
  Pass(3s);
  EXPECT_GE(b().Accept(listener, nullptr, nullptr), 0);
  EXPECT_EQ(a().Close(silent), 0);
}

TEST_F(SocketOptions, ReceiveLowWater) {
  MakePair();
  EXPECT_EQ(SetInt(b(), server, SOL_SOCKET, SO_RCVLOWAT, 5), 0);
  EXPECT_EQ(WriteText(a(), client, "123"), 3);
  pollfd p{server, POLLIN, 0};
  EXPECT_EQ(b().Poll(&p, 1, 100), 0);
  EXPECT_EQ(WriteText(a(), client, "45"), 2);
  EXPECT_EQ(b().Poll(&p, 1, 100), 1);
}

TEST_F(SocketOptions, TcpInfo) {
  const int idle = a().Socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(Info(a(), idle)[0], 7);  // CLOSE
  MakePair();
  EXPECT_EQ(Info(b(), listener)[0], 10);  // LISTEN
  std::vector<uint8_t> info = Info(a(), client);
  EXPECT_EQ(info[0], 1);            // ESTABLISHED
  EXPECT_EQ(info[5] & 4, 4);        // WSCALE
  EXPECT_GE(U32(info, 16), 1400u);  // snd_mss
  EXPECT_EQ(U32(info, 24), 0u);     // unacked
  EXPECT_EQ(U32(info, 80), 10u);    // cwnd
  // A round trip of 2 ms; the SYN had to wait for ARP.
  EXPECT_GE(U32(info, 68), 2000u);
  EXPECT_LE(U32(info, 68), 4000u);
  EXPECT_EQ(WriteText(a(), client, std::string(2896, 'x')), 2896);
  Pass(500us);
  EXPECT_EQ(U32(Info(a(), client), 24), 2u);
  Pass(100ms);
  info = Info(a(), client);
  EXPECT_EQ(U32(info, 88), 3u);      // reordering
  EXPECT_GE(U32(info, 168), 1900u);  // busy_time, in ticks
  EXPECT_LE(U32(info, 168), 5000u);
  EXPECT_EQ(U32(info, 176), 0u);  // rwnd_limited
  EXPECT_EQ(U32(info, 184), 0u);  // sndbuf_limited
  EXPECT_EQ(a().Shutdown(client, SHUT_WR), 0);
  Pass(10ms);
  EXPECT_EQ(Info(a(), client)[0], 5);  // FIN_WAIT2
  EXPECT_EQ(Info(b(), server)[0], 8);  // CLOSE_WAIT
}

}  // namespace
}  // namespace corelane::socket
