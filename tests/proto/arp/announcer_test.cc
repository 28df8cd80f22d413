#include "proto/arp/announcer.h"

#include <gtest/gtest.h>

#include <vector>

namespace corelane::arp {
namespace {

const MacAddress kOwnMac{{0x02, 0, 0, 0, 0, 1}};
const MacAddress kRival{{0x02, 0, 0, 0, 0, 9}};
const Ipv4Address kOwn(10, 0, 0, 2);

Packet From(Ipv4Address sender, Ipv4Address target) {
  return {.operation = kRequest,
          .sender_mac = kRival,
          .sender = sender,
          .target_mac = {},
          .target = target};
}

struct Sent {
  Time at;
  Packet packet;
};

// Runs from deadline to deadline until nothing is planned.
std::vector<Sent> RunToEnd(Announcer& a) {
  std::vector<Sent> sent;
  for (int turn = 0; turn < 100 && a.NextDeadline() != kTimeNever; ++turn) {
    const Time now = a.NextDeadline();
    if (auto packet = a.Poll(now)) sent.push_back({now, *packet});
  }
  return sent;
}

TEST(ArpAnnouncerTest, ProbesThenAnnounces) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Announcer a({}, kOwnMac, kOwn, Rng(seed));
    a.Start(kTimeZero);
    EXPECT_FALSE(a.usable());
    const std::vector<Sent> sent = RunToEnd(a);
    ASSERT_EQ(sent.size(), 5u);
    EXPECT_LE(sent[0].at, kTimeZero + 1s);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(sent[i].packet.IsProbe());
      EXPECT_EQ(sent[i].packet.target, kOwn);
      EXPECT_EQ(sent[i].packet.sender_mac, kOwnMac);
      if (i == 0) continue;
      EXPECT_GE(sent[i].at - sent[i - 1].at, 1s);
      EXPECT_LE(sent[i].at - sent[i - 1].at, 2s);
    }
    EXPECT_EQ(sent[3].at - sent[2].at, 2s);
    EXPECT_EQ(sent[4].at - sent[3].at, 2s);
    for (int i = 3; i < 5; ++i) {
      EXPECT_TRUE(sent[i].packet.IsGratuitous());
      EXPECT_EQ(sent[i].packet.sender, kOwn);
    }
    EXPECT_EQ(a.state(), AnnouncerState::kDefending);
  }
}

TEST(ArpAnnouncerTest, UsableAtOnceWithoutProbing) {
  AnnouncerTiming timing;
  timing.probe = false;
  Announcer a(timing, kOwnMac, kOwn, Rng(1));
  a.Start(kTimeZero);
  EXPECT_TRUE(a.usable());
  EXPECT_EQ(RunToEnd(a).size(), 2u);
}

TEST(ArpAnnouncerTest, LosesWhileProbingAndTriesAgain) {
  for (const Packet& packet : {From(kOwn, Ipv4Address(10, 0, 0, 7)),  // has it
                               From(Ipv4Address(), kOwn)}) {  // wants it
    Announcer a({}, kOwnMac, kOwn, Rng(1));
    a.Start(kTimeZero);
    a.Poll(a.NextDeadline());
    const Time now = kTimeZero + 1500ms;
    EXPECT_EQ(a.OnArp(packet, now), ConflictEvent::kLostWhileProbing);
    EXPECT_FALSE(a.usable());
    EXPECT_EQ(a.rival(), kRival);
    EXPECT_EQ(a.NextDeadline(), now + 60s);
    EXPECT_FALSE(a.Poll(now + 59s));
    EXPECT_EQ(RunToEnd(a).size(), 5u);
    EXPECT_TRUE(a.usable());
  }
}

TEST(ArpAnnouncerTest, OtherTrafficIsNoConflict) {
  Announcer a({}, kOwnMac, kOwn, Rng(1));
  a.Start(kTimeZero);
  const Ipv4Address other(10, 0, 0, 7);
  EXPECT_EQ(a.OnArp(From(other, kOwn), kTimeZero), ConflictEvent::kNone);
  EXPECT_EQ(a.OnArp(From(Ipv4Address(), other), kTimeZero),
            ConflictEvent::kNone);
  RunToEnd(a);
  EXPECT_EQ(a.OnArp(From(other, kOwn), kTimeZero + 1min), ConflictEvent::kNone);
  // A late probe is answered like any request, not a claim.
  EXPECT_EQ(a.OnArp(From(Ipv4Address(), kOwn), kTimeZero + 1min),
            ConflictEvent::kNone);
}

TEST(ArpAnnouncerTest, OwnPacketsComeBack) {
  Announcer a({}, kOwnMac, kOwn, Rng(1));
  a.Start(kTimeZero);
  Packet own = From(kOwn, kOwn);
  own.sender_mac = kOwnMac;
  EXPECT_EQ(a.OnArp(own, kTimeZero), ConflictEvent::kOwnPacket);
  EXPECT_EQ(a.state(), AnnouncerState::kProbing);
}

TEST(ArpAnnouncerTest, DefendsOncePerIntervalAndKeepsTheAddress) {
  AnnouncerTiming timing;
  timing.probe = false;
  Announcer a(timing, kOwnMac, kOwn, Rng(1));
  a.Start(kTimeZero);
  RunToEnd(a);
  const Packet claim = From(kOwn, kOwn);
  const Time start = kTimeZero + 1min;
  int defenses = 0;
  for (int i = 0; i < 200; ++i) {  // 20 s of claims, ten in a second
    const Time now = start + 100ms * i;
    const ConflictEvent event = a.OnArp(claim, now);
    EXPECT_NE(event, ConflictEvent::kNone);
    const auto packet = a.Poll(now);
    EXPECT_EQ(packet.has_value(), event == ConflictEvent::kDefended);
    if (packet) {
      ++defenses;
      EXPECT_TRUE(packet->IsGratuitous());
      EXPECT_EQ(packet->sender_mac, kOwnMac);
    }
    EXPECT_TRUE(a.usable());
  }
  EXPECT_EQ(defenses, 2);
  EXPECT_EQ(a.conflicts(), 200u);
  EXPECT_EQ(a.NextDeadline(), kTimeNever);
}

}  // namespace
}  // namespace corelane::arp
