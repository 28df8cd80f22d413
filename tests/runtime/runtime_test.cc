// A whole instance on a device that needs no privilege: DPDK, loop, telemetry,
// client, stop.
#include "dataplane/runtime/runtime.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "dataplane/app/echo.h"
#include "dataplane/inspect/client.h"
#include "dataplane/inspect/sockets.h"
#include "dataplane/inspect/telemetry.h"
#include "dataplane/runtime/stop_signal.h"
#include "gtest/gtest.h"
#include "pmd/instance.h"

namespace corelane::runtime {
namespace {

RuntimeOptions Options(const std::string& device) {
  RuntimeOptions options;
  options.name = absl::StrCat("test", getpid());
  const std::string devices[] = {device};
  options.devices = *pmd::ParseDevices(devices);
  options.addresses = {{{Ipv4Address(10, 77, 0, 2), 24}, 0}};
  options.huge_pages = pmd::HugePages::kOff;
  options.max_connections = 64;
  options.idle = pmd::IdleMode::kAdaptive;
  return options;
}

// DPDK starts once per process, so ctest runs each test in one of its own.
// Where the binary runs several they fail: a test that did not run must not
// pass for one that did.
class RuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static bool used = false;
    ASSERT_FALSE(used) << "DPDK starts once per process: use ctest";
    used = true;
  }
};

// What a client sees, from a thread beside the loop.
struct Seen {
  absl::StatusOr<nlohmann::ordered_json> sockets = absl::UnknownError("");
  absl::StatusOr<nlohmann::ordered_json> ports = absl::UnknownError("");
  absl::StatusOr<nlohmann::ordered_json> stats = absl::UnknownError("");
};

Seen AskEverything(const std::string& name) {
  Seen seen;
  auto client = inspect::Client::Connect(name);
  if (!client.ok()) {
    seen.sockets = client.status();
    return seen;
  }
  seen.sockets = client->AskAll("/corelane/netstat", ",wide");
  seen.ports = client->AskAll("/corelane/ports");
  seen.stats = client->Ask("/corelane/stats");
  return seen;
}

TEST_F(RuntimeTest, RunsIsLookedIntoAndStops) {
  const StopSignal stop;
  const RuntimeOptions options = Options("null,no-rx=1");
  dataplane::EchoApp app;
  {
    auto runtime = Runtime::Start(options);
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    dataplane::Pipeline& pipeline = (*runtime)->pipeline();
    const uint16_t id = pipeline.AddApplication(&app);
    ASSERT_TRUE(pipeline.tcp().Listen(Ipv4Address(), 7, id).ok());
    EXPECT_TRUE((*runtime)->ClaimAddresses().ok());
    auto telemetry = inspect::Telemetry::Start(runtime->get());
    ASSERT_TRUE(telemetry.ok()) << telemetry.status();

    Seen seen;
    std::thread client([&] {
      seen = AskEverything(options.name);
      kill(getpid(), SIGTERM);
    });
    (*runtime)->Run();
    client.join();

    ASSERT_TRUE(seen.sockets.ok()) << seen.sockets.status();
    ASSERT_EQ(seen.sockets->size(), 1u);
    const auto row = inspect::SocketFromJson((*seen.sockets)[0]);
    ASSERT_TRUE(row.ok());
    EXPECT_EQ(row->local, "0.0.0.0:7");
    EXPECT_EQ(row->state, "LISTEN");
    ASSERT_TRUE(seen.ports.ok()) << seen.ports.status();
    EXPECT_EQ((*seen.ports)[0]["driver"], "net_null");
    ASSERT_TRUE(seen.stats.ok()) << seen.stats.status();
    EXPECT_EQ((*seen.stats)["resources"]["max_connections"], 64);

    // The loop has ended; nobody may wait for it.
    const Seen late = AskEverything(options.name);
    EXPECT_FALSE(late.sockets.ok());
    EXPECT_TRUE(late.ports.ok());
  }
  EXPECT_FALSE(pmd::FindInstance(options.name).has_value());
  EXPECT_FALSE(std::filesystem::exists(pmd::RuntimeDirectory(options.name)));
}

using nlohmann::ordered_json;

