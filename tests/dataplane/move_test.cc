// Connections that go from one core to another, and their segments after them.
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "dataplane/app/echo.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/icmp/message.h"
#include "tests/dataplane/network_test.h"

namespace corelane::sim {
namespace {

using dataplane::Connection;
using dataplane::ReadyConnection;

// Echoes; "go" with a digit behind it sends the connection to that core; "keep"
// is read and not answered before "all".
class Mover final : public SimApplication {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time /*now*/) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & dataplane::kGone) != 0) {
        ++gone;
        continue;
      }
      Answer(r.connection);
    }
  }
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& luggage) override {
    if (!may_leave) return false;
    luggage = {'b', 'a', 'g'};
    ++left;
    return true;
  }
  void OnArrive(Connection connection,
                std::span<const uint8_t> luggage) override {
    EXPECT_EQ(std::string(luggage.begin(), luggage.end()), "bag");
    EXPECT_EQ(connection.app_data(), 7u);
    ++arrived;
  }
  void OnLost(uint32_t app_data, std::span<const uint8_t> luggage) override {
    EXPECT_EQ(std::string(luggage.begin(), luggage.end()), "bag");
    EXPECT_EQ(app_data, 7u);
    ++lost;
  }

  bool may_leave = true;
  int left = 0;
  int arrived = 0;
  int lost = 0;
  int gone = 0;

 private:
  void Answer(Connection c) {
    c.set_app_data(7);
    const ByteView front = c.Front();
    const std::string text(front.begin(), front.end());
    if (text.starts_with("go")) {
      asked = c.MoveTo(static_cast<uint16_t>(text[2] - '0'));
      c.Consume(3);
      Answer(c);
      return;
    }
    if (text.starts_with("keep")) return;
    c.Send(front);
    c.Consume(static_cast<uint32_t>(front.size()));
    if (c.at_end()) c.Close();
  }

 public:
  bool asked = false;
};

class MoveTest : public NetworkTest {
 protected:
  void Start(uint16_t cores = 3) {
    config_.cores = cores;
    config_.queues = 1;
    config_.pipeline.tcp.time_wait = 1s;
    config_.pipeline.limits.max_connections = 16;
    AddHost("10.1.0.1");
    Make({"10.1.0.9/24"});
  }
  std::unique_ptr<SimApplication> MakeApp() override {
    auto app = std::make_unique<Mover>();
    mover_ = app.get();
    return app;
  }
  void TearDown() override {
    if (!node_) return;
    Pass(300s);
    EXPECT_EQ(Oracle::CheckAtRest(*node_), "");
    EXPECT_EQ(node_->TearDown(), 0u);
  }

