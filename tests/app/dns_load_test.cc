#include "dataplane/load/dns_load.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"
#include "proto/dns/message.h"
#include "tests/app/load_world.h"

namespace corelane::dataplane {
namespace {

using Bytes = std::vector<uint8_t>;

// Answers every query with 10.1.2.3; or does what it is told to.
class DnsApp final : public Application {
 public:
  enum class Manner : uint8_t {
    kRight,
    kNoResponseFlag,
    kNameError,
    kOtherQuestion,
    kOtherId,
    kSilent
  };
  void OnConnections(std::span<ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
  void OnDatagrams(std::span<Datagram> datagrams, Time /*now*/) override {
    for (Datagram& d : datagrams) {
      ++queries;
      if (manner == Manner::kSilent) continue;
      Bytes answer(d.payload.begin(), d.payload.end());
      if (manner != Manner::kNoResponseFlag) answer[2] |= 0x80;
      if (manner == Manner::kNameError) answer[3] |= 3;
      if (manner == Manner::kOtherQuestion) answer[13] ^= 1;
      if (manner == Manner::kOtherId) answer[0] ^= 0x80;
      answer[7] = 1;
      const Bytes record = {0xc0, 12, 0, 1, 0,  1, 0, 0,
                            0,    9,  0, 4, 10, 1, 2, 3};
      answer.insert(answer.end(), record.begin(), record.end());
      d.socket.SendTo(d.remote, answer, d.local.address).IgnoreError();
    }
  }
  Manner manner = Manner::kRight;
  uint64_t queries = 0;
};

using Manner = DnsApp::Manner;

DnsQuery QueryFor(const char* name, uint16_t type, Bytes data,
                  uint8_t rcode = 0) {
  DnsQuery q;
  q.query = dns::MakeQuery(*dns::EncodeName(name), type);
  q.type = type;
  q.rcode = rcode;
  q.data = std::move(data);
  return q;
}

class DnsTest : public LoadWorld {
 protected:
  DnsTest() { load_.rate = 1000; }
  Tally Ask(std::vector<DnsQuery> queries, uint32_t sockets = 4) {
    DnsLoadConfig config;
    config.load = load_;
    config.sockets = sockets;
    config.queries =
        std::make_shared<const std::vector<DnsQuery>>(std::move(queries));
    return Run(Start<DnsLoad>(config));
  }
};

TEST_F(DnsTest, AsksInTurnAndChecksTheAnswers) {
  DnsApp& server = Serve<DnsApp>();
  const Tally t = Ask({QueryFor("a.example", dns::kA, {10, 1, 2, 3}),
                       QueryFor("b.example", dns::kA, {}),
                       QueryFor("c.example", dns::kA, {10, 1, 2, 4}),
                       QueryFor("d.example", dns::kA, {}, 3)});
  EXPECT_EQ(t.sent, 1000u);
  EXPECT_EQ(server.queries, 1001u);  // one to greet
  EXPECT_EQ(t.Of(Outcome::kOk), 500u);
  EXPECT_EQ(t.Of(Outcome::kWrong), 500u);
  EXPECT_EQ(t.Errors(), 500u);
  EXPECT_NEAR(static_cast<double>(t.latency.At(0.5).count()), 200e3, 5e3);
}

TEST_F(DnsTest, WhatIsWrongWithAnAnswer) {
  DnsApp& server = Serve<DnsApp>();
  load_.rate = 100;
  for (const Manner manner :
       {Manner::kNoResponseFlag, Manner::kNameError, Manner::kOtherQuestion}) {
    server.manner = manner;
    const Tally t = Ask({QueryFor("a.example", dns::kA, {})});
    EXPECT_EQ(t.Of(Outcome::kWrong), 100u) << static_cast<int>(manner);
    EXPECT_EQ(t.Of(Outcome::kOk), 0u);
  }
  server.manner = Manner::kNameError;
  const Tally absent = Ask({QueryFor("a.example", dns::kA, {}, 3)});
  EXPECT_EQ(absent.Of(Outcome::kOk), 100u);
}

TEST_F(DnsTest, AnIdThatWasNotAskedAnswersNothing) {
  Serve<DnsApp>().manner = Manner::kOtherId;
  load_.rate = 100;
  const Tally t = Ask({QueryFor("a.example", dns::kA, {})});
  EXPECT_EQ(t.Of(Outcome::kTimedOut), 100u);
  EXPECT_GE(t.Of(Outcome::kWrong), 100u);
  EXPECT_EQ(t.Of(Outcome::kOk), 0u);
}

TEST_F(DnsTest, SilenceTimesOutAndAClosedPortRefuses) {
  load_.rate = 100;
  load_.target.port = 81;
  const Tally refused = Ask({QueryFor("a.example", dns::kA, {})});
  EXPECT_GT(refused.Of(Outcome::kRefused), 0u);
  EXPECT_EQ(refused.Errors(), 100u);
  load_.target.port = kPort;
  Serve<DnsApp>().manner = Manner::kSilent;
  const Tally silent = Ask({QueryFor("a.example", dns::kA, {})});
  EXPECT_EQ(silent.Of(Outcome::kTimedOut), 100u);
}

TEST_F(DnsTest, IdsComeRound) {
  DnsApp& server = Serve<DnsApp>();
  load_.rate = 100'000;
  load_.duration = 660ms;
  const Tally t = Ask({QueryFor("a.example", dns::kA, {10, 1, 2, 3})}, 1);
  EXPECT_EQ(t.Of(Outcome::kOk), 66'000u);
  EXPECT_EQ(t.Errors(), 0u);
  EXPECT_EQ(server.queries, 66'001u);
}

}  // namespace
}  // namespace corelane::dataplane
