#include "dataplane/inspect/sockets.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "dataplane/inspect/netstat_format.h"
#include "dataplane/inspect/telemetry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/runtime/test_stack.h"

namespace corelane::inspect {
namespace {

using testing::HasSubstr;

class NoApp final : public dataplane::Application {
 public:
  void OnConnections(std::span<dataplane::ReadyConnection> /*ready*/,
                     Time /*now*/) override {}
};

class SocketsTest : public testing::Test {
 protected:
  SocketsTest() : app_(stack_.pipeline().AddApplication(&no_app_)) {}

  void Listen(Ipv4Address address, uint16_t port) {
    ASSERT_TRUE(stack_.pipeline().tcp().Listen(address, port, app_).ok());
  }
  // Leaves the connection in SYN-SENT.
  void Connect(uint16_t port) {
    ASSERT_TRUE(stack_.pipeline()
                    .tcp()
                    .Connect(Ipv4Address(10, 77, 0, 1), port, app_)
                    .ok());
  }
  std::vector<SocketRow> All() {
    const SocketPage page = ReadSockets(
        stack_.pipeline(), 0, {.rows = 10000, .scanned = 100000}, filter_);
    std::vector<SocketRow> rows;
    for (const SocketRecord& record : page.rows) rows.push_back(ToRow(record));
    return rows;
  }

  SocketFilter filter_;
  NoApp no_app_;
  TestStack stack_;
  uint16_t app_;
};

// Another core with the same stack but for what a test says.
TEST_F(SocketsTest, WhatSeveralCoresHaveIsShownOnce) {
  TestStack other;
  const uint16_t app = other.pipeline().AddApplication(&no_app_);
  Listen(Ipv4Address(), 7);
  Listen(Ipv4Address(), 80);
  ASSERT_TRUE(other.pipeline().tcp().Listen(Ipv4Address(), 80, app).ok());
  ASSERT_TRUE(stack_.pipeline().udp().Bind(Ipv4Address(), 7, app_).ok());
  ASSERT_TRUE(stack_.pipeline().udp().Bind(Ipv4Address(), 5353, app_).ok());
  ASSERT_TRUE(other.pipeline().udp().Bind(Ipv4Address(), 7, app).ok());
  Connect(99);
  SocketPage page = ReadSockets(stack_.pipeline(), 0, {});
  ASSERT_EQ(page.rows.size(), 5u);
  MergeShared(other.pipeline(), /*keep=*/true, page.rows);
  EXPECT_EQ(page.rows.size(), 5u);
  MergeShared(other.pipeline(), /*keep=*/false, page.rows);
  std::set<std::string> left;
  for (const SocketRecord& r : page.rows) {
    left.insert(absl::StrCat(r.tcp ? "tcp" : "udp", r.key.local_port,
                             r.has_control ? "*" : ""));
  }
  EXPECT_EQ(left.size(), 3u);
  EXPECT_TRUE(left.contains("tcp7"));
  EXPECT_TRUE(left.contains("udp5353"));
}

TEST_F(SocketsTest, ShowsListenersConnectionsAndUdp) {
  Listen(Ipv4Address(), 7);
  Listen(Ipv4Address(10, 77, 0, 2), 80);
  ASSERT_TRUE(stack_.pipeline().udp().Bind(Ipv4Address(), 7, app_).ok());
  auto connected = stack_.pipeline().udp().Bind(Ipv4Address(), 5353, app_);
  ASSERT_TRUE(connected.ok());
  connected->Connect({Ipv4Address(10, 77, 0, 9), 53});
  Connect(443);

  const std::vector<SocketRow> rows = All();
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0].local, "0.0.0.0:7");
  EXPECT_EQ(rows[0].foreign, "0.0.0.0:*");
  EXPECT_EQ(rows[0].state, "LISTEN");
  EXPECT_TRUE(rows[0].server);
  EXPECT_EQ(rows[1].local, "10.77.0.2:80");
  EXPECT_FALSE(rows[2].tcp);
  EXPECT_TRUE(rows[2].server);
  EXPECT_EQ(rows[2].state, "");
  EXPECT_EQ(rows[3].foreign, "10.77.0.9:53");
  EXPECT_FALSE(rows[3].server);
  EXPECT_EQ(rows[4].foreign, "10.77.0.1:443");
  EXPECT_EQ(rows[4].state, "SYN_SENT");
  EXPECT_EQ(rows[4].send_q, 0u);
  ASSERT_TRUE(rows[4].control.has_value());
  EXPECT_EQ(rows[4].control->snd_una, rows[4].control->iss);
}

