// Receiving: order, delayed ACKs, the window that we offer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReceiveTest : public ConnectionTest {
 protected:
  void SetUp() override { h.Connect(); }
  IngestResult Data(int64_t seq, int length) {
    return h.Receive("P. " + std::to_string(seq) + '(' +
                     std::to_string(length) + ") ack 1");
  }
};
INSTANTIATE_TEST_SUITE_P(Origins, ReceiveTest, ::testing::Range(0, 4));

TEST_P(ReceiveTest, OneSegmentIsAcknowledgedWithinTheDelay) {
  Data(1, 1000);
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Advance(1s);
  EXPECT_THAT(h.SentAt(), ElementsAre(40));
}

TEST_P(ReceiveTest, EverySecondSegmentAtOnce) {
  for (int i = 0; i < 6; ++i) Data(1 + 1000 * i, 1000);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 2001", ". 1(0) ack 4001",
                                    ". 1(0) ack 6001"));
}

TEST_P(ReceiveTest, OneAckForABurst) {
  for (int i = 0; i < 6; ++i) {
    h.IngestOnly(". " + std::to_string(1 + 1000 * i) + "(1000) ack 1");
  }
  h.Pump();
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 6001"));
}

TEST_P(ReceiveTest, DataCarriesTheAck) {
  Data(1, 1000);
  h.Write(10);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 1001"));
  h.Receive(". 1001(0) ack 11");
  h.Advance(10s);
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(ReceiveTest, EarlyDataIsAcknowledgedAtOnce) {
  ConnectionHarness fresh(kOrigins[GetParam()]);
  fresh.Accept();
  fresh.Receive("P. 1(100) ack 1");
  EXPECT_THAT(fresh.Sent(), ElementsAre(". 1(0) ack 101"));
}

TEST_P(ReceiveTest, GapEarnsDuplicateAcksAndFillingItOne) {
  EXPECT_EQ(Data(1001, 1000).placement, Placement::kPark);
  EXPECT_EQ(Data(2001, 1000).placement, Placement::kPark);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 1", ". 1(0) ack 1"));
  EXPECT_EQ(Data(1, 1000).placement, Placement::kDeliver);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 3001"));
  EXPECT_EQ(h.receiver.delivered(), 3000u);
  EXPECT_NE(h.cb.predicted, 0);
}

TEST_P(ReceiveTest, OverlapsAreTrimmed) {
  Data(1, 1000);
  const IngestResult overlap = Data(501, 1000);
  EXPECT_EQ(overlap.placement, Placement::kDeliver);
  EXPECT_EQ(overlap.payload_offset, 500);
  EXPECT_EQ(overlap.length, 500);
  Data(2001, 500);
  Data(1400, 1500);
  EXPECT_EQ(h.receiver.delivered(), 2899u);
}

TEST_P(ReceiveTest, BytesBeyondTheWindowAreCut) {
  h.config.receive_buffer = 2000;
  ConnectionHarness small(kOrigins[GetParam()], h.config);
  small.auto_read = false;
  small.Connect();
  const IngestResult result = small.Receive("P. 1(2500) ack 1");
  EXPECT_EQ(result.length, 2000);
  EXPECT_THAT(small.Sent(), ElementsAre(". 1(0) ack 2001"));
  EXPECT_EQ(small.cb.ReceiveWindow(), 0u);
  // Probes are answered, not taken.
  EXPECT_EQ(small.Receive(". 2001(1) ack 1").placement, Placement::kNone);
  EXPECT_THAT(small.Sent(), ElementsAre(". 1(0) ack 2001"));
  // And their ACKs count.
  small.Write(100);
  small.Receive(". 2001(1) ack 101");
  EXPECT_EQ(small.acked, 100u);
}

TEST_P(ReceiveTest, RepeatedDataIsAcknowledgedAtOnce) {
  Data(1, 1000);
  Data(1001, 1000);
  h.Sent();
  Data(1, 1000);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(0) ack 2001"));
}

TEST_P(ReceiveTest, WindowUpdateWhenTheApplicationReads) {
  h.auto_read = false;
  for (int i = 0; i < 60; ++i) Data(1 + 1000 * i, 1000);
  EXPECT_EQ(h.cb.ReceiveWindow(), 0u);
  h.Sent();
  h.Read(500);  // not worth telling
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Read(500);
  const std::vector<SentSegment> sent = h.SentSegments();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].text, ". 1(0) ack 60001");
  EXPECT_EQ(sent[0].spec.window, 1000);
}

// The edge must not be walked past the buffer, however small the steps and
// whatever the scale rounds.
TEST_P(ReceiveTest, SingleBytesDoNotWalkTheWindow) {
  Config config = TestConfig();
  config.receive_buffer = 1 << 20;  // scale 5
  ConnectionHarness big(kOrigins[GetParam()], config);
  big.peer_options.window_scale = 0;
  big.auto_read = false;
  big.Connect();
  for (int i = 0; i < 20; ++i) {
    big.Receive("P. " + std::to_string(1 + 50'000 * i) + "(50000) ack 1");
  }
  for (int64_t i = 1'000'001; i < 1'100'000; ++i) {
    big.IngestOnly("P. " + std::to_string(i) + "(1) ack 1");
    big.Pump();
    if (big.cb.ReceiveWindow() == 0) break;
  }
  EXPECT_LE(big.receiver.unread(), config.receive_buffer);
  EXPECT_EQ(big.cb.ReceiveWindow(), 0u);
}

// SegmentSmack (CVE-2018-5390): every second byte.
TEST_P(ReceiveTest, ManyGapsAreBounded) {
  for (int i = 0; i < 20'000; ++i) Data(2 + 2 * i, 1);
  EXPECT_EQ(h.holes.ranges.size(), RangeSet::kCapacity);
  Data(1, 1);
  EXPECT_EQ(h.receiver.delivered(), 2u);
  Data(3, 39'999);
  EXPECT_EQ(h.receiver.delivered(), 40'001u);
}

TEST_P(ReceiveTest, WithoutMemoryForGapsNothingIsParked) {
  IngestResult result = h.IngestOnly("P. 1001(10) ack 1");
  ControlBlock copy = h.cb;
  h.holes = ReceiveHoles{};
  Segment segment;
  segment.seq = copy.irs + 1 + 2000;
  segment.ack = copy.snd_una;
  segment.window = h.peer_window;
  segment.payload_length = 10;
  segment.header_length = kHeaderLength;
  segment.offset_and_flags = kPredictedWord;
  result = Ingest(copy, segment, {h.Tx(), nullptr}, h.Context());
  EXPECT_EQ(result.placement, Placement::kNone);
  EXPECT_GT(copy.acks_owed, 0);
}

}  // namespace
}  // namespace corelane::tcp
