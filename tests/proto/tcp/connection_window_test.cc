// Flow control: zero windows and probes, shrinking windows, silly windows,
// Nagle (RFC 9293 sections 3.7.4 and 3.8.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WindowTest : public ConnectionTest {
 protected:
  void SetUp() override {
    h.rtt = 100ms;  // RTO 300 ms
    h.Connect();
  }
  // The window is closed with everything acknowledged, and 5000 bytes wait.
  void CloseWindow() {
    h.Write(2000);
    h.Receive(". 1(0) ack 2001 win 0");
    rto_ = h.cb.rto_us;
    h.Sent();
    h.Mark();
    h.Write(5000);
    ASSERT_THAT(h.Sent(), IsEmpty());
  }
  uint32_t rto_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Origins, WindowTest, ::testing::Range(0, 4));

TEST_P(WindowTest, ProbesComeAtGrowingIntervals) {
  CloseWindow();
  h.Advance(100s);
  const std::vector<SentSegment> probes = h.SentSegments();
  ASSERT_GE(probes.size(), 8u);
  Duration interval = probes[0].at;
  EXPECT_NEAR(interval / 1us, rto_, 200);
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i].text, ". 2001(1) ack 1");
    if (i == 0) continue;
    const Duration next = probes[i].at - probes[i - 1].at;
    EXPECT_NEAR(next / 1ms, std::min(2 * interval, Duration(60s)) / 1ms, 1);
    interval = next;
  }
}

// RFC 9293 section 3.8.6.1: as long as the peer answers.
TEST_P(WindowTest, ProbingNeverEndsWhileThePeerAnswers) {
  CloseWindow();
  for (int i = 0; i < 600; ++i) {
    h.Advance(61s);
    h.Receive(". 1(0) ack 2001 win 0");
  }
  EXPECT_FALSE(h.aborted);
  EXPECT_GE(h.Sent().size(), 600u);
  h.Receive(". 1(0) ack 2001");
  EXPECT_THAT(h.Sent().size(), 5u);
}

TEST_P(WindowTest, ProbingEndsWhenThePeerIsSilent) {
  CloseWindow();
  h.Advance(20min);
  EXPECT_TRUE(h.aborted);
  EXPECT_EQ(h.cb.error, Error::kTimedOut);
}

// CVE-2008-4609: nobody waits for it any more.
TEST_P(WindowTest, ProbingForAnOrphanEndsEvenSo) {
  CloseWindow();
  Release(h.cb, h.Context());
  h.Pump();
  for (int i = 0; i < 600 && !h.aborted; ++i) {
    h.Advance(5s);
    h.Receive(". 1(0) ack 2001 win 0");
  }
  EXPECT_TRUE(h.aborted);
}

TEST_P(WindowTest, OpeningEndsTheBackOff) {
  CloseWindow();
  for (int i = 0; i < 5; ++i) {
    h.Advance(30s);
    h.Receive(". 1(0) ack 2001 win 0");
  }
  EXPECT_GT(h.cb.rto_us, 5'000'000u);
  h.Sent();
  h.Receive(". 1(0) ack 2001 win 60000");
  EXPECT_EQ(h.cb.rto_us, rto_);
  EXPECT_THAT(h.Sent(), ElementsAre(". 2001(1000) ack 1", ". 3001(1000) ack 1",
                                    ". 4001(1000) ack 1", ". 5001(1000) ack 1",
                                    "P. 6001(1000) ack 1"));
}

TEST_P(WindowTest, ProbeThatThePeerTook) {
  CloseWindow();
  h.Advance(500ms);
  h.Receive(". 1(0) ack 2002 win 0");
  h.Sent();
  // The byte's round trip counts, as that of any other: it was sent once.
  h.Advance(Duration((h.cb.rto_us + 1000) * 1us));
  EXPECT_THAT(h.Sent(), ElementsAre(". 2002(1) ack 1"));
}

// Our ACKs must lie where the peer's closed window is, not after the byte that
// it refused.
TEST_P(WindowTest, AcksWhileProbing) {
  CloseWindow();
  h.Advance(500ms);
  h.Sent();
  h.Receive(". 1(1000) ack 2001 win 0");
  h.Receive("P. 1001(1000) ack 2001 win 0");
  EXPECT_THAT(h.Sent(), ElementsAre(". 2001(0) ack 2001"));
}

// A window that opens by less than is worth sending, after a probe: the update
// that would open it further may be lost.
TEST_P(WindowTest, SillyWindowAfterAProbe) {
  CloseWindow();
  h.Advance(500ms);
  h.Sent();
  h.Receive(". 1(0) ack 2001 win 10");
  h.Mark();
  h.Advance(10s);
  EXPECT_FALSE(h.Sent().empty());
}

TEST_P(WindowTest, SillyWindowIsWaitedOutButNotForEver) {
  h.Write(2000);
  h.Receive(". 1(0) ack 2001 win 300");
  h.Sent();
  h.Mark();
  h.Write(5000);
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Advance(1s);  // RFC 9293 section 3.8.6.2.1 (4)
  EXPECT_FALSE(h.Sent().empty());
  h.Receive(". 1(0) ack 2301 win 700");
  EXPECT_THAT(h.Sent(), IsEmpty());
  h.Receive(". 1(0) ack 2301 win 1000");
  EXPECT_THAT(h.Sent(), ElementsAre(". 2301(1000) ack 1"));
}

