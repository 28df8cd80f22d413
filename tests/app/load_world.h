// What the tests of loads have in common.
#ifndef CORELANE_TESTS_APP_LOAD_WORLD_H_
#define CORELANE_TESTS_APP_LOAD_WORLD_H_

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/api/application.h"
#include "dataplane/load/load.h"
#include "gtest/gtest.h"
#include "tests/sim/world.h"

namespace corelane::dataplane {

// Any application in the simulator.
template <typename App>
class Shell final : public sim::SimApplication {
 public:
  template <typename... Args>
  explicit Shell(Args&&... args) : app_(std::forward<Args>(args)...) {}
  void OnConnections(std::span<ReadyConnection> r, Time now) override {
    app_.OnConnections(r, now);
  }
  void OnDatagrams(std::span<Datagram> d, Time now) override {
    app_.OnDatagrams(d, now);
  }
  void OnDatagramError(const DatagramError& e) override {
    app_.OnDatagramError(e);
  }
  Time OnTurn(Time now) override { return app_.OnTurn(now); }
  App& app() { return app_; }

 private:
  App app_;
};

inline sim::NodeConfig NodeOf(Ipv4Address address, uint8_t number) {
  InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacAddress({2, 0, 0, 0, 0, number});
  interface.addresses = {{address, 24}};
  sim::NodeConfig config;
  config.pipeline.interfaces = {interface};
  config.pipeline.secrets = Secrets::FromSeed(number);
  config.pipeline.arp.announcer.probe = false;
  config.packets = 16384;
  return config;
}

// A client and a server, joined by a wire of 100 us each way.
class LoadWorld : public ::testing::Test {
 protected:
  static constexpr Ipv4Address kServer{10, 77, 0, 2};
  static constexpr Ipv4Address kClient{10, 77, 0, 1};
  static constexpr uint16_t kPort = 80;

  // `ranges` are the client's as well.
  explicit LoadWorld(std::vector<Ipv4Prefix> ranges = {})
      : world_(1, kTimeZero + 1s) {
    sim::NodeConfig client = NodeOf(kClient, 1);
    client.pipeline.interfaces[0].ranges = std::move(ranges);
    world_.AddNode(client);
    world_.AddNode(NodeOf(kServer, 2));
    sim::WireConfig wire;
    wire.delay = 100us;
    wire.queue_bytes = 1u << 26;
    world_.Join({0, 0}, {1, 0}, wire, wire);
    load_.target = {kServer, kPort};
    load_.duration = 1s;
    load_.timeout = 500ms;
  }
  ~LoadWorld() override {
    EXPECT_EQ(world_.failure(), "");
    EXPECT_EQ(world_.node(0).TearDown(), 0u);
    EXPECT_EQ(world_.node(1).TearDown(), 0u);
  }

  template <typename App, typename... Args>
  App& Serve(Args&&... args) {
    auto shell = std::make_unique<Shell<App>>(std::forward<Args>(args)...);
    App& app = shell->app();
    Pipeline& pipeline = world_.node(1).pipeline();
    const uint16_t id = world_.node(1).Add(std::move(shell));
    EXPECT_TRUE(pipeline.tcp().Listen({}, kPort, id).ok());
    EXPECT_TRUE(pipeline.udp().Bind({}, kPort, id).ok());
    return app;
  }

  template <typename L, typename Config>
  L& Start(const Config& config) {
    auto shell = std::make_unique<Shell<L>>(config);
    Shell<L>* raw = shell.get();
    Pipeline& pipeline = world_.node(0).pipeline();
    const uint16_t id = world_.node(0).Add(std::move(shell));
    pipeline.AddTicker(raw);
    if constexpr (requires { raw->app().Attach(&pipeline.tcp(), id); }) {
      raw->app().Attach(&pipeline.tcp(), id);
    } else {
      EXPECT_TRUE(raw->app().Attach(&pipeline.udp(), id).ok());
    }
    return raw->app();
  }

  Tally Run(Load& load) {
    EXPECT_TRUE(
        world_.RunUntil([&] { return load.Finished(); }, world_.now() + 60s))
        << "the load does not end " << world_.failure();
    return load.TakeTally();
  }

  sim::World world_;
  LoadConfig load_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_TESTS_APP_LOAD_WORLD_H_