TEST_F(SocketsTest, ForgetsWhatIsClosed) {
  Listen(Ipv4Address(), 7);
  auto udp = stack_.pipeline().udp().Bind(Ipv4Address(), 7, app_);
  ASSERT_TRUE(udp.ok());
  auto connection =
      stack_.pipeline().tcp().Connect(Ipv4Address(10, 77, 0, 1), 443, app_);
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ(All().size(), 3u);
  connection->Abort();
  udp->Close();
  stack_.pipeline().tcp().CloseListener(0);
  EXPECT_EQ(All().size(), 0u);
}

TEST_F(SocketsTest, PagesMissNothingAndRepeatNothing) {
  for (uint16_t port = 1; port <= 37; ++port) Listen(Ipv4Address(), port);
  for (uint16_t port = 1; port <= 300; ++port) Connect(port);
  for (const PageLimits& limits :
       {PageLimits{.rows = 1, .scanned = 1000}, PageLimits{.rows = 7},
        PageLimits{.rows = 1000, .scanned = 5}, PageLimits{}}) {
    std::set<std::string> seen;
    std::optional<Cursor> next = 0;
    int pages = 0;
    while (next.has_value()) {
      ASSERT_LT(++pages, 1000);
      const SocketPage page = ReadSockets(stack_.pipeline(), *next, limits);
      EXPECT_LE(page.rows.size(), limits.rows);
      for (const SocketRecord& record : page.rows) {
        const SocketRow row = ToRow(record);
        EXPECT_TRUE(
            seen.insert(absl::StrCat(row.local, " ", row.foreign)).second);
      }
      if (page.next.has_value()) {
        EXPECT_GT(*page.next, *next);
      }
      next = page.next;
    }
    EXPECT_EQ(seen.size(), 337u);
  }
}

TEST_F(SocketsTest, TakesAnyCursor) {
  Listen(Ipv4Address(), 7);
  for (const Cursor cursor :
       {Cursor{1}, Cursor{1} << 32, Cursor{4} << 32 | 0xffffffff,
        Cursor{5} << 32, std::numeric_limits<Cursor>::max()}) {
    const SocketPage page = ReadSockets(stack_.pipeline(), cursor, {});
    EXPECT_TRUE(page.rows.empty());
    EXPECT_FALSE(page.next.has_value());
  }
}

TEST_F(SocketsTest, Filters) {
  Listen(Ipv4Address(), 443);
  Listen(Ipv4Address(), 7);
  ASSERT_TRUE(stack_.pipeline().udp().Bind(Ipv4Address(), 443, app_).ok());
  for (const uint16_t port : {80, 443, 444}) Connect(port);
  EXPECT_EQ(All().size(), 6u);
  filter_.port = 443;
  EXPECT_EQ(All().size(), 3u);
  filter_.tcp_only = true;
  EXPECT_EQ(All().size(), 2u);
  filter_.servers_only = true;
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].state, "LISTEN");
  filter_ = {};
  filter_.state = tcp::State::kSynSent;
  EXPECT_EQ(All().size(), 3u);
  filter_.address = Ipv4Prefix{Ipv4Address(10, 77, 0, 1), 32};
  EXPECT_EQ(All().size(), 3u);
  filter_.address = Ipv4Prefix{Ipv4Address(10, 78, 0, 0), 16};
  EXPECT_EQ(All().size(), 0u);
  filter_ = {};
  filter_.udp_only = true;
  EXPECT_EQ(All().size(), 1u);
}