  // Opens a connection whose home is that core; returns its remote port.
  uint16_t Open(uint16_t home) {
    static uint16_t next = 10'000;
    while (node_->OwnerOf(Key(++next)) != home) continue;
    const uint16_t port = next;
    seq_[port] = {101, 0};
    sent_.clear();
    TcpFields syn = Syn(port);
    syn.options = {2, 4, 1460 >> 8, 1460 & 0xff};
    Deliver(0, TcpFrame(ends_, syn));
    seq_[port].ack = LastTo(port)->tcp.seq.value() + 1;
    Say(port, "");
    return port;
  }
  tcp::FlowKey Key(uint16_t port) const {
    return {ends_.destination.value(), ends_.source.value(), kPort, port};
  }
  TcpFields Fields(uint16_t port, const std::string& text) {
    TcpFields f;
    f.source_port = port;
    f.destination_port = kPort;
    f.seq = seq_[port].seq;
    f.ack = seq_[port].ack;
    f.flags = tcp::kAck;
    f.payload.assign(text.begin(), text.end());
    return f;
  }
  // Sends a segment; returns what came back as text, and acknowledges it.
  std::string Say(uint16_t port, const std::string& text, uint8_t flags = 0) {
    sent_.clear();
    TcpFields f = Fields(port, text);
    f.flags |= flags;
    Deliver(0, TcpFrame(ends_, f));
    seq_[port].seq += static_cast<uint32_t>(text.size());
    return Heard(port);
  }
  std::string Heard(uint16_t port) {
    std::string answer;
    for (const Sent& s : sent_) {
      if (!s.parsed.is_tcp || s.parsed.tcp.destination_port != port) continue;
      if (s.parsed.tcp.seq.value() != seq_[port].ack) continue;
      answer.append(s.parsed.payload.begin(), s.parsed.payload.end());
      seq_[port].ack += static_cast<uint32_t>(s.parsed.payload.size());
    }
    sent_.clear();
    if (!answer.empty()) Deliver(0, TcpFrame(ends_, Fields(port, "")));
    return answer;
  }
  std::optional<ParsedFrame> LastTo(uint16_t port) {
    for (auto s = sent_.rbegin(); s != sent_.rend(); ++s) {
      if (s->parsed.is_tcp && s->parsed.tcp.destination_port == port) {
        return s->parsed;
      }
    }
    return std::nullopt;
  }
  // The core on which the connection is; -1 if it is nowhere, -2 on several.
  int CoreOf(uint16_t port) {
    int found = -1;
    for (uint16_t core = 0; core < node_->cores(); ++core) {
      const dataplane::TcpLayer& tcp = node_->pipeline(core).tcp();
      for (uint32_t i = 0; i < tcp.blocks().high_water(); ++i) {
        const tcp::ControlBlock& cb = tcp.block(i);
        if (cb.generation == 0 || !(cb.key == Key(port))) continue;
        found = found == -1 ? core : -2;
      }
    }
    return found;
  }
  void Close(uint16_t port) {
    Say(port, "", tcp::kFin);
    ++seq_[port].seq;
    ++seq_[port].ack;  // of its FIN
    Say(port, "");
    EXPECT_EQ(CoreOf(port), -1);
  }
  // A connection of core 0's that moved to core 1, where we closed first: a
  // record in TIME-WAIT is there. Returns its remote port.
  uint16_t EndOnCoreOne() {
    const uint16_t port = Open(0);
    Say(port, "go1");
    node_->pipeline(1).tcp().Close(0);
    Pass(0s);
    ++seq_[port].ack;  // of its FIN
    Say(port, "", tcp::kFin);
    ++seq_[port].seq;
    return port;
  }
  // Has a core take a segment as though another had passed it on.
  void PassOn(uint16_t core, uint16_t port, const std::string& text) {
    const Frame frame = TcpFrame(ends_, Fields(port, text));
    dataplane::Pipeline& to = node_->pipeline(core);
    dataplane::Packet* packet = to.core().pool.Alloc();
    const ByteView segment = ByteView(frame).subspan(34, 20 + text.size());
    std::copy(segment.begin(), segment.end(),
              dataplane::Append(packet, static_cast<uint16_t>(segment.size())));
    dataplane::MetaOf(packet).flow = Key(port);
    sent_.clear();
    to.ReceivePassedOn(0, packet, false);
  }
  void Reset(uint16_t port) { Say(port, "", tcp::kRst); }
  uint64_t Sum(uint64_t dataplane::Counters::*counter) {
    uint64_t sum = 0;
    for (uint16_t i = 0; i < node_->cores(); ++i) {
      sum += node_->pipeline(i).core().counters.*counter;
    }
    return sum;
  }

  const Ends ends_ = From("10.1.0.1", "10.1.0.9");
  Mover* mover_ = nullptr;
  struct Numbers {
    uint32_t seq;
    uint32_t ack;
  };
  std::map<uint16_t, Numbers> seq_;
};

TEST_F(MoveTest, GoesOnElsewhereAndItsSegmentsFollow) {
  Start();
  const uint16_t port = Open(0);
  EXPECT_EQ(Say(port, "here"), "here");
  EXPECT_EQ(CoreOf(port), 0);
  Say(port, "go2");
  EXPECT_EQ(CoreOf(port), 2);
  EXPECT_EQ(mover_->arrived, 1);
  const auto before = node_->pipeline(2).core().counters.tcp.segments_in;
  EXPECT_EQ(Say(port, "there"), "there");
  EXPECT_GT(node_->pipeline(2).core().counters.tcp.segments_in, before);
  EXPECT_EQ(Sum(&dataplane::Counters::moved_out), 1u);
  EXPECT_EQ(Sum(&dataplane::Counters::moved_in), 1u);
  EXPECT_GE(Sum(&dataplane::Counters::segments_passed_on), 1u);
  // The others are where they were.
  const uint16_t other = Open(0);
  EXPECT_EQ(Say(other, "x"), "x");
  EXPECT_EQ(CoreOf(other), 0);
  Close(port);
  Close(other);
}

