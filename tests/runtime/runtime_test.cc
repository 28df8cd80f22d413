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

TEST(RuntimeTest, RunsIsLookedIntoAndStops) {
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

TEST(RuntimeTest, AFailedStartLeavesNothingBehind) {
  RuntimeOptions options = Options("null,no-rx=1");
  options.mtu = 9216;  // more than net_null takes, which only DPDK knows
  options.raw_eal_args = {"-m", "8"};
  const auto runtime = Runtime::Start(options);
  ASSERT_FALSE(runtime.ok());
  EXPECT_FALSE(pmd::FindInstance(options.name).has_value());
  EXPECT_FALSE(std::filesystem::exists(pmd::RuntimeDirectory(options.name)));
}

TEST(RuntimeTest, NamesTheArgumentThatDpdkDoesNotTake) {
  RuntimeOptions options = Options("null,no-rx=1");
  options.raw_eal_args = {"--no-such-argument"};
  const auto runtime = Runtime::Start(options);
  ASSERT_FALSE(runtime.ok());
  if (runtime.status().code() == absl::StatusCode::kFailedPrecondition) {
    GTEST_SKIP() << "DPDK starts once per process: run the tests one by one";
  }
  EXPECT_NE(runtime.status().message().find("--no-such-argument"),
            absl::string_view::npos)
      << runtime.status();
}

}  // namespace
}  // namespace corelane::runtime
