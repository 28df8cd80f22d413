// Blind attacks (RFC 5961) and segments that do not belong, in every
// synchronized state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/proto/tcp/connection_harness.h"

namespace corelane::tcp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr State kSynchronized[] = {State::kEstablished, State::kFinWait1,
                                   State::kFinWait2,    State::kCloseWait,
                                   State::kClosing,     State::kLastAck};

class ConnectionAttackTest
    : public ::testing::TestWithParam<std::tuple<int, State>> {
 protected:
  void SetUp() override {
    h.Connect();
    h.Write(100);
    h.Receive("P. 1(100) ack 101");
    h.Advance(50ms);
    switch (std::get<1>(GetParam())) {
      case State::kFinWait1:
        h.Close();
        break;
      case State::kFinWait2:
        h.Close();
        h.Receive(". 101(0) ack 102");
        break;
      case State::kCloseWait:
        h.Receive("F. 101(0) ack 101");
        break;
      case State::kClosing:
        h.Close();
        h.Receive("F. 101(0) ack 101");
        break;
      case State::kLastAck:
        h.Receive("F. 101(0) ack 101");
        h.Close();
        break;
      default:
        break;
    }
    h.Sent();
    ASSERT_EQ(h.state(), std::get<1>(GetParam()));
    nxt = static_cast<int64_t>(h.cb.rcv_nxt - h.cb.irs);
    edge = static_cast<int64_t>(h.cb.rcv_edge - h.cb.irs);
    ack = static_cast<int64_t>(h.cb.snd_una - h.cb.iss);
    challenge = ". " + std::to_string(h.cb.AckSeq() - h.cb.iss) + "(0) ack " +
                std::to_string(nxt);
  }
  std::string At(const std::string& flags, int64_t seq, int length = 0) const {
    return flags + ' ' + std::to_string(seq) + '(' + std::to_string(length) +
           ") ack " + std::to_string(ack);
  }
  void Unharmed() {
    EXPECT_EQ(h.state(), std::get<1>(GetParam()));
    EXPECT_EQ(h.cb.rcv_nxt, h.cb.irs + static_cast<uint32_t>(nxt));
    EXPECT_EQ(h.events & kBroken, 0);
  }

  ConnectionHarness h{kOrigins[std::get<0>(GetParam())]};
  int64_t nxt = 0;
  int64_t edge = 0;
  int64_t ack = 0;
  std::string challenge;
};
INSTANTIATE_TEST_SUITE_P(States, ConnectionAttackTest,
                         ::testing::Combine(::testing::Range(0, 4),
                                            ::testing::ValuesIn(kSynchronized)),
                         [](const auto& test) {
                           std::string name =
                               StateName(std::get<1>(test.param));
                           for (char& c : name) {
                             if (c == '-') c = '_';
                           }
                           return name +
                                  std::to_string(std::get<0>(test.param));
                         });

