// Opening when it is not easy: floods, cookies, address pairs in TIME-WAIT, and
// the choice of ports.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/base/bytes.h"
#include "proto/base/rng.h"
#include "proto/tcp/options.h"
#include "tests/dataplane/node_test.h"

namespace corelane::sim {
namespace {

using dataplane::DropReason;

class TcpOpenTest : public NodeTest {
 protected:
  using NodeTest::NodeTest;
  static constexpr uint8_t kScale = 7;

  const tcp::Counters& counters() {
    return node_->pipeline().core().counters.tcp;
  }
  dataplane::TcpLayer& tcp() { return node_->pipeline().tcp(); }

  // SYNs from everywhere, which nobody completes.
  void Flood(int syns) {
    Rng rng(19);
    for (int i = 0; i < syns; ++i) {
      TcpFields f = Fields(static_cast<uint16_t>(2000 + i));
      f.flags = tcp::kSyn;
      ends_.source = Ipv4Address(0x0a020000 + rng.Below(60'000));
      Deliver(TcpFrame(ends_, f));
    }
    ends_.source = Ipv4Address(10, 0, 0, 2);
  }

  static std::vector<uint8_t> Bytes(const tcp::SynOptions& options) {
    std::vector<uint8_t> bytes(tcp::kMaxOptionsLength);
    bytes.resize(tcp::WriteSynOptions(bytes.data(), options));
    return bytes;
  }
  static std::vector<uint8_t> Stamp(uint32_t value, uint32_t echo) {
    std::vector<uint8_t> bytes = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    StoreBe32(bytes.data() + 4, value);
    StoreBe32(bytes.data() + 8, echo);
    return bytes;
  }

  // Sends a SYN with all options; what the SYN-ACK says.
  tcp::Options SendSyn(uint16_t port, uint32_t ts_value = 7000) {
    TcpFields f = Fields(port);
    f.flags = tcp::kSyn | tcp::kEce | tcp::kCwr;
    f.ack = 0;
    tcp::SynOptions o;
    o.mss = 1460;
    o.window_scale = kScale;
    o.sack_permitted = o.has_timestamps = true;
    o.ts_value = ts_value;
    f.options = Bytes(o);
    sent_.clear();
    Deliver(TcpFrame(ends_, f));
    EXPECT_EQ(sent_.size(), 1u);
    if (sent_.empty()) return {};
    const ParsedFrame answer = ParseFrame(sent_.back());
    EXPECT_TRUE(answer.is_tcp && answer.tcp.Has(tcp::kSyn));
    numbers_[port].ack = answer.tcp.seq.value() + 1;
    const tcp::Options got = tcp::ParseOptions(answer.tcp.OptionBytes());
    options_[port] = Stamp(ts_value + 1, got.ts_value);
    return got;
  }
  void CompleteOpen(uint16_t port) {
    numbers_[port].seq += 1;
    Deliver(TcpFrame(ends_, Fields(port)));
    open_.push_back(port);
  }

  // The connection with that port of the peer's, or kNoIndex.
  uint32_t Find(uint16_t port) {
    for (uint32_t i = 0; i < tcp().blocks().high_water(); ++i) {
      const tcp::ControlBlock& cb = tcp().block(i);
      if (cb.key.remote_port == port && cb.state != tcp::State::kClosed) {
        return i;
      }
    }
    return tcp::kNoIndex;
  }

  // A connection that we close first, so that TIME-WAIT is ours. Returns our
  // last sequence number.
  SeqNum EndByUs(uint16_t port) {
    SendSyn(port);
    CompleteOpen(port);
    open_.pop_back();
    const uint32_t index = Find(port);
    EXPECT_NE(index, tcp::kNoIndex);
    tcp().Close(index);
    Pass(0s);
    numbers_[port].ack += 1;
    TcpFields f = Fields(port);
    f.flags = tcp::kAck | tcp::kFin;
    Deliver(TcpFrame(ends_, f));
    numbers_[port].seq += 1;
    EXPECT_EQ(tcp().time_waits().in_use(), 1u);
    return SeqNum(numbers_[port].ack);
  }

  absl::StatusOr<dataplane::Connection> Connect(uint16_t port,
                                                uint16_t source_port = 0) {
    return tcp().Connect(ends_.source, port, 0, Ipv4Address(), source_port);
  }
};

// Row 19: the table of requests is full, and a real peer is served at once,
// with every option that it asked for.
// rule: RFC4987-3.6
TEST_F(TcpOpenTest, SynFlood) {
  ExpectService(999);  // ARP knows the peer
  Flood(5'000);
  EXPECT_EQ(tcp().requests().in_use(), 128u);
  EXPECT_EQ(counters().syn_cookies_sent, 5'000u - 128);
  EXPECT_LT(PacketsHeld(), 2'000u);
  const tcp::Options answer = SendSyn(1000);
  EXPECT_TRUE(answer.has_timestamps);
  EXPECT_TRUE(answer.sack_permitted);
  EXPECT_TRUE(answer.has_window_scale);
  EXPECT_EQ(answer.ts_echo, 7000u);
  CompleteOpen(1000);
  EXPECT_EQ(counters().syn_cookies_accepted, 1u);
  ASSERT_NE(Find(1000), tcp::kNoIndex);
  const tcp::ControlBlock* cb = &tcp().block(Find(1000));
  EXPECT_EQ(cb->state, tcp::State::kEstablished);
  EXPECT_TRUE(cb->Has(tcp::kTimestamps));
  EXPECT_TRUE(cb->Has(tcp::kSack));
  EXPECT_TRUE(cb->Has(tcp::kWindowScaling));
  EXPECT_TRUE(cb->Has(tcp::kEcn));
  EXPECT_EQ(cb->snd_wscale(), kScale);
  EXPECT_EQ(cb->SendWindow(), 65535u << kScale);
  EXPECT_EQ(cb->mss, 1448);
  EXPECT_TRUE(Echoes(1000));
  EXPECT_TRUE(Echoes(999));
  // One without options as well.
  ExpectService(1001);
  EXPECT_EQ(counters().syn_cookies_accepted, 2u);
  EXPECT_EQ(counters().failed_opens, 0u);
}

TEST_F(TcpOpenTest, ForgedCookiesAreRefused) {
  Flood(200);
  Rng rng(20);
  sent_.clear();
  for (int i = 0; i < 2'000; ++i) {
    TcpFields f = Fields(static_cast<uint16_t>(30'000 + i));
    f.ack = rng.Next32();
    Deliver(TcpFrame(ends_, f));
  }
  EXPECT_EQ(counters().syn_cookies_failed, 2'000u);
  EXPECT_EQ(counters().syn_cookies_accepted, 0u);
  EXPECT_EQ(tcp().blocks().in_use(), 0u);
  for (const Frame& frame : sent_) {
    EXPECT_EQ(ParseFrame(frame).tcp.flags(), tcp::kRst);
  }
  // Later they are not even looked at.
  Pass(121s);
  Deliver(TcpFrame(ends_, Fields(30'000)));
  EXPECT_EQ(counters().syn_cookies_failed, 2'000u);
}

TEST_F(TcpOpenTest, OldCookiesAreRefused) {
  Flood(200);
  SendSyn(1000);
  Pass(121s);
  Flood(200);  // cookies are being checked
  CompleteOpen(1000);
  EXPECT_EQ(counters().syn_cookies_failed, 1u);
  EXPECT_EQ(Find(1000), tcp::kNoIndex);
  open_.clear();
}

// The peer's first SYN got a cookie, its second a request, and then it answers
// to the cookie.
TEST_F(TcpOpenTest, CookieAfterARequest) {
  Flood(128);
  SendSyn(1000);
  const uint32_t cookie = numbers_[1000].ack;
  const std::vector<uint8_t> stamp = options_[1000];
  Pass(64s);
  EXPECT_EQ(tcp().requests().in_use(), 0u);
  SendSyn(1000);
  EXPECT_EQ(tcp().requests().in_use(), 1u);
  ASSERT_NE(numbers_[1000].ack, cookie);
  numbers_[1000].ack = cookie;
  options_[1000] = stamp;
  CompleteOpen(1000);
  EXPECT_EQ(counters().syn_cookies_accepted, 1u);
  EXPECT_EQ(tcp().requests().in_use(), 0u);
  EXPECT_TRUE(Echoes(1000));
}

// RFC 6191: a later timestamp is enough, the sequence number may be smaller.
// rule: RFC6191-2
TEST_F(TcpOpenTest, TimestampsReopenFromTimeWait) {
  const SeqNum end = EndByUs(1000);
  numbers_[1000].seq -= 1'000'000;
  TcpFields f = Fields(1000);
  f.flags = tcp::kSyn;
  tcp::SynOptions o;
  o.mss = 1460;
  o.has_timestamps = true;
  o.ts_value = 6'000;  // from before
  f.options = Bytes(o);
  sent_.clear();
  Deliver(TcpFrame(ends_, f));
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(ParseFrame(sent_[0]).tcp.flags(), tcp::kAck);
  EXPECT_EQ(tcp().time_waits().in_use(), 1u);
  SendSyn(1000, 9'000);
  EXPECT_EQ(tcp().time_waits().in_use(), 0u);
  EXPECT_GT(SeqNum(numbers_[1000].ack), end);
  CompleteOpen(1000);
  EXPECT_TRUE(Echoes(1000));
}

// There is no room for a request, and a cookie would not do: the peer has to
// try again, and the record stays.
TEST_F(TcpOpenTest, NoCookieFromTimeWait) {
  EndByUs(1000);
  Flood(200);
  TcpFields f = Fields(1000);
  f.seq += 1000;
  f.flags = tcp::kSyn;
  f.options.clear();
  sent_.clear();
  Deliver(TcpFrame(ends_, f));
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(Drops(DropReason::kTcpBacklog), 1u);
  EXPECT_EQ(tcp().time_waits().in_use(), 1u);
}

// Our own connection over a pair in TIME-WAIT: a second later, with numbers and
// timestamps that go on.
TEST_F(TcpOpenTest, ConnectTakesOverFromTimeWait) {
  const SeqNum end = EndByUs(1000);
  EXPECT_EQ(Connect(1000, kPort).status().code(),
            absl::StatusCode::kAlreadyExists);
  Pass(1100ms);
  const auto connection = Connect(1000, kPort);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(tcp().time_waits().in_use(), 0u);
  sent_.clear();
  Pass(0s);
  ASSERT_EQ(sent_.size(), 1u);
  const ParsedFrame syn = ParseFrame(sent_[0]);
  EXPECT_EQ(syn.tcp.flags(), tcp::kSyn | tcp::kEce | tcp::kCwr);
  EXPECT_GT(syn.tcp.seq, end);
  const tcp::Options options = tcp::ParseOptions(syn.tcp.OptionBytes());
  const tcp::Options last =
      tcp::ParseOptions({options_[1000].data(), options_[1000].size()});
  EXPECT_GT(static_cast<int32_t>(options.ts_value - last.ts_echo), 1'000);
  tcp().Abort(connection->index());
}

// RFC 6056: no port twice, and nothing to be foreseen.
// rule: RFC6056-3.3
TEST_F(TcpOpenTest, SourcePorts) {
  std::set<uint16_t> ports;
  std::set<int> steps;
  int last = 0;
  for (int i = 0; i < 60; ++i) {
    // Two destinations by turns: their ports have nothing in common.
    const auto connection = Connect(static_cast<uint16_t>(7000 + i % 2));
    ASSERT_TRUE(connection.ok());
    const uint16_t port = connection->control_block().key.local_port;
    EXPECT_GE(port, 32768);
    ports.insert(port);
    steps.insert(port - last);
    last = port;
  }
  EXPECT_EQ(ports.size(), 60u);
  EXPECT_GT(steps.size(), 50u);
  for (uint32_t i = 0; i < tcp().blocks().high_water(); ++i) tcp().Abort(i);
}

class AllPortsTest : public TcpOpenTest {
 protected:
  static constexpr uint32_t kPorts = 65536 - 1024;
  AllPortsTest() : TcpOpenTest({kPorts + 8, 128, 64, 64, 128}) {}
};

// Every port is found, however few are left; when none is, the one in TIME-WAIT
// has to do; and then there is an error.
TEST_F(AllPortsTest, TheLastOneIsInTimeWait) {
  constexpr uint16_t kWaiting = 40'000;
  const auto listener = tcp().Listen({}, kWaiting, 0);
  ASSERT_TRUE(listener.ok());
  destination_port_ = kWaiting;
  EndByUs(1000);
  tcp().CloseListener(*listener);
  Pass(2s);
  std::vector<bool> used(65536);
  for (uint32_t i = 0; i < kPorts; ++i) {
    const auto connection = Connect(1000);
    ASSERT_TRUE(connection.ok()) << i << ": " << connection.status();
    const uint16_t port = connection->control_block().key.local_port;
    ASSERT_GE(port, i < kPorts / 4 ? 32768 : 1024);
    ASSERT_FALSE(used[port]);
    used[port] = true;
    // Taken before only if many ports in a row are in use.
    if (i < kPorts / 4) {
      ASSERT_NE(port, kWaiting);
    }
  }
  EXPECT_EQ(tcp().time_waits().in_use(), 0u);
  EXPECT_EQ(Connect(1000).status().code(),
            absl::StatusCode::kResourceExhausted);
  for (uint32_t i = 0; i < tcp().blocks().high_water(); ++i) {
    if (tcp().block(i).generation != 0) tcp().Abort(i);
  }
}

}  // namespace
}  // namespace corelane::sim