// Everything that a client may send, from a thread beside the loop.
void ChangeEverything(const std::string& name) {
  auto client = inspect::Client::Connect(name);
  ASSERT_TRUE(client.ok()) << client.status();
  auto ask = [&](const std::string& request) {
    return client->Ask("/corelane/" + request).status();
  };
  EXPECT_TRUE(ask("addr/add,10.77.0.3/24@0").ok());
  EXPECT_TRUE(ask("addr/add,10.78.0.2/24").ok());
  EXPECT_TRUE(ask("route/add,10.1.0.0/16,10.78.0.1").ok());
  EXPECT_TRUE(ask("route/add,0.0.0.0/0,10.77.0.1").ok());
  EXPECT_TRUE(ask("arp/flush").ok());
  const auto routes = client->AskAll("/corelane/route");
  ASSERT_TRUE(routes.ok());
  EXPECT_EQ(routes->size(), 4u);
  for (const std::string& bad : std::vector<std::string>{
           "addr/add",
           "addr/add,",
           "addr/add,10.77.0.4",
           "addr/add,x",
           "addr/add,10.77.0.4/24@1",
           "addr/add,10.77.0.4/24@",
           "addr/add,10.77.0.4/24@0@0",
           "addr/add,10.80.0.4/24@vlan3",  // not there at start
           "addr/add,10.80.0.4/24@0.vlan0",
           "addr/add,10.77.0.4/24,x",
           "addr/add,10.77.0.3/24",
           "addr/add,10.79.0.0/24",
           "addr/del,10.77.0.9",
           "addr/del,10.77.0.3/24",
           "addr/del",
           "addr/del,10.78.0.2",  // a route's gateway is behind it
           "route/add,10.1.0.0/16,10.78.0.1",
           "route/del,10.1.0.0/16,10.77.0.7",
           "route/del,10.1.0.0/16,0.0.0.0",
           "route/del,10.1.0.0/16,10.77.0.1,x",
           "route/add,10.2.0.0/16",
           "route/add,10.2.0.0/16,10.99.0.1",
           "route/add,10.2.0.1/16,10.77.0.1",
           "route/del,10.3.0.0/16",
           "route/del,10.77.0.0/24",
           "arp/flush,x",
           "capture/start,tpc",
           "capture/stop,x",
           "stats,x",
           "stats,1",
           "cores,x",
           "netstat,x",
           "netstat,0,x",
           "netstat,18446744073709551616",
           "netstat,0,top=0",
           "addr/add,10.77.0.4/24" + std::string(600, ' '),
           "addr/add," + std::string(5000, '1')}) {
    const absl::Status status = ask(bad);
    EXPECT_FALSE(status.ok()) << bad;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  }
  const auto same = client->AskAll("/corelane/route");
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(*same, *routes);
  EXPECT_TRUE(ask("capture/stop").ok());  // there is none
  EXPECT_TRUE(ask("capture/start,tcp port 80").ok());
  // The first one's client never beat: it counts as dead.
  EXPECT_TRUE(ask("capture/start").ok());
  EXPECT_TRUE(ask("route/add,10.1.0.0/16,10.77.0.1").ok());  // an equal way
  const auto ways = client->AskAll("/corelane/route");
  ASSERT_TRUE(ways.ok());
  ASSERT_EQ(ways->size(), 5u);
  EXPECT_EQ((*ways)[2]["destination"], (*ways)[3]["destination"]);
  EXPECT_TRUE(ask("route/del,10.1.0.0/16,10.77.0.1").ok());
  EXPECT_TRUE(ask("route/add,10.1.0.0/16,10.77.0.1").ok());
  EXPECT_TRUE(ask("route/del,10.1.0.0/16").ok());  // both
  EXPECT_TRUE(ask("addr/del,10.78.0.2").ok());
  EXPECT_TRUE(ask("addr/del,10.77.0.2").ok());
  EXPECT_FALSE(ask("addr/del,10.77.0.3").ok());  // the last one
  const auto addresses = client->AskAll("/corelane/addr");
  ASSERT_TRUE(addresses.ok());
  ASSERT_EQ(addresses->size(), 1u);
  EXPECT_EQ((*addresses)[0]["address"], "10.77.0.3/24");
}

TEST_F(RuntimeTest, ChangesWhileItRunsAndRefusesNonsense) {
  const StopSignal stop;
  const RuntimeOptions options = Options("null,no-rx=1");
  auto runtime = Runtime::Start(options);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  EXPECT_TRUE((*runtime)->ClaimAddresses().ok());
  auto telemetry = inspect::Telemetry::Start(runtime->get());
  ASSERT_TRUE(telemetry.ok()) << telemetry.status();
  std::thread client([&] {
    ChangeEverything(options.name);
    kill(getpid(), SIGTERM);
  });
  (*runtime)->Run();
  client.join();
}

TEST_F(RuntimeTest, AFailedStartLeavesNothingBehind) {
  RuntimeOptions options = Options("null,no-rx=1");
  options.mtu = 9216;  // more than net_null takes, which only DPDK knows
  options.raw_eal_args = {"-m", "8"};
  const auto runtime = Runtime::Start(options);
  ASSERT_FALSE(runtime.ok());
  EXPECT_FALSE(pmd::FindInstance(options.name).has_value());
  EXPECT_FALSE(std::filesystem::exists(pmd::RuntimeDirectory(options.name)));
}

TEST_F(RuntimeTest, NamesTheArgumentThatDpdkDoesNotTake) {
  RuntimeOptions options = Options("null,no-rx=1");
  options.raw_eal_args = {"--no-such-argument"};
  const auto runtime = Runtime::Start(options);
  ASSERT_FALSE(runtime.ok());
  EXPECT_NE(runtime.status().message().find("--no-such-argument"),
            absl::string_view::npos)
      << runtime.status();
}

}  // namespace
}  // namespace corelane::runtime
