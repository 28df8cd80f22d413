// More connections have something to send than there is room for.
#include <set>

#include "dataplane/flow/work_list.h"
#include "tests/dataplane/node_test.h"

namespace corelane::sim {
namespace {

using dataplane::WorkList;

TEST(WorkList, GivesWhatCameFirstAndForgetsNothing) {
  WorkList list;
  uint32_t pushed = 0;
  uint32_t popped = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 5 + round % 7; ++i) list.Push(pushed++);
    for (int i = 0; i < 4 + round % 9 && !list.empty(); ++i) {
      ASSERT_EQ(list.Pop(), popped++);
    }
    list.Compact();
    ASSERT_EQ(list.size(), pushed - popped);
    for (const uint32_t index : list.waiting()) EXPECT_GE(index, popped);
  }
  while (!list.empty()) ASSERT_EQ(list.Pop(), popped++);
  list.Compact();
  EXPECT_TRUE(list.waiting().empty());
  EXPECT_EQ(popped, pushed);
}

class PutOffTest : public NodeTest {
 protected:
  static constexpr uint16_t kConnections = 1500;
  PutOffTest() : NodeTest({2048, 2048, 2048, 2048, 2048}) {}
};

// As when millions time out in one second: what waits for room in the transmit
// queue is not asked again in every turn, and all of it gets its turn.
TEST_F(PutOffTest, ATurnCostsWhatItSendsNotWhatWaits) {
  for (uint16_t i = 0; i < kConnections; ++i) {
    ASSERT_TRUE(Open(static_cast<uint16_t>(10000 + i))) << i;
  }
  const uint64_t& put_off = node_->pipeline().core().counters.tcp_put_off;
  EXPECT_EQ(put_off, 0u);
  sent_.clear();
  node_->pipeline().tcp().CloseAll();
  for (uint32_t turn = 1; sent_.size() < kConnections; ++turn) {
    const size_t before = sent_.size();
    ASSERT_NO_FATAL_FAILURE(Turn());
    ASSERT_GT(sent_.size(), before + 300) << "turn " << turn;
    EXPECT_LE(put_off, turn * 64u);
  }
  EXPECT_GT(put_off, 0u);
  std::set<uint16_t> closed;
  for (const Frame& frame : sent_) {
    const ParsedFrame f = ParseFrame(frame);
    EXPECT_TRUE(f.tcp.Has(tcp::kFin));
    closed.insert(f.tcp.destination_port);
  }
  EXPECT_EQ(closed.size(), kConnections);
}

}  // namespace
}  // namespace corelane::sim
