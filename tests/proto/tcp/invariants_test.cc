// An oracle is worth what it catches: each fault has to be named.
#include "proto/tcp/invariants.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/tcp/header_prediction.h"

namespace corelane::tcp {
namespace {

ControlBlock Healthy() {
  ControlBlock cb;
  cb.state = State::kEstablished;
  cb.mss = 1000;
  cb.cwnd = 10'000;
  cb.snd_una = SeqNum(0xfffffff0);
  cb.snd_nxt = cb.snd_max = cb.snd_una + 1000;
  cb.snd_queued = cb.snd_una + 2000;
  cb.snd_edge = cb.snd_una + 5000;
  cb.rcv_nxt = cb.rcv_acked = SeqNum(0xffffffff);
  cb.rcv_edge = cb.rcv_nxt + 60'000;
  cb.Set(kRetransmitTimer);
  UpdatePrediction(cb);
  return cb;
}

TEST(Invariants, HealthyBlockHasNone) {
  const ControlBlock cb = Healthy();
  EXPECT_STREQ(CheckInvariants(cb, Config()), nullptr);
  EXPECT_STREQ(CheckSettled(cb), nullptr);
}

TEST(Invariants, EachFaultIsNamed) {
  const struct {
    const char* expected;
    std::function<void(ControlBlock&)> spoil;
  } cases[] = {
      {"snd_una > snd_nxt", [](auto& cb) { cb.snd_nxt = cb.snd_una - 1; }},
      {"snd_nxt > snd_max", [](auto& cb) { cb.snd_nxt += 1; }},
      {"beyond the end", [](auto& cb) { cb.snd_queued = cb.snd_max - 1; }},
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
      {"rtt_seq",
       [](auto& cb) {
         cb.Set(kTimingRtt);
         cb.rtt_seq = cb.snd_max + 1;
       }},
  };
  for (const auto& c : cases) {
    ControlBlock cb = Healthy();
    c.spoil(cb);
    const char* wrong = CheckInvariants(cb, Config());
    ASSERT_NE(wrong, nullptr) << c.expected;
    EXPECT_NE(std::string(wrong).find(c.expected), std::string::npos) << wrong;
  }
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
