#include "dataplane/app/metrics_app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/app/http_world.h"

namespace corelane::apptest {
namespace {

constexpr std::string_view kGetMetrics =
    "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

const dataplane::Content& Unused() {
  static const auto* content =
      dataplane::Content::FromText("unused\n")->release();
  return *content;
}

class MetricsAppTest : public testing::Test {
 protected:
  explicit MetricsAppTest(size_t size = 100000) : text_(size, 'm') {
    page_.Publish({text_, 784111777});
    options_.metrics = &page_;
  }

  std::string text_;
  dataplane::MetricsPage page_;
  HttpWorldOptions options_;
};

TEST_F(MetricsAppTest, AnswersWithThePage) {
  HttpWorld world(Unused(), options_);
  const Response response = world.Get(kGetMetrics);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, text_);
  world.Run(70s);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST_F(MetricsAppTest, RefusesEverythingElse) {
  HttpWorld world(Unused(), options_);
  EXPECT_EQ(world.Get("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
  EXPECT_EQ(world.Get("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
  EXPECT_EQ(world.Get("nonsense\r\n\r\n").status, 400);
  EXPECT_EQ(
      world.Get("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", false).status,
      200);
}

TEST_F(MetricsAppTest, HasNothingToSayBeforeTheFirstPage) {
  const dataplane::MetricsPage empty;
  options_.metrics = &empty;
  HttpWorld world(Unused(), options_);
  EXPECT_EQ(world.Get(kGetMetrics).status, 503);
}

TEST_F(MetricsAppTest, CutsOffWhoIsSlow) {
  HttpWorld world(Unused(), options_);
  Peer& silent = world.Open();
  Peer& endless = world.Open();
  world.Send(endless, "GET /metrics HTTP/1.1\r\nX: " + std::string(5000, 'x'));
  // Takes the head of the reply and then nothing.
  Peer& deaf = world.Open();
  world.SetReading(deaf, false);
  world.Send(deaf, kGetMetrics);
  Peer& gone = world.Open();
  world.Send(gone, kGetMetrics);
  world.Reset(gone);
  world.Run(30s);
  EXPECT_TRUE(silent.reset);
  EXPECT_TRUE(endless.reset || endless.ended);
  world.Run(90s);
  EXPECT_EQ(world.server_connections(), 0u);
}

TEST_F(MetricsAppTest, ManyAtOnceAreBounded) {
  HttpWorld world(Unused(), options_);
  std::vector<Peer*> peers;
  for (size_t i = 0; i < 2 * dataplane::MetricsApp::kMostReplies; ++i) {
    peers.push_back(&world.Open());
    world.SetReading(*peers.back(), false);
    world.Send(*peers.back(), kGetMetrics);
  }
  world.Run(1s);
  for (Peer* peer : peers) world.SetReading(*peer, true);
  world.Run(60s);
  EXPECT_TRUE(world.healthy());
  EXPECT_EQ(world.server_connections(), 0u);
}

}  // namespace
}  // namespace corelane::apptest
