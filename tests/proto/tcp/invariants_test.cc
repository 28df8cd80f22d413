// An oracle is worth what it catches: each fault has to be named.
#include "proto/tcp/invariants.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/tcp/header_prediction.h"
#include "proto/tcp/recovery.h"
#include "proto/tcp/sent_list.h"

namespace corelane::tcp {
namespace {

ControlBlock Healthy() {
  ControlBlock cb;
  cb.state = State::kEstablished;
  cb.mss = 1000;
  cb.cwnd = 10'000;
  cb.snd_una = SeqNum(0xfffffff0);
  cb.snd_nxt = cb.snd_una + 1000;
  cb.snd_queued = cb.snd_una + 2000;
  cb.snd_edge = cb.snd_una + 5000;
  cb.rcv_nxt = cb.rcv_acked = SeqNum(0xffffffff);
  cb.rcv_edge = cb.rcv_nxt + 60'000;
  cb.Set(kRetransmitTimer);
  UpdatePrediction(cb);
  return cb;
}

SendState HealthySender(const ControlBlock& cb) {
  SendState tx;
  InitSendState(cb, tx);
  EXPECT_TRUE(SentList(tx, cb.snd_una).Append(cb.snd_una + 600, 1, 0));
  EXPECT_TRUE(SentList(tx, cb.snd_una).Append(cb.snd_una + 1000, 2, 0));
  return tx;
}

TEST(Invariants, HealthyBlockHasNone) {
  const ControlBlock cb = Healthy();
  const SendState tx = HealthySender(cb);
  EXPECT_STREQ(CheckInvariants(cb, &tx, Config()), nullptr);
  EXPECT_STREQ(CheckSettled(cb), nullptr);
}

TEST(Invariants, EachFaultIsNamed) {
  const struct {
    const char* expected;
    std::function<void(ControlBlock&)> spoil;
  } cases[] = {
      {"snd_una > snd_nxt", [](auto& cb) { cb.snd_nxt = cb.snd_una - 1; }},
      {"do not cover", [](auto& cb) { cb.snd_nxt += 1; }},
      {"beyond the end", [](auto& cb) { cb.snd_queued = cb.snd_nxt - 1; }},
      {"send buffer", [](auto& cb) { cb.snd_queued += 1u << 20; }},
      {"mss is 0", [](auto& cb) { cb.mss = 0; }},
      {"cwnd below", [](auto& cb) { cb.cwnd = 999; }},
      {"without a timer", [](auto& cb) { cb.Clear(kRetransmitTimer); }},
      {"rcv_acked", [](auto& cb) { cb.rcv_acked += 1; }},
      {"beyond what was offered", [](auto& cb) { cb.rcv_nxt += 70'000; }},
      {"receive buffer", [](auto& cb) { cb.rcv_edge += 1u << 20; }},
      {"persist", [](auto& cb) { cb.flags = kPersist; }},
      {"prediction", [](auto& cb) { cb.state = State::kCloseWait; }},
      {"FIN and the state", [](auto& cb) { cb.Set(kFinQueued); }},
      {"LISTEN or TIME-WAIT", [](auto& cb) { cb.state = State::kTimeWait; }},
  };
  for (const auto& c : cases) {
    ControlBlock cb = Healthy();
    const SendState tx = HealthySender(cb);
    c.spoil(cb);
    const char* wrong = CheckInvariants(cb, &tx, Config());
    ASSERT_NE(wrong, nullptr) << c.expected;
    EXPECT_NE(std::string(wrong).find(c.expected), std::string::npos) << wrong;
  }
}

TEST(Invariants, EachFaultOfASenderIsNamed) {
  const struct {
    const char* expected;
    std::function<void(SendState&)> spoil;
  } cases[] = {
      {"a run of nothing",
       [](auto& tx) { tx.ranges[0].end = tx.ranges[1].end; }},
      {"without a segment", [](auto& tx) { tx.ranges[0].segments = 0; }},
      {"lost_bytes", [](auto& tx) { tx.lost_bytes = 1; }},
      {"sacked_bytes",
       [](auto& tx) { tx.ranges[1].fate = SentRange::Fate::kSacked; }},
      {"no recovery",
       [](auto& tx) {
         tx.ranges[0].fate = SentRange::Fate::kLost;
         tx.lost_bytes = 600;
       }},
  };
  ControlBlock cb = Healthy();
  cb.Set(kSack);
  for (const auto& c : cases) {
    SendState tx = HealthySender(cb);
    c.spoil(tx);
    const char* wrong = CheckInvariants(cb, &tx, Config());
    ASSERT_NE(wrong, nullptr) << c.expected;
    EXPECT_NE(std::string(wrong).find(c.expected), std::string::npos) << wrong;
  }
  EXPECT_STREQ(CheckInvariants(cb, nullptr, Config()),
               "in flight without a send state");
}

TEST(Invariants, WhatWaitsNeedsATimer) {
  ControlBlock cb = Healthy();
  cb.Clear(kRetransmitTimer);
  EXPECT_STREQ(CheckSettled(cb), "something to send and no timer");
  cb = Healthy();
  cb.rcv_nxt += 1;
  EXPECT_STREQ(CheckSettled(cb), "something to acknowledge and no timer");
  cb.Set(kAckTimer);
  EXPECT_STREQ(CheckSettled(cb), nullptr);
  cb.Set(kAckNow);
  EXPECT_STREQ(CheckSettled(cb), "something was due and has not been sent");
}

TEST(State, NamesAndPredicates) {
  EXPECT_STREQ(StateName(State::kSynReceived), "SYN-RECEIVED");
  EXPECT_STREQ(StateName(State::kTimeWait), "TIME-WAIT");
  EXPECT_TRUE(MayReceive(State::kFinWait2));
  EXPECT_FALSE(MayReceive(State::kCloseWait));
  EXPECT_TRUE(MaySend(State::kCloseWait));
  EXPECT_FALSE(MaySend(State::kFinWait1));
}

}  // namespace
}  // namespace corelane::tcp
