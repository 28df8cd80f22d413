// The adapter as packetdrill uses it, without packetdrill.
#include "tests/packetdrill/stack.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "tests/sim/frames.h"

namespace corelane::packetdrill {
namespace {

constexpr Ipv4Address kUs(198, 18, 0, 1);
constexpr Ipv4Address kPeer(198, 18, 7, 1);

class StackTest : public testing::Test {
 protected:
  StackTest() : stack_(StackFlags{}) {}

  sockaddr_in At(Ipv4Address address) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(8080);
    in.sin_addr.s_addr = htonl(address.value());
    return in;
  }
  int Socket(int flags = 0) {
    return stack_.Do([&](socket::SocketStack& s) {
      return s.Socket(AF_INET, SOCK_STREAM | flags, 0);
    });
  }
  void Send(sim::TcpFields fields) {
    sim::Ends ends;
    ends.source = kPeer;
    ends.destination = kUs;
    const sim::Frame frame = sim::TcpFrame(ends, fields);
    stack_.Send(ByteView(frame).subspan(sim::Ipv4Offset(frame)));
  }
  // The next packet out; its payload's length is kept, its bytes are not.
  tcp::Segment Next() {
    std::vector<uint8_t> packet;
    tcp::Segment segment;
    EXPECT_TRUE(stack_.Receive(packet, at_));
    if (packet.size() < 40) return segment;
    EXPECT_EQ(tcp::Parse(ByteView(packet).subspan(20), segment),
              tcp::ParseStatus::kOk);
    return segment;
  }

  Stack stack_;
  Time at_;
};

TEST_F(StackTest, FlagsAreText) {
  StackFlags flags;
  EXPECT_TRUE(flags.Parse(""));
  EXPECT_TRUE(flags.Parse("local=10.77.0.1/24 gateway=10.77.0.2 mtu=1000"));
  EXPECT_EQ(flags.mtu, 1000);
  EXPECT_EQ(flags.local.length, 24);
  for (const char* bad : {"local=x", "gateway=1", "mtu=100", "mtu=9000", "x"}) {
    EXPECT_FALSE(StackFlags().Parse(bad)) << bad;
  }
}

TEST_F(StackTest, AConnectIsRepeatedInVirtualTime) {
  const int fd = Socket(SOCK_NONBLOCK);
  EXPECT_GE(fd, kFirstFd);
  const auto to = At(kPeer);
  EXPECT_EQ(stack_.Do([&](socket::SocketStack& s) {
    return s.Connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  }),
            -1);
  EXPECT_EQ(errno, EINPROGRESS);
  EXPECT_TRUE(Next().Has(tcp::kSyn));
  const Time first = at_;
  EXPECT_TRUE(Next().Has(tcp::kSyn));
  EXPECT_NEAR((at_ - first).count(), 1e9, 2e6);
  EXPECT_EQ(stack_.unclaimed(), 0u);
}

TEST_F(StackTest, NothingComesForEver) {
  std::vector<uint8_t> packet;
  EXPECT_FALSE(stack_.Receive(packet, at_));
  const Time before = stack_.Now();
  EXPECT_GT(stack_.Now(), before);
  stack_.Sleep(5s);
  EXPECT_GE(stack_.Now() - before, 5s);
}

// accept blocks in a second thread, as in packetdrill; what it waits for is
// made in this one, and the clock stands still until it has come back.
TEST_F(StackTest, ABlockingCall) {
  const int listener = Socket();
  const auto any = At(Ipv4Address());
  ASSERT_EQ(stack_.Do([&](socket::SocketStack& s) {
    const int r =
        s.Bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    return r != 0 ? r : s.Listen(listener, 1);
  }),
            0);
  std::atomic<int> accepted{-1};
  Time returned;
  std::thread other([&] {
    accepted = stack_.Do([&](socket::SocketStack& s) {
      return s.Accept(listener, nullptr, nullptr);
    });
    returned = stack_.Now();
  });
  sim::TcpFields f;
  f.source_port = 5000;
  f.destination_port = 8080;
  f.seq = 100;
  f.flags = tcp::kSyn;
  stack_.Sleep(1s);
  Send(f);
  const tcp::Segment answer = Next();
  EXPECT_TRUE(answer.Has(tcp::kSyn | tcp::kAck));
  f.seq = 101;
  f.ack = (answer.seq + 1).value();
  f.flags = tcp::kAck;
  Send(f);
  const Time sent = stack_.Now();
  other.join();
  EXPECT_GE(accepted, kFirstFd);
  // If it blocked in time to be woken by that packet: else it found it there.
  EXPECT_LE(returned - sent, 1ms);

  // 30,000 bytes at once are acknowledged at once.
  f.payload.assign(30000, 'x');
  Send(f);
  EXPECT_EQ(Next().ack, SeqNum(30101));
  const ssize_t n = stack_.Do([&](socket::SocketStack& s) {
    std::string buffer(50000, '\0');
    return s.Read(accepted, buffer.data(), buffer.size());
  });
  EXPECT_EQ(n, 30000);
}

}  // namespace
}  // namespace corelane::packetdrill
