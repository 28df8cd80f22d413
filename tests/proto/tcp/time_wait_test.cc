#include "proto/tcp/time_wait.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace corelane::tcp {
namespace {

using Verdict = TimeWaitVerdict;

class TimeWaitTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    record.rcv_nxt = SeqNum(GetParam());
    record.snd_nxt = SeqNum(GetParam() + 77);
    record.window = 500;
  }
  Verdict On(uint8_t flags, int32_t offset, uint16_t length = 0) {
    Segment segment;
    segment.seq = record.rcv_nxt + static_cast<uint32_t>(offset);
    segment.ack = record.snd_nxt;
    segment.offset_and_flags = static_cast<uint16_t>(0x5000 | flags);
    segment.header_length = kHeaderLength;
    segment.payload_length = length;
    std::array<uint8_t, kMaxOptionsLength> options{};
    segment.options = options.data();
    if (with_ts) {
      SynOptions o;
      o.has_timestamps = true;
      o.ts_value = *with_ts;
      segment.header_length = static_cast<uint16_t>(
          kHeaderLength + WriteSynOptions(options.data(), o));
    }
    // By default long after the last one: some answers are limited.
    if (!same_time) now += 1s;
    return OnTimeWaitSegment(record, segment, At(now));
  }
  Context At(Duration d) { return {config, counters, Now(kTimeZero + d)}; }

  TimeWait record;
  Config config;
  Counters counters;
  Duration now = 0s;
  bool same_time = false;
  std::optional<uint32_t> with_ts;
};
INSTANTIATE_TEST_SUITE_P(Wrap, TimeWaitTest,
                         ::testing::Values(1000u, 0u, 0xffffffffu,
                                           0x80000000u));

// RFC 1337: assassination.
TEST_P(TimeWaitTest, ResetsAreIgnored) {
  for (int32_t offset : {-1, 0, 1, 1000}) {
    EXPECT_EQ(On(kRst, offset), Verdict::kIgnore);
    EXPECT_EQ(On(kRst | kAck, offset), Verdict::kIgnore);
    EXPECT_EQ(On(kRst | kSyn, offset), Verdict::kIgnore);
  }
}

