// What the tests of loads have in common.
#ifndef CORELANE_TESTS_APP_LOAD_WORLD_H_
#define CORELANE_TESTS_APP_LOAD_WORLD_H_

#include <span>
#include <utility>

#include "dataplane/api/application.h"
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

}  // namespace corelane::dataplane

#endif  // CORELANE_TESTS_APP_LOAD_WORLD_H_
