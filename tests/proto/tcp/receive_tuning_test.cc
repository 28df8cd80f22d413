#include "proto/tcp/receive_tuning.h"

#include <gtest/gtest.h>

namespace corelane::tcp {
namespace {

class ReceiveTuning : public ::testing::Test {
 protected:
  ReceiveTuning() {
    config_.receive_buffer = 1 << 20;
    cb_.rcv_nxt = SeqNum(0xffffff00);
    cb_.mss = 1460;
    cb_.srtt_us = 8 * 10'000;
    StartReceiveTuning(cb_, Now(now_));
  }

  // The application has read all of `bytes` that arrived within `time`.
  uint32_t Read(uint32_t bytes, Duration time, uint32_t unread = 0,
                bool may_grow = true) {
    now_ += time;
    cb_.rcv_nxt += bytes;
    TuneReceiveSpace(cb_, unread, may_grow, {config_, counters_, Now(now_)});
    return ReceiveLimit(cb_, config_);
  }

  Config config_;
  Counters counters_;
  ControlBlock cb_;
  Time now_ = kTimeZero + 1s;
};

TEST_F(ReceiveTuning, BeginsModestly) {
  EXPECT_EQ(ReceiveLimit(cb_, config_), 64u * 1024);
  cb_.mss = 8960;
  StartReceiveTuning(cb_, Now(now_));
  EXPECT_EQ(ReceiveLimit(cb_, config_), 89'600u);
  config_.receive_buffer = 4096;
  EXPECT_EQ(ReceiveLimit(cb_, config_), 4096u);
  config_.autotune_receive = false;
  config_.receive_buffer = 1 << 20;
  EXPECT_EQ(ReceiveLimit(cb_, config_), 1u << 20);
}

TEST_F(ReceiveTuning, DoublesWhileUsed) {
  EXPECT_EQ(Read(60'000, 10ms), 128u * 1024);
  EXPECT_EQ(Read(60'000, 10ms), 128u * 1024);  // less than half
  EXPECT_EQ(Read(70'000, 10ms), 256u * 1024);
  EXPECT_EQ(Read(200'000, 10ms), 512u * 1024);
  EXPECT_EQ(Read(400'000, 10ms), 1024u * 1024);
  EXPECT_EQ(Read(1'000'000, 10ms), 1024u * 1024);
}

TEST_F(ReceiveTuning, WaitsForARoundTrip) {
  EXPECT_EQ(Read(60'000, 9ms), 64u * 1024);
  EXPECT_EQ(Read(0, 1ms), 128u * 1024);
}

TEST_F(ReceiveTuning, SlowReadersNeedNoMore) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Read(60'000, 20ms), 64u * 1024);
}

TEST_F(ReceiveTuning, WhatIsUnreadDoesNotCount) {
  EXPECT_EQ(Read(60'000, 10ms, /*unread=*/50'000), 64u * 1024);
  EXPECT_EQ(Read(0, 10ms, /*unread=*/0), 128u * 1024);
}

TEST_F(ReceiveTuning, NotWhileMemoryIsShort) {
  EXPECT_EQ(Read(60'000, 10ms, 0, /*may_grow=*/false), 64u * 1024);
  EXPECT_EQ(Read(60'000, 10ms, 0, /*may_grow=*/true), 128u * 1024);
}

}  // namespace
}  // namespace corelane::tcp
