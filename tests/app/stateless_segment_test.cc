// What answers a segment, from that segment alone.
#include "dataplane/load/stateless_segment.h"

#include <string>

#include "gtest/gtest.h"
#include "proto/base/rng.h"

namespace corelane::dataplane {
namespace {

using Answer = StatelessAnswer;
using Event = StatelessAnswer::Event;
using Kind = StatelessRules::Kind;
using Payload = StatelessAnswer::Payload;

constexpr SeqNum kIsn(0xfffffff0);
constexpr SeqNum kServer(5000);
constexpr uint32_t kDue = 1234567;

class StatelessSegmentTest : public ::testing::Test {
 protected:
  Answer Ask(uint8_t flags, SeqNum seq, SeqNum ack,
             const std::string& payload = "", bool timestamps = true,
             uint32_t echo = kDue) {
    tcp::Segment segment;
    segment.seq = seq;
    segment.ack = ack;
    segment.offset_and_flags = flags;
    segment.header_length = tcp::kHeaderLength;
    segment.payload_length = static_cast<uint16_t>(payload.size());
    tcp::Options options;
    options.has_timestamps = timestamps;
    options.ts_value = 77;
    options.ts_echo = timestamps ? echo : 0;
    return AnswerTo(
        segment,
        {reinterpret_cast<const uint8_t*>(payload.data()), payload.size()},
        options, kIsn, rules_);
  }
  SeqNum End() const {
    return kIsn + 1 + static_cast<uint32_t>(rules_.request.size());
  }
  static void ExpectSegment(const Answer& a, uint8_t flags, SeqNum seq,
                            SeqNum ack) {
    EXPECT_EQ(a.flags, flags);
    EXPECT_EQ(a.seq, seq);
    EXPECT_EQ(a.ack, ack);
    EXPECT_TRUE(a.has_timestamps);
    EXPECT_EQ(a.ts_echo, 77u);
  }