// Back home, and from guest to guest by way of the home.
TEST_F(MoveTest, MovesOnAndReturns) {
  Start();
  const uint16_t port = Open(1);
  for (const char* to : {"0", "2", "0", "1", "2", "1", "0"}) {
    Pass(150ms);  // so many at once, and then more
    Say(port, std::string("go") + to);
    EXPECT_EQ(CoreOf(port), to[0] - '0');
    EXPECT_EQ(Say(port, to), to);
  }
  Close(port);
  EXPECT_EQ(mover_->arrived, 7);
}

TEST_F(MoveTest, TakesAlongWhatIsQueuedBothWays) {
  Start();
  const uint16_t port = Open(0);
  // Unread, and unacknowledged: the answer to the first is never acknowledged.
  const std::string large(3000, 'a');
  sent_.clear();
  TcpFields f = Fields(port, large.substr(0, 1400));
  Deliver(0, TcpFrame(ends_, f));
  seq_[port].seq += 1400;
  Deliver(0, TcpFrame(ends_, Fields(port, "go2keep me")));
  seq_[port].seq += 10;
  EXPECT_EQ(CoreOf(port), 2);
  const dataplane::TcpLayer& tcp = node_->pipeline(2).tcp();
  EXPECT_EQ(tcp.Readable(0), 7u);
  // It is sent again from there.
  sent_.clear();
  Pass(3s);
  EXPECT_EQ(Heard(port), large.substr(0, 1400));
  EXPECT_GE(node_->pipeline(2).core().counters.tcp.retransmits, 1u);
  Reset(port);
  EXPECT_EQ(mover_->gone, 1);
}

TEST_F(MoveTest, WaitsUntilTheGapIsFilled) {
  Start();
  const uint16_t port = Open(0);
  TcpFields ahead = Fields(port, "tail");
  ahead.seq += 3;
  Deliver(0, TcpFrame(ends_, ahead));
  // Asked for while something waits behind a gap.
  node_->pipeline(0).tcp().WishMove(0, 1);
  Pass(50ms);
  EXPECT_EQ(CoreOf(port), 0);
  sent_.clear();
  Deliver(0, TcpFrame(ends_, Fields(port, "the")));
  seq_[port].seq += 7;
  EXPECT_EQ(Heard(port), "thetail");
  EXPECT_EQ(CoreOf(port), 1);
  Close(port);
}

TEST_F(MoveTest, TheApplicationMayRefuse) {
  Start();
  const uint16_t port = Open(0);
  mover_->may_leave = false;
  Say(port, "go1");
  EXPECT_TRUE(mover_->asked);
  EXPECT_EQ(CoreOf(port), 0);
  mover_->may_leave = true;
  EXPECT_EQ(Say(port, "x"), "x");
  EXPECT_EQ(CoreOf(port), 0);
  Close(port);
}

TEST_F(MoveTest, NotToItselfNorToNoCore) {
  Start();
  const uint16_t port = Open(0);
  Say(port, "go0");
  EXPECT_FALSE(mover_->asked);
  Say(port, "go9");
  EXPECT_FALSE(mover_->asked);
  Close(port);
}

// Core 0 sent it to core 2 before it learnt that the connection had left there.
TEST_F(MoveTest, ASegmentThatComesTooLateGoesBackByTheHome) {
  Start();
  const uint16_t port = Open(0);
  Say(port, "go2");
  Say(port, "go1");
  PassOn(2, port, "late");
  node_->Deliver(0, TcpFrame(ends_, Fields(port, "")));  // so that it has turns
  Pass(1ms);
  seq_[port].seq += 4;
  EXPECT_EQ(Heard(port), "late");
  EXPECT_EQ(CoreOf(port), 1);
  EXPECT_EQ(node_->pipeline(2).core().counters.segments_passed_on, 1u);
  for (uint16_t core = 0; core < 3; ++core) {
    EXPECT_EQ(node_->pipeline(core).core().counters.tcp.resets_out, 0u);
  }
  Close(port);
}

