#include "proto/tcp/send_room.h"

#include <gtest/gtest.h>

#include <random>

namespace corelane::tcp {
namespace {

class SendRoomTest : public testing::Test {
 protected:
  SendRoomTest() {
    config_.send_buffer = 42'000;
    config_.send_in_pieces = true;
    cb_.mss = 1000;
    cb_.cwnd = 10'000;
    Offer(50'000);
  }

  void Offer(uint32_t window) {
    cb_.snd_edge = cb_.snd_una + window;
    cb_.max_window = std::max(cb_.max_window, window);
  }
  uint32_t Fill() {
    const uint32_t room = SendRoom(cb_, config_);
    cb_.snd_queued += room;
    return room;
  }
  void SendAndAck(uint32_t sent, uint32_t acked) {
    cb_.snd_nxt = cb_.snd_nxt + sent;
    cb_.snd_una = cb_.snd_una + acked;
    Offer(50'000);
  }

  Config config_;
  ControlBlock cb_;
};

TEST_F(SendRoomTest, AWallUnlessAskedOtherwise) {
  config_.send_in_pieces = false;
  EXPECT_EQ(Fill(), 42'000u);
  EXPECT_EQ(Fill(), 0u);
  EXPECT_FALSE(WorthWriting(cb_, config_));
  SendAndAck(10'000, 10'000);
  EXPECT_EQ(SendRoom(cb_, config_), 10'000u);
  EXPECT_FALSE(WorthWriting(cb_, config_));
  SendAndAck(1000, 1000);
  EXPECT_TRUE(WorthWriting(cb_, config_));
}

// 10,000 leave at once; behind them, two pieces of half the window, of which
// the second was begun below the mark.
TEST_F(SendRoomTest, PiecesBehindWhatLeavesAtOnce) {
  EXPECT_EQ(Fill(), 60'000u);
  EXPECT_EQ(Fill(), 0u);
  SendAndAck(10'000, 0);
  EXPECT_EQ(Fill(), 0u);
}

TEST_F(SendRoomTest, WorthwhileFromAThirdOn) {
  Fill();
  cb_.cwnd = 60'000;
  SendAndAck(50'000, 31'999);
  EXPECT_FALSE(WorthWriting(cb_, config_));
  SendAndAck(0, 1);
  EXPECT_TRUE(WorthWriting(cb_, config_));
}

TEST_F(SendRoomTest, NeverMuchBeyondTheMark) {
  config_.send_buffer = 1000;
  for (const uint32_t window : {0u, 1u, 1500u, 100'000u, 1u << 30}) {
    for (const uint32_t cwnd : {1000u, 100'000u, 1u << 30}) {
      cb_ = ControlBlock();
      cb_.mss = 1000;
      cb_.cwnd = cwnd;
      Offer(window);
      EXPECT_GE(Fill(), 1000u);
      EXPECT_LE(Queued(cb_), 1000u + 2 * kMaxSendPiece);
      EXPECT_EQ(Fill(), 0u);
    }
  }
}

// What the room is defined as: pieces are taken one by one until a whole one
// ends at the mark or beyond.
uint32_t TakenPieceByPiece(const ControlBlock& cb, uint32_t mark) {
  const uint32_t most =
      std::clamp(cb.max_window / 2, kMinSendPiece, kMaxSendPiece);
  const uint32_t piece = most < cb.mss ? most : most - most % cb.mss;
  const uint32_t flight = cb.InFlight();
  const uint32_t window = std::min(cb.cwnd, cb.SendWindow());
  const uint32_t leaving = window > flight ? window - flight : 0;
  const uint32_t unsent = Queued(cb) > flight ? Queued(cb) - flight : 0;
  for (uint32_t room = 0;;) {
    const uint32_t waiting =
        unsent + room > leaving ? unsent + room - leaving : 0;
    const uint32_t begun = waiting % piece;
    if (begun == 0 && Queued(cb) + room >= mark) return room;
    room += piece - begun;
  }
}

TEST_F(SendRoomTest, AsIfTakenPieceByPiece) {
  std::mt19937 random(20);  // NOLINT: replays
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (int i = 0; i < 200'000; ++i) {
    cb_ = ControlBlock();
    cb_.mss = static_cast<uint16_t>(1 + below(3000));
    cb_.cwnd = below(2) == 0 ? below(20'000) : below(1'000'000);
    Offer(below(2) == 0 ? below(20'000) : below(1'000'000));
    cb_.max_window += below(100'000);
    cb_.snd_queued += below(500'000);
    cb_.snd_nxt = cb_.snd_una + below(Queued(cb_) + 1);
    config_.send_buffer = below(2) == 0 ? below(20'000) : below(1'000'000);
    ASSERT_EQ(SendRoom(cb_, config_),
              TakenPieceByPiece(cb_, config_.send_buffer))
        << "case " << i;
  }
}

}  // namespace
}  // namespace corelane::tcp