TEST_P(ConnectionAttackTest, ExactResetEndsIt) {
  h.Receive(At("R.", nxt));
  EXPECT_EQ(h.state(), State::kClosed);
  EXPECT_EQ(h.cb.error, Error::kReset);
  EXPECT_EQ(h.events & kBroken, kBroken);
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(ConnectionAttackTest, ResetInTheWindowIsChallenged) {
  h.Receive(At("R", nxt + 1));
  Unharmed();
  EXPECT_THAT(h.Sent(), ElementsAre(challenge));
  h.Advance(600ms);
  h.Sent();
  h.Receive(At("R.", edge - 1));
  Unharmed();
  EXPECT_THAT(h.Sent(), ElementsAre(challenge));
}

TEST_P(ConnectionAttackTest, ResetOutsideTheWindowIsSilence) {
  h.Receive(At("R", nxt - 1));
  h.Receive(At("R.", nxt - 50));
  h.Receive(At("R", edge));
  h.Receive(At("R.", edge + 1));
  h.Receive(At("R", nxt + 0x7fffffff));
  h.Receive(At("R", nxt - 10, 100));  // a reset with text, from before
  Unharmed();
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(ConnectionAttackTest, SynIsChallengedWhereverItLies) {
  for (int64_t seq : {nxt, nxt + 10, nxt - 10, edge + 100, int64_t{0}}) {
    h.Receive(At("S", seq));
    Unharmed();
    EXPECT_THAT(h.Sent(), ElementsAre(challenge)) << seq;
    h.Advance(600ms);
    h.Sent();
  }
}

TEST_P(ConnectionAttackTest, ChallengesAreLimited) {
  for (int i = 0; i < 1000; ++i) h.Receive(At("R", nxt + 1 + i));
  Unharmed();
  EXPECT_EQ(h.Sent().size(), 1u);
}

// Two ends that disagree must not answer each other for ever.
TEST_P(ConnectionAttackTest, StrayAcksDoNotStorm) {
  for (int i = 0; i < 1000; ++i) h.Receive(At(".", nxt - 1000 - i));
  Unharmed();
  EXPECT_LE(h.Sent().size(), 1u);
}

TEST_P(ConnectionAttackTest, DataWithAnAckOfWhatWasNotSent) {
  ack = h.cb.snd_nxt - h.cb.iss + 1;
  h.Receive(At("P.", nxt, 10));
  Unharmed();
  EXPECT_THAT(h.Sent(), IsEmpty());  // not at once
  h.Advance(50ms);
  EXPECT_THAT(h.Sent(), Contains(challenge));
}

// RFC 5961 section 5.
TEST_P(ConnectionAttackTest, DataWithAnAckFromBeforeTheLargestWindow) {
  ack -= h.cb.max_window + 1;
  h.Receive(At("P.", nxt, 10));
  Unharmed();
  EXPECT_THAT(h.Sent(), ElementsAre(challenge));
}

TEST_P(ConnectionAttackTest, NoAckNoProcessing) {
  h.Receive(At("P", nxt, 10));
  h.Receive(At("F", nxt));
  Unharmed();
  EXPECT_THAT(h.Sent(), IsEmpty());
}

TEST_P(ConnectionAttackTest, OutsideTheWindowIsAnsweredAndDropped) {
  h.Receive(At("P.", edge, 10));
  Unharmed();
  EXPECT_THAT(h.Sent(), ElementsAre(challenge));
  h.Receive(At("P.", nxt - 20, 10));
  Unharmed();
  EXPECT_THAT(h.Sent(), ElementsAre(challenge));
}

TEST_P(ConnectionAttackTest, UrgentPointersAreIgnored) {
  h.Receive(At("U.", nxt));
  Unharmed();
  EXPECT_TRUE(MayReceive(h.state()) || h.receiver.delivered() == 100);
}

TEST_P(ConnectionAttackTest, EveryCombinationOfFlagsIsSurvived) {
  for (int bits = 0; bits < 64; ++bits) {
    for (int64_t seq : {nxt - 1, nxt, nxt + 1, edge - 1, edge}) {
      ConnectionAttackTest::h.Check();
      const uint8_t flags = static_cast<uint8_t>(bits);
      if ((flags & kRst) != 0 && seq == nxt) continue;
      h.Receive(At(FlagLetters(flags), seq, bits % 3));
      if (!h.Alive()) return;  // LAST-ACK and the like may end rightly
    }
  }
}

// 39 hours are 2^31 ticks.
TEST(ConnectionAttack, ChallengesAreNotMuteAfterDays) {
  ConnectionHarness h(kOrigins[0]);
  h.Connect();
  h.Receive("S 0(0)");
  EXPECT_EQ(h.Sent().size(), 1u);
  for (int i = 0; i < 30; ++i) {
    h.Advance(5h);
    h.Receive("S 0(0)");
    EXPECT_EQ(h.Sent().size(), 1u);
  }
}

}  // namespace
}  // namespace corelane::tcp