// ... or when there is nothing left of it.
TEST_F(MoveTest, ASegmentThatItsConnectionHasOvertakenIsNotRefused) {
  Start();
  const uint16_t port = Open(0);
  Say(port, "go2");
  Close(port);
  Pass(10ms);  // the home has forgotten it
  PassOn(2, port, "");
  Pass(1ms);
  node_->Deliver(0, ArpFrame(ends_, Request(ends_)));  // so that it has turns
  Pass(1ms);
  EXPECT_FALSE(LastTo(port));
  EXPECT_EQ(Drops(dataplane::DropReason::kTcpNoSocket), 1u);
  // Who believes in it otherwise is told.
  Say(port, "");
  EXPECT_EQ(node_->pipeline(0).core().counters.tcp.resets_out, 1u);
}

TEST_F(MoveTest, TimeWaitStaysWhereItEndedAndIsForgottenAtHome) {
  Start();
  EndOnCoreOne();
  EXPECT_EQ(node_->pipeline(1).tcp().time_waits().in_use(), 1u);
  EXPECT_EQ(node_->pipeline(0).tcp().moves().forwards.in_use(), 1u);
  Pass(2s);
  EXPECT_EQ(node_->pipeline(1).tcp().time_waits().in_use(), 0u);
  EXPECT_EQ(node_->pipeline(0).tcp().moves().forwards.in_use(), 0u);
  EXPECT_EQ(node_->pipeline(0).tcp().table().size(), 0u);
}

// The same addresses and ports again, while the old connection is in TIME-WAIT
// on another core.
TEST_F(MoveTest, ASuccessorInTimeWaitOpensWhereTheRecordIs) {
  Start();
  const uint16_t port = EndOnCoreOne();
  TcpFields syn = Syn(port);
  syn.seq = seq_[port].seq + 1000;
  sent_.clear();
  Deliver(0, TcpFrame(ends_, syn));
  ASSERT_TRUE(LastTo(port));
  ASSERT_TRUE(LastTo(port)->tcp.Has(tcp::kSyn));
  seq_[port] = {syn.seq + 1, LastTo(port)->tcp.seq.value() + 1};
  EXPECT_EQ(Say(port, "again"), "again");
  EXPECT_EQ(CoreOf(port), 1);
  Close(port);
}

TEST_F(MoveTest, AnIcmpErrorFollows) {
  Start();
  const uint16_t port = Open(0);
  Say(port, "go2");
  sent_.clear();
  TcpFields f = Fields(port, std::string(1400, 'x'));
  Deliver(0, TcpFrame(ends_, f));
  seq_[port].seq += 1400;
  ASSERT_FALSE(sent_.empty());
  // A router could not forward the answer.
  std::vector<uint8_t> message(8 + 28);
  const dataplane::Counters& c = node_->pipeline(2).core().counters;
  for (const Sent& s : sent_) {
    if (s.parsed.payload.size() != 1400) continue;
    message[0] = icmp::kUnreachable;
    message[1] = icmp::kFragmentationNeeded;
    message[6] = 1000 >> 8;
    message[7] = 1000 & 0xff;
    std::memcpy(&message[8], &s.frame[14], 28);
  }
  Deliver(0, IcmpFrame(ends_, message));
  EXPECT_EQ(c.icmp_errors_in, 1u);
  EXPECT_LT(node_->pipeline(2).tcp().block(0).mss, 1000);
  Reset(port);
}

TEST_F(MoveTest, WhereThereIsNoRoomItStays) {
  Start();
  std::vector<uint16_t> full;
  full.reserve(15);
  for (int i = 0; i < 15; ++i) full.push_back(Open(1));
  const uint16_t port = Open(0);
  Pass(150ms);  // until that has got round
  Say(port, "go1");
  EXPECT_EQ(CoreOf(port), 0);
  Close(full[0]);
  Say(port, "x");
  Pass(150ms);
  Say(port, "y");
  EXPECT_EQ(CoreOf(port), 1);
  Close(port);
  for (size_t i = 1; i < full.size(); ++i) Close(full[i]);
}