TEST(SocketFilterTest, KeepsTheLargest) {
  SocketFilter filter;
  filter.top = 3;
  filter.by = TopBy::kRetransmissions;
  std::vector<SocketRecord> best;
  for (const uint32_t n : {5u, 1u, 9u, 7u, 2u, 8u, 3u}) {
    SocketRecord record;
    record.control.retransmissions = n;
    KeepBest(best, record, filter);
  }
  std::set<uint32_t> kept;
  for (const SocketRecord& r : best) kept.insert(r.control.retransmissions);
  EXPECT_EQ(kept, (std::set<uint32_t>{7, 8, 9}));
}

TEST(SocketFilterTest, GoesThroughParameters) {
  SocketFilter filter;
  for (const char* text : {"tcp", "state=time_wait", "port=80",
                           "addr=10.77.0.0/24", "top=20", "by=cwnd"}) {
    EXPECT_TRUE(ParseFilterParameter(text, filter).ok()) << text;
  }
  EXPECT_EQ(FilterParameters(filter),
            ",tcp,state=TIME_WAIT,port=80,addr=10.77.0.0/24,top=20,by=cwnd");
  for (const char* bad :
       {"", "x", "state=", "state=OPEN", "port=", "port=0", "port=65536",
        "port=+1", "addr=", "addr=10.77", "addr=10.77.0.0/33", "top=0",
        "top=26", "top=-1", "by=", "by=age", "=", "wide=1"}) {
    EXPECT_FALSE(ParseFilterParameter(bad, filter).ok()) << bad;
  }
}

SocketRow LargestRow() {
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  SocketRow row;
  row.recv_q = row.send_q = kMax;
  row.local = row.foreign = "255.255.255.255:65535";
  row.state = "ESTABLISHED";
  row.server = true;
  row.core = 127;
  ControlInfo& c = row.control.emplace();
  c.iss = c.irs = c.snd_una = c.snd_nxt = c.snd_wnd = c.rcv_nxt = kMax;
  c.rcv_wnd = c.mss = c.cwnd = c.ssthresh = c.srtt_us = c.rttvar_us = kMax;
  c.rto_us = c.retransmissions = kMax;
  // A connection's ticks wrap after 78 hours.
  c.unacked_ms = c.age_ms = uint64_t{kMax} << 16;
  return row;
}

// DPDK cuts a reply that is longer, without a word.
TEST(SocketJsonTest, TheLongestPageFitsAReply) {
  constexpr size_t kReply = 16384 - 64;
  constexpr size_t kPerRow = 8;  // the row's number and a comma
  const SocketRow row = LargestRow();
  EXPECT_LE(kSocketRows * (ToJson(row, false).dump().size() + kPerRow), kReply);
  EXPECT_LE(kWideSocketRows * (ToJson(row, true).dump().size() + kPerRow),
            kReply);
  EXPECT_LE(
      kListRows * (nlohmann::ordered_json({{"interface", "net_af_packet0_xxx"},
                                           {"address", "255.255.255.255"},
                                           {"mac", "ff:ff:ff:ff:ff:ff"},
                                           {"state", "incomplete"},
                                           {"age_ms", uint64_t{1} << 40}})
                       .dump()
                       .size() +
                   kPerRow),
      kReply);
}

TEST(SocketJsonTest, ComesBackAsItWent) {
  const SocketRow row = LargestRow();
  const auto wide = SocketFromJson(ToJson(row, true));
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->local, row.local);
  EXPECT_EQ(wide->send_q, row.send_q);
  EXPECT_TRUE(wide->server);
  ASSERT_TRUE(wide->control.has_value());
  EXPECT_EQ(wide->control->retransmissions, row.control->retransmissions);
  EXPECT_EQ(wide->control->age_ms, row.control->age_ms);
  const auto narrow = SocketFromJson(ToJson(row, false));
  ASSERT_TRUE(narrow.ok());
  EXPECT_FALSE(narrow->control.has_value());
}

