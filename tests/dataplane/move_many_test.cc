// Many connections that move: an orderly stop, skew, and a want of room.
#include "tests/dataplane/move_network.h"

namespace corelane::sim {
namespace {

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
