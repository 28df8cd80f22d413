// Which ACKs of a burst the next one makes redundant.
#include "proto/tcp/merged_acks.h"

#include <gtest/gtest.h>

#include <array>

#include "proto/tcp/header_prediction.h"

namespace corelane::tcp {
namespace {

class MergedAcksTest : public testing::Test {
 protected:
  MergedAcksTest() {
    cb_.state = State::kEstablished;
    cb_.snd_una = SeqNum(1000);
    cb_.snd_nxt = SeqNum(9000);
    cb_.snd_edge = SeqNum(1000 + 20000);
    cb_.rcv_nxt = SeqNum(77);
    cb_.ts_recent = 50;
    cb_.cwnd = cb_.ssthresh = 8000;
    cb_.Set(kTimestamps);
    UpdatePrediction(cb_);
    tx_.phase = SendPhase::kOpen;
  }

  struct Ack {
    std::array<uint8_t, 12> options;
    Segment segment;
  };
  static Ack Of(uint32_t ack, uint32_t stamp, uint16_t window = 20000) {
    Ack a;
    StoreBe32(a.options.data(), kTimestampsPrefix);
    StoreBe32(a.options.data() + 4, stamp);
    StoreBe32(a.options.data() + 8, 1);
    a.segment.seq = SeqNum(77);
    a.segment.ack = SeqNum(ack);
    a.segment.window = window;
    a.segment.offset_and_flags = kPredictedWordTimestamps;
    a.segment.header_length = 32;
    return a;
  }
  bool Merged(const Ack& first, const Ack& second) {
    Segment a = first.segment;
    Segment b = second.segment;
    a.options = first.options.data();
    b.options = second.options.data();
    return Supersedes(cb_, &tx_, a, b);
  }

  ControlBlock cb_{};
  SendState tx_{};
};

TEST_F(MergedAcksTest, TheSecondOfTwoSaysItAll) {
  EXPECT_TRUE(Merged(Of(2000, 51), Of(3000, 51)));
  EXPECT_TRUE(Merged(Of(2000, 51), Of(9000, 52, 30000)));
  EXPECT_FALSE(Merged(Of(3000, 51), Of(2000, 51)));
}

TEST_F(MergedAcksTest, NotDuplicatesNorWhatWasNotSent) {
  EXPECT_FALSE(Merged(Of(1000, 51), Of(2000, 51)));
  EXPECT_FALSE(Merged(Of(2000, 51), Of(2000, 51)));
  EXPECT_FALSE(Merged(Of(2000, 51), Of(9001, 51)));
}

TEST_F(MergedAcksTest, NotIfTheWindowShrinks) {
  EXPECT_FALSE(Merged(Of(2000, 51), Of(3000, 51, 18999)));
  EXPECT_TRUE(Merged(Of(2000, 51), Of(3000, 51, 19000)));
  EXPECT_FALSE(Merged(Of(2000, 51, 10000), Of(3000, 51)));
}

TEST_F(MergedAcksTest, NotIfEitherMayBeOld) {
  EXPECT_FALSE(Merged(Of(2000, 49), Of(3000, 51)));
  EXPECT_FALSE(Merged(Of(2000, 52), Of(3000, 51)));
}

TEST_F(MergedAcksTest, NotWithDataFlagsMarksOrOptions) {
  Ack other = Of(3000, 51);
  other.segment.payload_length = 1;
  EXPECT_FALSE(Merged(Of(2000, 51), other));
  EXPECT_FALSE(Merged(other, Of(4000, 51)));
  other = Of(3000, 51);
  other.segment.offset_and_flags |= kEce;
  EXPECT_FALSE(Merged(Of(2000, 51), other));
  other = Of(3000, 51);
  other.segment.ce = true;
  EXPECT_FALSE(Merged(Of(2000, 51), other));
  other = Of(3000, 51);
  StoreBe32(other.options.data(), 0x01010502);  // SACK
  EXPECT_FALSE(Merged(Of(2000, 51), other));
  other = Of(3000, 51);
  other.segment.seq = SeqNum(76);
  EXPECT_FALSE(Merged(Of(2000, 51), other));
}

TEST_F(MergedAcksTest, NotWhileSingleOnesMatter) {
  cb_.ssthresh = cb_.cwnd + 1;
  tx_.max_flight = cb_.cwnd;
  EXPECT_FALSE(Merged(Of(2000, 51), Of(3000, 51)));
  tx_.max_flight = cb_.cwnd / 4;  // slow start, but the peer's window limits
  EXPECT_TRUE(Merged(Of(2000, 51), Of(3000, 51)));
  cb_.ssthresh = cb_.cwnd;
  tx_.Set(kProbeOut);
  EXPECT_FALSE(Merged(Of(2000, 51), Of(3000, 51)));
  tx_.Clear(kProbeOut);
  for (const SendPhase phase : {SendPhase::kDisorder, SendPhase::kCwr,
                                SendPhase::kRecovery, SendPhase::kLoss}) {
    tx_.phase = phase;
    EXPECT_FALSE(Merged(Of(2000, 51), Of(3000, 51)));
  }
}

}  // namespace
}  // namespace corelane::tcp