TEST(SocketJsonTest, RefusesOtherShapes) {
  for (const char* text :
       {"{}", "[]", "null", "7", R"({"proto":"tcp"})",
        R"({"proto":"tcp","recv_q":"x","send_q":0,"local":"","foreign":"",)"
        R"("state":""})",
        R"({"proto":"tcp","recv_q":0,"send_q":0,"local":"","foreign":"",)"
        R"("state":"","snd_una":1})"}) {
    EXPECT_FALSE(SocketFromJson(nlohmann::ordered_json::parse(text)).ok())
        << text;
  }
}

std::vector<SocketRow> SomeRows() {
  SocketRow listener;
  listener.local = "0.0.0.0:7";
  listener.foreign = "0.0.0.0:*";
  listener.state = "LISTEN";
  listener.server = true;
  SocketRow udp = listener;
  udp.tcp = false;
  udp.state = "";
  SocketRow connection;
  connection.recv_q = 12;
  connection.send_q = 345;
  connection.local = "10.77.0.2:7";
  connection.foreign = "10.77.0.1:45678";
  connection.state = "ESTABLISHED";
  ControlInfo& c = connection.control.emplace();
  c.snd_una = 1000;
  c.snd_nxt = 1345;
  c.snd_wnd = 64240;
  c.rcv_nxt = 4000000000;
  c.rcv_wnd = 262144;
  c.cwnd = 14600;
  c.ssthresh = 0x7fffffff;
  c.srtt_us = 1234;
  c.rto_us = 200000;
  c.retransmissions = 3;
  c.unacked_ms = 1500;
  c.age_ms = 3723000;
  return {listener, udp, connection};
}

TEST(NetstatFormatTest, LooksAsInTheTextbook) {
  EXPECT_EQ(
      FormatNetstat(SomeRows(), {}),
      "Active Internet connections (servers and established)\n"
      "Proto Recv-Q Send-Q Local Address           Foreign Address         "
      "State\n"
      "tcp        0      0 0.0.0.0:7               0.0.0.0:*               "
      "LISTEN\n"
      "udp        0      0 0.0.0.0:7               0.0.0.0:*\n"
      "tcp       12    345 10.77.0.2:7             10.77.0.1:45678         "
      "ESTABLISHED\n");
}

TEST(NetstatFormatTest, Selects) {
  const std::vector<SocketRow> rows = SomeRows();
  auto lines = [&](const NetstatOptions& options) {
    const std::string text = FormatNetstat(rows, options);
    return std::count(text.begin(), text.end(), '\n') - 2;
  };
  EXPECT_EQ(lines({.listening = true}), 2);
  EXPECT_EQ(lines({.listening = true, .all = true}), 3);
  EXPECT_EQ(lines({.tcp = true}), 2);
  EXPECT_EQ(lines({.udp = true}), 1);
  EXPECT_EQ(lines({.tcp = true, .udp = true}), 3);
  EXPECT_EQ(lines({.tcp = true, .listening = true}), 1);
  EXPECT_THAT(FormatNetstat({}, {.listening = true}),
              HasSubstr("only servers"));
}

TEST(NetstatFormatTest, WideColumnsStandBelowTheirNames) {
  const std::string text =
      FormatNetstat(SomeRows(), {.tcp = true, .wide = true});
  std::vector<std::string> lines;
  size_t start = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    lines.push_back(text.substr(start, end - start));
  }
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2].substr(lines[2].size() - 6), "LISTEN");
  EXPECT_EQ(lines[1].size(), lines[3].size());
  const std::pair<const char*, const char*> kColumns[] = {
      {" snd_una", "1000"}, {" snd_nxt", "1345"}, {" rcv_nxt", "4000000000"},
      {" ssthresh", "-"},   {" srtt", "1.234ms"}, {" rto", "200.000ms"},
      {" retrans", "3"},    {" unacked", "1.5s"}, {" age", "62m03s"},
  };
  for (const auto& [name, value] : kColumns) {
    const size_t end = lines[1].find(name) + std::string(name).size();
    const std::string cell = absl::StrCat(" ", value);
    EXPECT_EQ(lines[3].substr(end - cell.size(), cell.size()), cell) << name;
  }
}

}  // namespace
}  // namespace corelane::inspect