  StatelessRules rules_{Kind::kHttp, "GET / HTTP/1.1\r\n\r\n", 200};
};

TEST_F(StatelessSegmentTest, HttpFromSynAckToTheEnd) {
  Answer a = Ask(tcp::kSyn | tcp::kAck, kServer, kIsn + 1);
  EXPECT_EQ(a.event, Event::kOpened);
  EXPECT_TRUE(a.request);
  ExpectSegment(a, tcp::kAck | tcp::kPsh, kIsn + 1, kServer + 1);
  EXPECT_EQ(a.ts_value, kDue);

  a = Ask(tcp::kAck, kServer + 1, End());  // it has the request
  EXPECT_EQ(a.event, Event::kNone);
  EXPECT_EQ(a.flags, 0);

  a = Ask(tcp::kAck, kServer + 1, End(), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(a.payload, Payload::kRight);
  EXPECT_FALSE(a.request);
  ExpectSegment(a, tcp::kAck, End(), kServer + 18);
  EXPECT_EQ(a.ts_value, kDue);

  a = Ask(tcp::kAck, kServer + 18, End(), "the rest");
  EXPECT_EQ(a.payload, Payload::kOther);
  ExpectSegment(a, tcp::kAck, End(), kServer + 26);

  a = Ask(tcp::kAck | tcp::kFin, kServer + 26, End());
  EXPECT_EQ(a.event, Event::kNone);
  ExpectSegment(a, tcp::kAck | tcp::kFin, End(), kServer + 27);

  a = Ask(tcp::kAck, kServer + 27, End() + 1);
  EXPECT_EQ(a.event, Event::kFinished);
  EXPECT_EQ(a.flags, 0);
}

TEST_F(StatelessSegmentTest, AnswerAndFinInOneSegment) {
  const Answer a =
      Ask(tcp::kAck | tcp::kFin, kServer + 1, End(), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(a.payload, Payload::kRight);
  ExpectSegment(a, tcp::kAck | tcp::kFin, End(), kServer + 19);
}

TEST_F(StatelessSegmentTest, ServerClosesBeforeItHasTheRequest) {
  const Answer a = Ask(tcp::kAck | tcp::kFin, kServer + 1, kIsn + 1);
  ExpectSegment(a, tcp::kAck | tcp::kFin, End(), kServer + 2);
  EXPECT_EQ(a.payload, Payload::kNone);
}

TEST_F(StatelessSegmentTest, OtherAnswers) {
  auto payload = [&](const std::string& text) {
    return Ask(tcp::kAck, kServer + 1, End(), text).payload;
  };
  EXPECT_EQ(payload("HTTP/1.1 404 Not Found\r\n"), Payload::kWrong);
  EXPECT_EQ(payload("HTTP/1.0 200 OK\r\n"), Payload::kRight);
  EXPECT_EQ(payload("HTTP/1.1 200"), Payload::kRight);
  EXPECT_EQ(payload("HTTP/1.1 20"), Payload::kOther);
  EXPECT_EQ(payload("HTTP/1.1 1:0"), Payload::kWrong);
  EXPECT_EQ(payload("SSH-2.0-whoever"), Payload::kOther);
}

TEST_F(StatelessSegmentTest, EchoIsClosedByUs) {
  rules_ = {Kind::kEcho, "hello", 0};
  Answer a = Ask(tcp::kSyn | tcp::kAck, kServer, kIsn + 1);
  EXPECT_TRUE(a.request);
  a = Ask(tcp::kAck, kServer + 1, End(), "hello");
  EXPECT_EQ(a.payload, Payload::kRight);
  ExpectSegment(a, tcp::kAck | tcp::kFin, End(), kServer + 6);
  a = Ask(tcp::kAck, kServer + 6, End() + 1);
  EXPECT_EQ(a.event, Event::kNone);
  EXPECT_EQ(a.flags, 0);
  a = Ask(tcp::kAck | tcp::kFin, kServer + 6, End() + 1);
  EXPECT_EQ(a.event, Event::kFinished);
  ExpectSegment(a, tcp::kAck, End() + 1, kServer + 7);
  EXPECT_EQ(Ask(tcp::kAck, kServer + 1, End(), "hellO").payload,
            Payload::kWrong);
  EXPECT_EQ(Ask(tcp::kAck, kServer + 1, End(), "hell").payload,
            Payload::kWrong);
}

TEST_F(StatelessSegmentTest, Resets) {
  // In answer to the SYN; later; and in answer to an ACK of ours.
  EXPECT_EQ(Ask(tcp::kRst | tcp::kAck, SeqNum(0), kIsn + 1).event,
            Event::kRefused);
  EXPECT_EQ(Ask(tcp::kRst | tcp::kAck, kServer + 1, End()).event,
            Event::kReset);
  EXPECT_EQ(Ask(tcp::kRst, End(), SeqNum(0)).event, Event::kReset);
  EXPECT_EQ(Ask(tcp::kRst | tcp::kAck, kServer + 1, End() + 2).event,
            Event::kForeign);
}

TEST_F(StatelessSegmentTest, WithoutTimestampsTheAnswerHasNone) {
  const Answer a =
      Ask(tcp::kSyn | tcp::kAck, kServer, kIsn + 1, "", /*timestamps=*/false);
  EXPECT_EQ(a.event, Event::kOpened);
  EXPECT_FALSE(a.has_timestamps);
}

TEST_F(StatelessSegmentTest, KeepAliveProbesAreKnownByTheMark) {
  rules_ = {Kind::kHold, "", 0};
  for (const uint32_t due : {0u, 5000u, 5001u, 0xffffffffu, 1u << 20}) {
    Answer a = Ask(tcp::kSyn | tcp::kAck, kServer, kIsn + 1, "", true, due);
    EXPECT_FALSE(a.request);
    ExpectSegment(a, tcp::kAck, kIsn + 1, kServer + 1);
    const uint32_t mark = a.ts_value;
    EXPECT_LT(mark - due, 1u << 16);  // not back in time
    // What is no probe is not answered, lest two answer each other for ever.
    EXPECT_EQ(Ask(tcp::kAck, kServer + 1, kIsn + 1, "", true, mark).flags, 0);
    EXPECT_EQ(Ask(tcp::kAck, kServer - 1, kIsn + 1, "", true, mark).flags, 0);
    a = Ask(tcp::kAck, kServer, kIsn + 1, "", true, mark);
    ExpectSegment(a, tcp::kAck, kIsn + 1, kServer + 1);
    EXPECT_EQ(a.ts_value, mark);
    // One with a byte of garbage, as old stacks send it.
    a = Ask(tcp::kAck, kServer, kIsn + 1, "x", true, mark);
    ExpectSegment(a, tcp::kAck, kIsn + 1, kServer + 1);
    EXPECT_EQ(a.ts_value, mark);
    // Data moves the mark on, and probes with it.
    a = Ask(tcp::kAck, kServer + 1, kIsn + 1, "welcome", true, mark);
    ExpectSegment(a, tcp::kAck, kIsn + 1, kServer + 8);
    EXPECT_EQ(a.ts_value, mark + 7);
    a = Ask(tcp::kAck, kServer + 7, kIsn + 1, "", true, mark + 7);
    ExpectSegment(a, tcp::kAck, kIsn + 1, kServer + 8);
    EXPECT_EQ(a.ts_value, mark + 7);
  }
  Answer a = Ask(tcp::kAck | tcp::kFin, kServer + 1, kIsn + 1);
  ExpectSegment(a, tcp::kAck | tcp::kFin, kIsn + 1, kServer + 2);
  EXPECT_EQ(Ask(tcp::kAck, kServer + 2, kIsn + 2).event, Event::kFinished);
}

// Whatever comes: only what acknowledges something that we can have sent is
// answered, and no bare ACK is, but for a probe.
TEST_F(StatelessSegmentTest, GarbageIsNotAnswered) {
  Rng rng(1, 2);
  int foreign = 0;
  for (int i = 0; i < 200'000; ++i) {
    rules_.kind = static_cast<Kind>(i % 3);
    const auto flags = static_cast<uint8_t>(rng.Next64());
    const bool near = i % 2 == 0;
    const SeqNum ack = near ? kIsn - 5 + rng.Below(40)
                            : SeqNum(static_cast<uint32_t>(rng.Next64()));
    const std::string payload(rng.Below(3), 'x');
    const Answer a =
        Ask(flags, SeqNum(static_cast<uint32_t>(rng.Next64())), ack, payload,
            i % 5 != 0, static_cast<uint32_t>(rng.Next64()));
    const bool fits = Acknowledges(ack, kIsn, rules_.request.size());
    if (a.flags != 0) {
      EXPECT_TRUE(fits);
      EXPECT_NE(flags & tcp::kAck, 0);
      EXPECT_EQ(flags & tcp::kRst, 0);
      EXPECT_NE(a.flags & tcp::kAck, 0);
      EXPECT_EQ(a.flags & (tcp::kSyn | tcp::kRst), 0);
      EXPECT_GE(a.seq - kIsn, 1u);
      EXPECT_LE(a.seq - kIsn, rules_.request.size() + 2);
    }
    foreign += a.event == Event::kForeign;
    if ((flags & tcp::kAck) != 0 && !fits) {
      EXPECT_EQ(a.event, Event::kForeign);
    }
  }
  EXPECT_GT(foreign, 100'000);
}

TEST(StatelessIsnTest, FlowsDifferAndComeAgainFurtherOn) {
  const StatelessIsn isn({0x243f6a8885a308d3, 0x13198a2e03707344},
                         Ipv4Address(10, 77, 0, 2), 80);
  const Ipv4Address source(10, 77, 0, 1);
  const SeqNum first = isn.Of(source, 1024, 0);
  EXPECT_NE(first, isn.Of(source, 1025, 0));
  EXPECT_NE(first, isn.Of(Ipv4Address(10, 77, 0, 3), 1024, 0));
  EXPECT_NE(first,
            StatelessIsn({0x243f6a8885a308d3, 1}, Ipv4Address(10, 77, 0, 2), 80)
                .Of(source, 1024, 0));
  EXPECT_GT(isn.Of(source, 1024, 1), first + 65536 + 2);
  EXPECT_FALSE(Acknowledges(first + 1, isn.Of(source, 1024, 1), 65536));
}

}  // namespace
}  // namespace corelane::dataplane
