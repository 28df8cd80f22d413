// Connections that go from one core to another, and their segments after them.
#include "tests/dataplane/move_network.h"

namespace corelane::sim {
namespace {

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

}  // namespace
}  // namespace corelane::sim