TEST_P(WindowTest, HalfTheLargestWindowIsNotSilly) {
  ConnectionHarness small(kOrigins[GetParam()]);
  small.peer_window = 400;
  small.Connect();
  small.Write(2000);
  EXPECT_THAT(small.Sent(), ElementsAre(". 1(400) ack 1"));
  small.Receive(". 1(0) ack 401 win 199");
  EXPECT_THAT(small.Sent(), IsEmpty());
  small.Receive(". 1(0) ack 401 win 200");
  EXPECT_THAT(small.Sent(), ElementsAre(". 401(200) ack 1"));
}

TEST_P(WindowTest, ShrinkingToNothingProbes) {
  h.Write(5000);
  h.Sent();
  h.Receive(". 1(0) ack 1001 win 0");
  h.Mark();
  for (int i = 0; i < 100; ++i) {
    h.Advance(61s);
    h.Receive(". 1(0) ack 1001 win 0");
  }
  EXPECT_FALSE(h.aborted);
  h.Sent();
  h.Receive(". 1(0) ack 1001 win 60000");
  h.Receive(". 1(0) ack 5001 win 60000");
  EXPECT_EQ(h.acked, 5000u);
}

// Silly window avoidance must not silence retransmissions.
TEST_P(WindowTest, ShrinkingToALittleResendsALittle) {
  h.Write(5000);
  h.Sent();
  h.Receive(". 1(0) ack 1001 win 10");
  h.Advance(10s);
  ASSERT_FALSE(h.aborted);
  const std::vector<std::string> sent = h.Sent();
  ASSERT_GE(sent.size(), 3u);
  for (const std::string& s : sent) EXPECT_EQ(s, ". 1001(10) ack 1");
  h.Receive(". 1(0) ack 1011 win 60000");
  h.Receive(". 1(0) ack 5001 win 60000");
  EXPECT_EQ(h.acked, 5000u);
}

TEST_P(WindowTest, NothingBeyondTheWindow) {
  h.Receive(". 1(0) ack 1 win 2500");
  h.Write(9000);
  EXPECT_THAT(h.Sent(), ElementsAre(". 1(1000) ack 1", ". 1001(1000) ack 1"));
  h.Receive(". 1(0) ack 1001 win 2500");
  EXPECT_THAT(h.Sent(), ElementsAre(". 2001(1000) ack 1"));
}

// RFC 9293 section 3.10.7.4: SND.WL1 and SND.WL2.
TEST_P(WindowTest, OldSegmentsDoNotMoveTheWindow) {
  h.Receive("P. 1(100) ack 1 win 5000");
  h.Receive(". 101(0) ack 1 win 4000");
  EXPECT_EQ(h.cb.SendWindow(), 4000u);
  h.Receive("P. 51(100) ack 1 win 5000");  // by its number, from before that
  EXPECT_EQ(h.cb.SendWindow(), 4000u);
}

// But what acknowledges new data is new, even on a retransmission.
TEST_P(WindowTest, AckOfNewDataMovesTheWindow) {
  h.Write(5000);
  h.Receive(". 2001(1000) ack 1 win 5000");  // ahead of a gap
  h.Receive(". 1(1000) ack 3001 win 9000");
  EXPECT_EQ(h.cb.SendWindow(), 9000u);
}

TEST_P(WindowTest, FinNeedsWindowOrAProbe) {
  h.Write(2000);
  h.Receive(". 1(0) ack 2001 win 0");
  h.Close();
  h.Sent();
  h.Mark();
  h.Advance(1s);
  const std::vector<std::string> sent = h.Sent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0], "F. 2001(0) ack 1");
  h.Receive(". 1(0) ack 2002 win 0");
  EXPECT_EQ(h.state(), State::kFinWait2);
}

TEST_P(WindowTest, FinRefusedByAClosedWindowIsSentAgain) {
  h.Write(2000);
  h.Receive(". 1(0) ack 2001 win 0");
  h.Close();
  h.Advance(1s);
  h.Sent();
  h.Receive(". 1(0) ack 2001 win 1000");
  EXPECT_THAT(h.Sent(), ElementsAre("F. 2001(0) ack 1"));
}

TEST_P(WindowTest, NagleHoldsTheSecondSmallSegment) {
  h.Write(10);
  h.Write(10);
  h.Write(10);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 1"));
  h.Receive(". 1(0) ack 11");
  EXPECT_THAT(h.Sent(), ElementsAre("P. 11(20) ack 1"));
}

TEST_P(WindowTest, NagleLetsFullSegmentsGo) {
  h.Write(10);
  h.Write(1500);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 1", ". 11(1000) ack 1"));
}

TEST_P(WindowTest, NoDelay) {
  h.cb.Set(kNoDelay);
  h.Write(10);
  h.Write(20);
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 1", "P. 11(20) ack 1"));
}

TEST_P(WindowTest, CloseOverridesNagle) {
  h.Write(10);
  h.Write(10);
  h.Close();
  EXPECT_THAT(h.Sent(), ElementsAre("P. 1(10) ack 1", "FP. 11(10) ack 1"));
}

}  // namespace
}  // namespace corelane::tcp
