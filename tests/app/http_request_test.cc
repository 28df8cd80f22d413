// What is asked and what is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/app/http_world.h"

namespace corelane::apptest {
namespace {

using ::testing::StartsWith;

const dataplane::Content& Hello() {
  static const auto* content =
      dataplane::Content::FromText("hello\n")->release();
  return *content;
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// Whether the server closes, in order, within the time that it lingers.
bool Closes(HttpWorld& world, std::string_view request, int status) {
  Peer& peer = world.Open();
  world.Send(peer, request);
  world.Run(1s);
  const Response response = TakeResponse(peer.received);
  EXPECT_EQ(response.status, status) << request.substr(0, 200);
  EXPECT_EQ(peer.received, "") << "after the response";
  world.Run(3s);
  return peer.ended && !peer.reset;
}

TEST(HttpRequestTest, AnswersGet) {
  HttpWorld world(Hello());
  const Response response = world.Get(kGet);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello\n");
  EXPECT_EQ(response.fields.at("Content-Length"), "6");
  EXPECT_EQ(response.fields.at("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.fields.at("Date"), "Thu, 01 Jan 2026 00:00:01 GMT");
  EXPECT_EQ(response.fields.count("Connection"), 0u);
  EXPECT_EQ(response.fields.count("ETag"), 1u);
}

TEST(HttpRequestTest, ASmallAnswerIsOneSegment) {
  HttpWorld world(Hello());
  world.Get(kGet);
  EXPECT_EQ(world.data_segments(), 1u);
}

TEST(HttpRequestTest, TheDateGoesOn) {
  HttpWorld world(Hello());
  Peer& peer = world.Open();
  world.Send(peer, kGet);
  world.Run(10s);
  world.Send(peer, kGet);
  world.Run(10s);
  EXPECT_EQ(TakeResponse(peer.received).fields.at("Date"),
            "Thu, 01 Jan 2026 00:00:01 GMT");
  EXPECT_EQ(TakeResponse(peer.received).fields.at("Date"),
            "Thu, 01 Jan 2026 00:00:11 GMT");
}

TEST(HttpRequestTest, HeadSaysWhatGetWouldBring) {
  HttpWorld world(Hello());
  const Response response =
      world.Get("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", /*has_body=*/false);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("Content-Length"), "6");
  EXPECT_THAT(world.Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
              ::testing::EndsWith("\r\n\r\n"));
}

TEST(HttpRequestTest, PipelinedRequestsAreAnsweredInOrder) {
  HttpWorld world(Hello());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += i % 3 == 0 ? "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
                           : "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  std::string stream = world.Ask(requests);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(TakeResponse(stream, i % 3 != 0).status, 200) << i;
  }
  EXPECT_EQ(stream, "");
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_EQ(world.app().counters().requests, 50u);
}

// What was parsed before is answered from the memo, and not otherwise.
TEST(HttpRequestTest, SayingItAgainChangesNothing) {
  HttpWorld world(Hello());
  const std::string etag = world.Get(kGet).fields.at("ETag");
  const std::vector<std::string> requests = {
      std::string(kGet),
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: b\r\n\r\n",  // as long as the first
      "GET / HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ", etag,
                   "\r\n\r\n"),
      "PUT / HTTP/1.1\r\nHost: a\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
      "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",  // no host: bad
  };
  auto without_date = [](std::string answer) {
    const size_t at = answer.find("Date: ");
    return at == std::string::npos ? answer : answer.erase(at, 35);
  };
  std::vector<std::string> first;
  for (const std::string& request : requests) {
    first.push_back(without_date(world.Ask(request)));
    EXPECT_NE(first.back(), "");
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(without_date(world.Ask(requests[i])), first[i]) << requests[i];
      // The same length, hence the same place in the memo.
      world.Ask(std::string(requests[i].size(), 'x'));
    }
  }
}

TEST(HttpRequestTest, AnIdleConnectionHasNoSession) {
  HttpWorld world(Hello());
  Peer& peer = world.Open();
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  world.Send(peer, kGet);
  world.Run(1s);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  world.Send(peer, "GET /");
  world.Run(1s);
  EXPECT_EQ(world.app().sessions_in_use(), 1u);
  world.Send(peer, " HTTP/1.1\r\nHost: a\r\n\r\n");
  world.Run(1s);
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_EQ(TakeResponse(peer.received).status, 200);
  EXPECT_EQ(TakeResponse(peer.received).status, 200);
}

// Two requests, the first with a body, cut in two at every place, and into
// single bytes.
TEST(HttpRequestTest, CuttingChangesNothing) {
  const std::string requests = absl::StrCat(
      "POST /form HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      "5;x=y\r\nabcde\r\n0\r\nTrailer: t\r\n\r\n", std::string(kGet));
  auto check = [](HttpWorld& world, Peer& peer) {
    EXPECT_EQ(TakeResponse(peer.received).status, 405);
    EXPECT_EQ(TakeResponse(peer.received).status, 200);
    EXPECT_EQ(peer.received, "");
    EXPECT_FALSE(peer.ended || peer.reset);
    EXPECT_EQ(world.app().sessions_in_use(), 0u);
  };
  HttpWorld world(Hello());
  for (size_t cut = 1; cut < requests.size(); ++cut) {
    SCOPED_TRACE(cut);
    Peer& peer = world.Open();
    world.Send(peer, requests.substr(0, cut));
    world.Run(5ms);
    world.Send(peer, requests.substr(cut));
    world.Run(100ms);
    check(world, peer);
  }
  Peer& peer = world.Open();
  for (const char c : requests) {
    world.Send(peer, {&c, 1});
    world.Run(1ms);
  }
  world.Run(100ms);
  check(world, peer);
}

TEST(HttpRequestTest, Http10ClosesUnlessAskedNotTo) {
  HttpWorld world(Hello());
  EXPECT_TRUE(Closes(world, "GET / HTTP/1.0\r\n\r\n", 200));
  Peer& peer = world.Open();
  for (int i = 0; i < 2; ++i) {
    world.Send(peer, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    world.Run(1s);
    const Response response = TakeResponse(peer.received);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello\n");
    EXPECT_EQ(response.fields.at("Connection"), "keep-alive");
  }
  EXPECT_FALSE(peer.ended);
}

TEST(HttpRequestTest, ClosesWhenAskedTo) {
  HttpWorld world(Hello());
  EXPECT_TRUE(Closes(
      world, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200));
}

TEST(HttpRequestTest, ClosesAfterSoManyRequests) {
  HttpWorldOptions options;
  options.http.max_requests = 3;
  HttpWorld world(Hello(), options);
  Peer& peer = world.Open();
  for (int i = 0; i < 3; ++i) {
    world.Send(peer, kGet);
    world.Run(100ms);
    const Response response = TakeResponse(peer.received);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.fields.count("Connection"), i == 2 ? 1u : 0u);
  }
  world.Run(3s);
  EXPECT_TRUE(peer.ended);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpRequestTest, AnswersAClientThatHasClosedItsSide) {
  HttpWorld world(Hello());
  Peer& peer = world.Open();
  world.Send(peer, absl::StrCat(std::string(kGet), std::string(kGet)));
  world.ShutdownSend(peer);
  world.Run(1s);
  EXPECT_EQ(TakeResponse(peer.received).status, 200);
  EXPECT_EQ(TakeResponse(peer.received).status, 200);
  EXPECT_TRUE(peer.ended);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpRequestTest, RefusesWhatItCannotRead) {
  HttpWorld world(Hello());
  EXPECT_TRUE(Closes(world, "GET / HTTP/1.1\r\n\r\n", 400));
  EXPECT_TRUE(Closes(world, "nonsense\r\n\r\n", 400));
  EXPECT_TRUE(Closes(world, "GET / HTTP/1.1\nHost: a\n\n", 400));
  EXPECT_TRUE(Closes(world,
                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                     "Content-Length: 2\r\n\r\nx",
                     400));
  EXPECT_TRUE(Closes(world, "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505));
  EXPECT_TRUE(Closes(world,
                     "POST / HTTP/1.1\r\nHost: a\r\n"
                     "Transfer-Encoding: gzip, chunked\r\n\r\n",
                     501));
  EXPECT_TRUE(Closes(
      world, absl::StrCat("GET /", std::string(8100, 'a'), " HTTP/1.1\r\n"),
      414));
  EXPECT_TRUE(Closes(world,
                     absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nX: ",
                                  std::string(20'000, 'a'), "\r\n\r\n"),
                     431));
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST(HttpRequestTest, OtherMethodsAreRefusedButTheirBodiesRead) {
  HttpWorld world(Hello());
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    Peer& peer = world.Open();
    world.Send(peer, absl::StrCat(method,
                                  " / HTTP/1.1\r\nHost: a\r\n"
                                  "Content-Length: 26\r\n\r\n",
                                  "GET /inside HTTP/1.1\r\n\r\n!!",
                                  std::string(kGet)));
    world.Run(1s);
    const Response refused = TakeResponse(peer.received);
    EXPECT_EQ(refused.status, 405) << method;
    EXPECT_EQ(refused.fields.at("Allow"), "GET, HEAD");
    EXPECT_EQ(TakeResponse(peer.received).status, 200) << method;
    EXPECT_FALSE(peer.ended);
  }
  EXPECT_EQ(world.Get("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").status, 501);
}

TEST(HttpRequestTest, GetMayHaveABody) {
  HttpWorld world(Hello());
  std::string stream = world.Ask(
      absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                   std::string(kGet)));
  EXPECT_EQ(TakeResponse(stream).body, "hello\n");
  EXPECT_EQ(TakeResponse(stream).body, "hello\n");
}

TEST(HttpRequestTest, ReadsLargeBodies) {
  HttpWorld world(Hello());
  Peer& peer = world.Open();
  world.Send(peer, absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\n"
                                "Content-Length: 3000000\r\n\r\n",
                                std::string(3'000'000, 'x')));
  world.Run(10s);
  EXPECT_EQ(TakeResponse(peer.received).status, 405);
  world.Send(peer, kGet);
  world.Run(1s);
  EXPECT_EQ(TakeResponse(peer.received).status, 200);
}

TEST(HttpRequestTest, RefusesBodiesAboveTheLimit) {
  HttpWorldOptions options;
  options.http.body.max_body = 1000;
  HttpWorld world(Hello(), options);
  EXPECT_TRUE(Closes(
      world, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
      413));
  EXPECT_TRUE(Closes(world,
                     absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n",
                                  "3e9\r\n", std::string(1001, 'x'), "\r\n"),
                     413));
  EXPECT_TRUE(Closes(world,
                     "POST / HTTP/1.1\r\nHost: a\r\n"
                     "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                     400));
  EXPECT_EQ(world.app().sessions_in_use(), 0u);
}

TEST(HttpRequestTest, AsksForABodyThatIsHeldBack) {
  HttpWorldOptions options;
  options.http.body.max_body = 1000;
  HttpWorld world(Hello(), options);
  Peer& peer = world.Open();
  const std::string_view head =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
  world.Send(peer,
             absl::StrCat(std::string(head), "Content-Length: 5\r\n\r\n"));
  world.Run(1s);
  EXPECT_EQ(peer.received, "HTTP/1.1 100 Continue\r\n\r\n");
  peer.received.clear();
  world.Send(peer, "abcde");
  world.Run(1s);
  EXPECT_EQ(TakeResponse(peer.received).status, 405);
  // With the body right behind there is nothing to ask for.
  EXPECT_THAT(world.Ask(absl::StrCat(std::string(head),
                                     "Content-Length: 5\r\n\r\nabcde")),
              StartsWith("HTTP/1.1 405 "));
  // And one that is too large is not asked for.
  EXPECT_TRUE(Closes(
      world, absl::StrCat(std::string(head), "Content-Length: 5000\r\n\r\n"),
      413));
}

TEST(HttpRequestTest, SendsWhatTheClientDoesNotHave) {
  HttpWorld world(Hello());
  const std::string tag = world.Get(kGet).fields.at("ETag");
  auto ask = [&](const std::string& tags) {
    return world.Get(absl::StrCat(
        "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ", tags, "\r\n\r\n"));
  };
  const Response unchanged = ask(absl::StrCat("\"other\", W/", tag));
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.fields.at("ETag"), tag);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(ask("*").status, 304);
  EXPECT_EQ(ask("\"other\"").status, 200);
  EXPECT_EQ(world.app().counters().not_modified, 2u);
}

}  // namespace
}  // namespace corelane::apptest