TEST_P(TimeWaitTest, OnlyTheFinItselfRestarts) {
  EXPECT_EQ(On(kFin | kAck, -1), Verdict::kAck);
  EXPECT_EQ(On(kFin | kAck, -101, 100), Verdict::kAck);
  EXPECT_EQ(On(kFin | kAck, 0), Verdict::kAckOnly);
  EXPECT_EQ(On(kFin | kAck, -2), Verdict::kAckOnly);
  EXPECT_EQ(On(kFin | kAck, 100'000), Verdict::kAckOnly);
}

// RFC 1122 section 4.2.2.13.
TEST_P(TimeWaitTest, NewerSynTakesOver) {
  EXPECT_EQ(On(kSyn, 1), Verdict::kReopen);
  EXPECT_EQ(On(kSyn, 1 << 30), Verdict::kReopen);
  EXPECT_EQ(On(kSyn, 0), Verdict::kAckOnly);
  EXPECT_EQ(On(kSyn, -1), Verdict::kAckOnly);
  EXPECT_EQ(On(kSyn, -(1 << 30)), Verdict::kAckOnly);
  EXPECT_EQ(On(kSyn | kAck, 1), Verdict::kAckOnly);
}

TEST_P(TimeWaitTest, OldDataIsAnsweredBareAcksAreNot) {
  EXPECT_EQ(On(kAck, -100, 100), Verdict::kAckOnly);
  EXPECT_EQ(On(kAck, 0, 100), Verdict::kAckOnly);
  EXPECT_EQ(On(kAck, 0), Verdict::kIgnore);
  EXPECT_EQ(On(kAck, -5), Verdict::kIgnore);
}

TEST_P(TimeWaitTest, Ack) {
  const SegmentSpec ack = TimeWaitAck(record, Now());
  EXPECT_EQ(ack.seq, record.snd_nxt);
  EXPECT_EQ(ack.ack, record.rcv_nxt);
  EXPECT_EQ(ack.flags, kAck);
  EXPECT_EQ(ack.window, 500);
  EXPECT_FALSE(ack.has_timestamps);
  record.timestamps = true;
  record.ts_recent = 3;
  record.ts_offset = 100;
  const SegmentSpec stamped = TimeWaitAck(record, At(7ms).now);
  EXPECT_TRUE(stamped.has_timestamps);
  EXPECT_EQ(stamped.ts_value, 107u);
  EXPECT_EQ(stamped.ts_echo, 3u);
}

TEST_P(TimeWaitTest, AnswersToStrangersAreTwoPerSecond) {
  EXPECT_EQ(On(kSyn, 0), Verdict::kAckOnly);
  same_time = true;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(On(kSyn, 0), Verdict::kIgnore);
    EXPECT_EQ(On(kAck, 0, 100), Verdict::kIgnore);
    EXPECT_EQ(On(kFin | kAck, -1), Verdict::kAck);  // not to the peer's FIN
  }
  now += 510ms;
  EXPECT_EQ(On(kAck, 0, 100), Verdict::kAckOnly);
}

// RFC 6191.
TEST_P(TimeWaitTest, LaterTimestampTakesOver) {
  record.timestamps = true;
  record.ts_recent = GetParam();
  for (int32_t offset : {-(1 << 30), -1, 0, 1, 1 << 30}) {
    with_ts = GetParam() + 1;
    EXPECT_EQ(On(kSyn, offset), Verdict::kReopen);
    EXPECT_EQ(On(kSyn | kAck, offset), Verdict::kAckOnly);
    with_ts = GetParam() - 1;
    EXPECT_EQ(On(kSyn, offset), Verdict::kAckOnly);
    // The same: then the sequence number decides, as it does without any.
    with_ts = GetParam();
    EXPECT_EQ(On(kSyn, offset),
              offset > 0 ? Verdict::kReopen : Verdict::kAckOnly);
    with_ts.reset();
    EXPECT_EQ(On(kSyn, offset),
              offset > 0 ? Verdict::kReopen : Verdict::kAckOnly);
  }
  // If there will be no timestamps, they cannot tell the two apart.
  config.timestamps = false;
  with_ts = GetParam() + 1;
  EXPECT_EQ(On(kSyn, -1), Verdict::kAckOnly);
}

TEST_P(TimeWaitTest, Paws) {
  record.timestamps = true;
  record.ts_recent = GetParam();
  with_ts = GetParam() - 1;
  EXPECT_EQ(On(kFin | kAck, -1), Verdict::kAckOnly);  // does not restart
  EXPECT_EQ(On(kAck, 0), Verdict::kIgnore);
  EXPECT_EQ(On(kRst, 0), Verdict::kIgnore);
  EXPECT_EQ(record.ts_recent, GetParam());
  with_ts = GetParam() + 9;
  EXPECT_EQ(On(kAck, 10, 100), Verdict::kAckOnly);  // not the peer's
  EXPECT_EQ(record.ts_recent, GetParam());
  EXPECT_EQ(On(kFin | kAck, -1), Verdict::kAck);
  EXPECT_EQ(record.ts_recent, GetParam() + 9);
}

TEST_P(TimeWaitTest, WeMayTakeOverASecondLater) {
  record.expires = At(100s).now.tick + ToTicks(config.time_wait);
  EXPECT_FALSE(MayTakeOver(record, At(110s)));
  record.timestamps = true;
  EXPECT_FALSE(MayTakeOver(record, At(100s)));
  EXPECT_FALSE(MayTakeOver(record, At(100s + 900ms)));
  EXPECT_TRUE(MayTakeOver(record, At(101s + 1ms)));
  EXPECT_TRUE(MayTakeOver(record, At(159s)));
  config.timestamps = false;
  EXPECT_FALSE(MayTakeOver(record, At(110s)));
}

TEST_P(TimeWaitTest, SuccessorBeginsPastEverythingSent) {
  EXPECT_EQ(SuccessorSequence(record, record.snd_nxt + 9), record.snd_nxt + 9);
  EXPECT_EQ(SuccessorSequence(record, record.snd_nxt), record.snd_nxt + 1);
  EXPECT_EQ(SuccessorSequence(record, record.snd_nxt - 9), record.snd_nxt + 1);
}

TEST(TimeWait, TakesOverFromTheControlBlock) {
  Config config;
  Counters counters;
  ControlBlock cb;
  cb.key = {1, 2, 3, 4};
  cb.window_scales = 3 << 4;
  cb.rcv_nxt = SeqNum(10);
  cb.rcv_edge = SeqNum(10 + 80'000);
  cb.snd_nxt = SeqNum(7);
  cb.Set(kTimestamps);
  cb.ts_recent = 8;
  cb.ts_offset = 9;
  const Context ctx{config, counters, Now(kTimeZero + 5s)};
  TimeWait record;
  EnterTimeWait(record, cb, ctx);
  EXPECT_EQ(record.key, cb.key);
  EXPECT_EQ(record.snd_nxt, SeqNum(7));
  EXPECT_EQ(record.rcv_nxt, SeqNum(10));
  EXPECT_EQ(record.window, 10'000);
  EXPECT_TRUE(record.timestamps);
  EXPECT_EQ(record.ts_recent, 8u);
  EXPECT_EQ(record.ts_offset, 9u);
  EXPECT_EQ(record.expires - ctx.now.tick, ToTicks(60s));
}

}  // namespace
}  // namespace corelane::tcp
