#include "proto/tcp/send_times.h"

#include <gtest/gtest.h>

namespace corelane::tcp {
namespace {

class SendTimesTest : public testing::Test {
 protected:
  SendTimesTest() {
    cb_.mss = 1000;
    cb_.cwnd = 10'000;
    cb_.snd_edge = cb_.snd_una + 5000;
  }

  static Now At(Duration t) { return Now(kTimeZero + t); }
  void Note(Duration t) { NoteSendTimes(cb_, tx_, At(t)); }
  // In milliseconds: the grain is less.
  uint64_t Took(SendLimit limit, Duration t) {
    return (TimeWith(tx_, limit, At(t)) + 500) / 1000;
  }

  ControlBlock cb_;
  SendState tx_;
};

TEST_F(SendTimesTest, NothingToSend) {
  Note(1s);
  EXPECT_EQ(tx_.limit, SendLimit::kIdle);
  for (const auto limit :
       {SendLimit::kNone, SendLimit::kWindow, SendLimit::kBuffer}) {
    EXPECT_EQ(Took(limit, 2s), 0u);
  }
}

TEST_F(SendTimesTest, ThePeersWindowThenOurBuffer) {
  cb_.snd_queued = cb_.snd_queued + 6000;
  cb_.snd_nxt = cb_.snd_nxt + 5000;
  Note(1s);
  EXPECT_EQ(tx_.limit, SendLimit::kWindow);
  EXPECT_EQ(Took(SendLimit::kWindow, 1s + 10ms), 10u);
  // The window opens, the rest leaves, and the application wants to go on.
  cb_.snd_edge = cb_.snd_edge + 5000;
  cb_.snd_nxt = cb_.snd_queued;
  cb_.Set(kWriteBlocked);
  Note(1s + 30ms);
  EXPECT_EQ(tx_.limit, SendLimit::kBuffer);
  EXPECT_EQ(Took(SendLimit::kWindow, 2s), 30u);
  EXPECT_EQ(Took(SendLimit::kBuffer, 1s + 50ms), 20u);
  cb_.Clear(kWriteBlocked);
  Note(1s + 70ms);
  EXPECT_EQ(tx_.limit, SendLimit::kNone);
  cb_.snd_una = cb_.snd_nxt;
  Note(1s + 75ms);
  EXPECT_EQ(Took(SendLimit::kNone, 2s), 5u);
  EXPECT_EQ(Took(SendLimit::kBuffer, 2s), 40u);
}

TEST_F(SendTimesTest, TheCongestionWindowComesFirst) {
  cb_.cwnd = 5000;
  cb_.snd_queued = cb_.snd_queued + 6000;
  cb_.snd_nxt = cb_.snd_nxt + 5000;
  Note(1s);
  EXPECT_EQ(tx_.limit, SendLimit::kNone);
}

}  // namespace
}  // namespace corelane::tcp
