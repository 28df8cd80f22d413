// Two hosts, a wire between them, and a SocketStack on each.
#ifndef CORELANE_TESTS_SOCKET_WORLD_H_
#define CORELANE_TESTS_SOCKET_WORLD_H_

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>

#include "dataplane/socket/socket_stack.h"
#include "tests/sim/world.h"

namespace corelane::socket {

inline constexpr Ipv4Address kHostA(10, 0, 0, 1);
inline constexpr Ipv4Address kHostB(10, 0, 0, 2);

inline sockaddr_in At(Ipv4Address address, uint16_t port) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address.value());
  return in;
}
inline const sockaddr* Sa(const sockaddr_in& in) {
  return reinterpret_cast<const sockaddr*>(&in);
}

// Expects a call to fail with an errno.
#define EXPECT_ERRNO(call, error)                                 \
  do {                                                            \
    errno = 0;                                                    \
    EXPECT_EQ(call, -1);                                          \
    EXPECT_STREQ(strerrorname_np(errno), strerrorname_np(error)); \
  } while (false)

// A call on one host that waits lets both live on, in virtual time.
class WorldDriver : public Driver {
 public:
  explicit WorldDriver(sim::World* world) : world_(*world) {}

  bool Turn(Time until) override {
    if (until != kTimeNever && until != asked_) {
      world_.At(until, 0, [] {});
      asked_ = until;
    }
    const bool moved = world_.Step();
    SetClocks();
    return moved;
  }
  void SetClocks() {
    for (size_t i = 0; i < world_.node_count(); ++i) {
      world_.node(i).pipeline().BeginTurn(world_.now());
    }
  }

 private:
  sim::World& world_;
  Time asked_ = kTimeNever;
};

class SocketWorld : public testing::Test {
 protected:
  SocketWorld() { Build({}, {}); }

  void Build(const tcp::Config& config, const sim::WireConfig& wire,
             uint64_t seed = 1) {
    Demolish();
    world_ = std::make_unique<sim::World>(seed, kTimeZero + 1000s);
    driver_ = std::make_unique<WorldDriver>(world_.get());
    for (const Ipv4Address address : {kHostA, kHostB}) {
      sim::NodeConfig c;
      dataplane::InterfaceConfig interface;
      interface.name = "sim0";
      interface.mac = {{2, 0, 0, 0, 0, static_cast<uint8_t>(address.value())}};
      interface.addresses = {{address, 24}};
      c.pipeline.interfaces.push_back(interface);
      c.pipeline.tcp = config;
      c.pipeline.secrets = dataplane::Secrets::FromSeed(seed + address.value());
      c.pipeline.limits = {256, 256, 256, 64, 128};
      c.pipeline.arp.announcer.probe = false;
      c.packets = 8192;
      c.poison = true;
      sim::Node& node = world_->AddNode(c);
      SocketStackOptions options;
      options.first_fd = 100;
      auto& stack = address == kHostA ? a_ : b_;
      stack = std::make_unique<SocketStack>(&node.pipeline(), driver_.get(),
                                            options);
    }
    world_->Join({0, 0}, {1, 0}, wire, wire);
    driver_->SetClocks();
  }

  ~SocketWorld() override { Demolish(); }

  void Demolish() {
    if (world_ == nullptr) return;
    EXPECT_EQ(world_->failure(), "");
    for (size_t i = 0; i < world_->node_count(); ++i) {
      EXPECT_EQ(world_->node(i).TearDown(), 0u) << "packets lost";
    }
    world_.reset();
  }

  void Pass(Duration time) {
    world_->RunTo(world_->now() + time);
    driver_->SetClocks();
  }
  Time now() const { return world_->now(); }

  SocketStack& a() { return *a_; }
  SocketStack& b() { return *b_; }
  sim::World& world() { return *world_; }

  // A listener on B.
  int Listener(uint16_t port, int backlog = 16) {
    const int fd = b().Socket(AF_INET, SOCK_STREAM, 0);
    const auto at = At(Ipv4Address(), port);
    EXPECT_EQ(b().Bind(fd, Sa(at), sizeof(at)), 0);
    EXPECT_EQ(b().Listen(fd, backlog), 0);
    return fd;
  }
  int ConnectTo(uint16_t port) {
    const int fd = a().Socket(AF_INET, SOCK_STREAM, 0);
    const auto at = At(kHostB, port);
    EXPECT_EQ(a().Connect(fd, Sa(at), sizeof(at)), 0) << strerror(errno);
    return fd;
  }
  // A connection: `client` on A, `server` on B.
  void MakePair(uint16_t port = 80) {
    listener = Listener(port);
    client = ConnectTo(port);
    server = b().Accept(listener, nullptr, nullptr);
    ASSERT_GE(server, 0);
  }

  static void SetNonblocking(SocketStack& s, int fd) {
    EXPECT_EQ(s.Fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  }
  static int GetInt(SocketStack& s, int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(s.GetSockOpt(fd, level, name, &value, &length), 0)
        << "option " << name << ": " << strerror(errno);
    return value;
  }
  static int SetInt(SocketStack& s, int fd, int level, int name, int value) {
    return s.SetSockOpt(fd, level, name, &value, sizeof(value));
  }
  // Reads what there is, up to `n`; "-" and the errno if that fails.
  static std::string ReadText(SocketStack& s, int fd, size_t n = 100,
                              int flags = 0) {
    std::string text(n, '\0');
    const ssize_t r = s.Recv(fd, text.data(), n, flags);
    if (r < 0) return std::string("-") + strerrorname_np(errno);
    text.resize(static_cast<size_t>(r));
    return text;
  }
  static ssize_t WriteText(SocketStack& s, int fd, const std::string& text,
                           int flags = 0) {
    return s.Send(fd, text.data(), text.size(), flags);
  }

  int listener = -1;
  int client = -1;
  int server = -1;

 private:
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<WorldDriver> driver_;
  std::unique_ptr<SocketStack> a_;
  std::unique_ptr<SocketStack> b_;
};

}  // namespace corelane::socket

#endif  // CORELANE_TESTS_SOCKET_WORLD_H_