TEST_F(MoveTest, AnOrderlyStopFindsItWhereverItIs) {
  Start();
  const uint16_t port = Open(0);
  // It arrives at a core that has closed everything already.
  node_->pipeline(1).tcp().CloseAll();
  Say(port, "go1");
  ++seq_[port].ack;
  Say(port, "", tcp::kFin);
  Pass(2s);
  EXPECT_EQ(CoreOf(port), -1);
  EXPECT_EQ(mover_->lost, 1);
}

// What has left is not there to be closed.
TEST_F(MoveTest, AnOrderlyStopClosesEachOnce) {
  Start();
  const uint16_t port = Open(0);
  Say(port, "go1");
  for (uint16_t core = 0; core < 3; ++core) {
    node_->pipeline(core).tcp().CloseAll();
  }
  Pass(0s);
  EXPECT_EQ(node_->pipeline(0).tcp().blocks().in_use(), 0u);
  EXPECT_EQ(node_->pipeline(1).tcp().blocks().in_use(), 1u);
  ++seq_[port].ack;
  Say(port, "", tcp::kFin);
}

TEST_F(MoveTest, SkewIsEvenedOut) {
  Start(2);
  node_->Rebalance();
  std::vector<uint16_t> ports;
  ports.reserve(8);
  for (int i = 0; i < 8; ++i) ports.push_back(Open(0));
  for (int round = 0; round < 1500; ++round) {
    for (const uint16_t port : ports) ASSERT_EQ(Say(port, "x"), "x");
    Pass(1ms);
  }
  int here = 0;
  for (const uint16_t port : ports) here += CoreOf(port) == 0 ? 1 : 0;
  EXPECT_EQ(here, 4);
  // And that was it.
  EXPECT_LE(mover_->left, 8);
  for (const uint16_t port : ports) Close(port);
}

// Most of a core's load is one connection: it goes at most once in a while.
TEST_F(MoveTest, OneThatIsAWholeCoresLoadDoesNotGoBackAndForth) {
  Start(2);
  node_->Rebalance();
  std::vector<uint16_t> ports;
  ports.reserve(4);
  for (int i = 0; i < 4; ++i) ports.push_back(Open(0));
  for (int round = 0; round < 1500; ++round) {
    for (int i = 0; i < 8; ++i) ASSERT_EQ(Say(ports[0], "x"), "x");
    ASSERT_EQ(Say(ports[1 + round % 3], "x"), "x");
    Pass(1ms);
  }
  EXPECT_LE(mover_->left, 4);
  for (const uint16_t port : ports) Close(port);
}

// Many more want to go than there is room for.
TEST_F(MoveTest, NoneIsLostForWantOfRoom) {
  Start(2);
  std::vector<uint16_t> there;
  std::vector<uint16_t> here;
  there.reserve(10);
  here.reserve(14);
  for (int i = 0; i < 10; ++i) there.push_back(Open(1));
  for (int i = 0; i < 14; ++i) here.push_back(Open(0));
  Pass(150ms);
  for (uint32_t i = 0; i < 14; ++i) node_->pipeline(0).tcp().WishMove(i, 1);
  for (const uint16_t port : here) EXPECT_EQ(Say(port, "x"), "x");
  Pass(150ms);
  for (const uint16_t port : here) EXPECT_EQ(Say(port, "x"), "x");
  EXPECT_EQ(Sum(&dataplane::Counters::move_failures), 0u);
  EXPECT_GT(mover_->arrived, 0);
  EXPECT_EQ(mover_->lost, 0);
  for (const uint16_t port : here) Close(port);
  for (const uint16_t port : there) Close(port);
}

TEST_F(MoveTest, SkewStaysWhereNobodyAsked) {
  Start(2);
  std::vector<uint16_t> ports;
  ports.reserve(8);
  for (int i = 0; i < 4; ++i) ports.push_back(Open(0));
  for (int round = 0; round < 1000; ++round) {
    for (const uint16_t port : ports) ASSERT_EQ(Say(port, "x"), "x");
    Pass(1ms);
  }
  EXPECT_EQ(mover_->left, 0);
  for (const uint16_t port : ports) Close(port);
}

}  // namespace
}  // namespace corelane::sim
