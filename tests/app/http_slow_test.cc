// Clients that are slow, many, greedy or gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/app/http_world.h"

namespace corelane::apptest {
namespace {

constexpr std::string_view kSlowGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr size_t kLarge = 3'000'000;

const dataplane::Content& SlowContent() {
  static const auto* content =
      dataplane::Content::FromText("hello\n")->release();
  return *content;
}

const dataplane::Content& Large() {
  static const auto* content = dataplane::Content::FromSize(kLarge)->release();
  return *content;
}

std::string LargeBody() {
  const ByteView body = Large().everything()->body;
  return {body.begin(), body.end()};
}

TEST(HttpSlowTest, AnIdleConnectionIsClosed) {
  HttpWorld world(SlowContent());
  Peer& silent = world.Open();
  Peer& busy = world.Open();
  for (int i = 0; i < 3; ++i) {
    world.Run(25s);
    world.Send(busy, kSlowGet);
  }
  world.Run(50s);
  EXPECT_TRUE(silent.ended);
  EXPECT_EQ(silent.received, "");
  EXPECT_FALSE(busy.ended);
  world.Run(20s);
  EXPECT_TRUE(busy.ended);
  EXPECT_EQ(world.app().counters().timeouts, 2u);
  EXPECT_EQ(world.server_connections(), 0u);
}

// A byte now and then does not keep a request going (slowloris).
TEST(HttpSlowTest, AHeadHasToBeCompleteInTime) {
  HttpWorld world(SlowContent());
  Peer& peer = world.Open();
  world.Send(peer, "GET / HTTP/1.1\r\nX: ");
  for (int i = 0; i < 12; ++i) {
    world.Run(1s);
    world.Send(peer, "x");
  }
  EXPECT_EQ(TakeResponse(peer.received).status, 408);
  world.Run(3s);
  EXPECT_TRUE(peer.ended);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpSlowTest, ABodyHasToMakeProgress) {
  HttpWorld world(SlowContent());
  Peer& dripping = world.Open();
  Peer& slow = world.Open();
  for (Peer* peer : {&dripping, &slow}) {
    world.Send(*peer,
               "POST / HTTP/1.1\r\nHost: a\r\n"
               "Content-Length: 6000\r\n\r\n");
  }
  for (int i = 0; i < 60; ++i) {
    world.Run(1s);
    world.Send(slow, std::string(100, 'x'));
    if (i < 30) world.Send(dripping, "x");
  }
  world.Run(1s);
  EXPECT_EQ(TakeResponse(dripping.received).status, 408);
  EXPECT_TRUE(dripping.ended);
  EXPECT_EQ(TakeResponse(slow.received).status, 405);
  EXPECT_FALSE(slow.ended);
}

TEST(HttpSlowTest, ALargeBodyArrivesWhole) {
  HttpWorld world(Large());
  Peer& peer = world.Open();
  world.Send(peer, absl::StrCat(std::string(kSlowGet), std::string(kSlowGet)));
  world.Run(10s);
  EXPECT_EQ(TakeResponse(peer.received).body, LargeBody());
  EXPECT_EQ(TakeResponse(peer.received).body, LargeBody());
  EXPECT_EQ(peer.received, "");
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
}

TEST(HttpSlowTest, ALargeBodyThroughASmallWindow) {
  HttpWorldOptions options;
  options.client_tcp.receive_buffer = 2000;
  options.server_tcp.send_buffer = 5000;
  HttpWorld world(Large(), options);
  Peer& peer = world.Open();
  world.Send(peer, kSlowGet);
  world.Run(200s);
  EXPECT_EQ(TakeResponse(peer.received).body, LargeBody());
}

TEST(HttpSlowTest, AReaderThatStopsIsGivenUp) {
  HttpWorld world(Large());
  Peer& peer = world.Open();
  world.SetReading(peer, false);
  world.Send(peer, kSlowGet);
  world.Run(20s);
  EXPECT_EQ(world.app().sessions_in_use(), 1u);
  world.Run(50s);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_TRUE(peer.reset);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpSlowTest, AReaderThatPausesIsWaitedFor) {
  HttpWorldOptions options;
  options.client_tcp.receive_buffer = 65535;
  HttpWorld world(Large(), options);
  Peer& peer = world.Open();
  world.Send(peer, kSlowGet);
  int pauses = 0;
  for (; peer.received.size() < kLarge; ++pauses) {
    ASSERT_LT(pauses, 100);
    world.SetReading(peer, false);
    world.Run(20s);
    world.SetReading(peer, true);
    world.Run(1ms);
  }
  EXPECT_GT(pauses, 4);
  EXPECT_EQ(TakeResponse(peer.received).body, LargeBody());
  EXPECT_EQ(world.app().counters().timeouts, 0u);
}

// Requests stay unread while their answers cannot be sent, so that the window
// closes: the server's memory does not grow.
TEST(HttpSlowTest, PipelinedRequestsWaitForTheSendBuffer) {
  HttpWorldOptions options;
  options.server_tcp.send_buffer = 1000;
  options.server_tcp.receive_buffer = 4000;
  HttpWorld world(SlowContent(), options);
  Peer& peer = world.Open();
  world.SetReading(peer, false);
  constexpr int kRequests = 20'000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += kSlowGet;
  world.Send(peer, requests);
  world.Run(10s);
  EXPECT_LT(world.app().counters().requests, kRequests / 2u);
  EXPECT_EQ(world.app().sessions_in_use(), 1u);
  world.SetReading(peer, true);
  world.Run(600s);
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_EQ(TakeResponse(peer.received).body, "hello\n") << i;
  }
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
}

TEST(HttpSlowTest, AResetInTheMiddleLeavesNothing) {
  HttpWorld world(Large());
  Peer& reading = world.Open();
  world.Send(reading, kSlowGet);
  Peer& asking = world.Open();
  world.Send(asking, "GET / HT");
  Peer& posting = world.Open();
  world.Send(posting,
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
  Peer& leaving = world.Open();
  world.Send(leaving, "GET / HT");
  world.Run(2ms);
  EXPECT_EQ(world.app().sessions_in_use(), 4u);
  world.Reset(reading);
  world.Reset(asking);
  world.Reset(posting);
  world.Close(leaving);
  world.Run(1s);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_EQ(world.server_connections(), 0u);
}

// What the client still sends behind a bad request must not destroy the answer.
TEST(HttpSlowTest, LastAnswersSurviveLateBytes) {
  HttpWorld world(SlowContent());
  Peer& peer = world.Open();
  world.SetReading(peer, false);
  world.Send(peer, "bad request\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    world.Run(10ms);
    world.Send(peer, std::string(3000, 'x'));
  }
  world.SetReading(peer, true);
  world.Run(100ms);
  EXPECT_EQ(TakeResponse(peer.received).status, 400);
  EXPECT_TRUE(peer.ended);
  EXPECT_FALSE(peer.reset);
  world.Run(3s);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpSlowTest, ButNotForEver) {
  HttpWorld world(SlowContent());
  Peer& peer = world.Open();
  world.SetReading(peer, false);  // and so never notices the end
  world.Send(peer, "bad request\r\n\r\n");
  world.Run(1s);
  EXPECT_EQ(world.server_connections(), 1u);
  world.Send(peer, std::string(100'000, 'x'));
  world.Run(1s);
  EXPECT_TRUE(peer.reset);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpSlowTest, WithoutASessionLeftItSaysSo) {
  HttpWorldOptions options;
  options.http.max_sessions = 3;
  options.http.max_texts = 2;
  HttpWorld world(SlowContent(), options);
  std::vector<Peer*> greedy(5);
  for (Peer*& peer : greedy) {
    peer = &world.Open();
    world.Send(*peer, "GET / HT");
  }
  world.Run(1s);
  EXPECT_EQ(world.app().sessions_in_use(), 2u);
  EXPECT_EQ(world.app().counters().exhausted, 3u);
  EXPECT_EQ(TakeResponse(greedy[4]->received).status, 503);
  // Whole requests are still answered, and the rest recovers.
  EXPECT_EQ(world.Get(kSlowGet).status, 200);
  world.Run(20s);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  Peer& patient = world.Open();
  world.Send(patient, "GET / HT");
  world.Run(1s);
  world.Send(patient, "TP/1.1\r\nHost: a\r\n\r\n");
  world.Run(1s);
  EXPECT_EQ(TakeResponse(patient.received).status, 200);
}

TEST(HttpSlowTest, AThousandConnections) {
  HttpWorldOptions options;
  options.server_packets = 16384;
  HttpWorld world(SlowContent(), options);
  std::vector<Peer*> peers(1000);
  for (Peer*& peer : peers) peer = &world.Connect();
  world.Run(1s);
  for (int round = 0; round < 3; ++round) {
    for (Peer* peer : peers) world.Send(*peer, kSlowGet);
    world.Run(5s);
    for (Peer* peer : peers) {
      ASSERT_EQ(TakeResponse(peer->received).body, "hello\n");
    }
  }
  EXPECT_EQ(world.app().counters().connections, 1000u);
  world.Run(70s);
  EXPECT_EQ(world.server_connections(), 0u);
}

// Few packets for many greedy clients: slower, but nothing breaks.
TEST(HttpSlowTest, SurvivesAShortageOfPackets) {
  HttpWorldOptions options;
  options.server_packets = 600;
  HttpWorld world(Large(), options);
  std::vector<Peer*> peers(20);
  for (Peer*& peer : peers) {
    peer = &world.Open();
    world.Send(*peer, kSlowGet);
  }
  world.Run(60s);
  for (Peer* peer : peers) {
    EXPECT_EQ(TakeResponse(peer->received).body.size(), kLarge);
  }
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
}

}  // namespace
}  // namespace corelane::apptest
