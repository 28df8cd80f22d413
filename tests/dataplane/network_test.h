// A node with several cards, and hosts on their links that answer ARP requests
// and keep what they are sent.
#ifndef CORELANE_TESTS_DATAPLANE_NETWORK_TEST_H_
#define CORELANE_TESTS_DATAPLANE_NETWORK_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/script_app.h"

namespace corelane::sim {

// It listens on TCP port 80 and echoes UDP port 7.
class NetworkTest : public testing::Test {
 protected:
  static constexpr uint16_t kPort = 80;

  static MacAddress CardMac(size_t card) {
    return MacAddress({2, 0, 0, 0, 1, static_cast<uint8_t>(card)});
  }
  static MacAddress HostMac(Ipv4Address host) {
    const uint32_t a = host.value();
    return MacAddress({6, 0, static_cast<uint8_t>(a >> 24),
                       static_cast<uint8_t>(a >> 16),
                       static_cast<uint8_t>(a >> 8), static_cast<uint8_t>(a)});
  }

  // What listens.
  virtual std::unique_ptr<SimApplication> MakeApp() {
    auto app = std::make_unique<ScriptApp>();
    app->set_reading(ScriptApp::Reading::kEcho);
    return app;
  }

  // Each card has one address and what else a test puts into `config_` before.
  void Make(const std::vector<const char*>& addresses) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      dataplane::InterfaceConfig interface;
      interface.name = "sim" + std::to_string(i);
      interface.mac = CardMac(i);
      interface.caps = caps_;
      interface.addresses = {*ParseIpv4Prefix(addresses[i])};
      config_.pipeline.interfaces.push_back(interface);
    }
    for (const Vlan& v : vlans_) {
      dataplane::InterfaceConfig interface =
          config_.pipeline.interfaces[v.card];
      interface.name += ".vlan" + std::to_string(v.vlan);
      interface.device = v.card;
      interface.vlan = v.vlan;
      interface.addresses = {*ParseIpv4Prefix(v.address)};
      config_.pipeline.interfaces.push_back(interface);
    }
    config_.pipeline.arp.announcer.probe = false;
    config_.pipeline.secrets = dataplane::Secrets::FromSeed(5);
    node_ = std::make_unique<Node>(config_, now_);
    app_ = node_->Add(MakeApp());
    for (uint16_t core = 0; core < node_->cores(); ++core) {
      dataplane::Pipeline& p = node_->pipeline(core);
      ASSERT_TRUE(p.tcp().Listen({}, kPort, app_).ok());
      ASSERT_TRUE(p.udp().Bind({}, 7, app_).ok());
    }
    Pass(5s);  // announcements
    sent_.clear();
  }
  void AddVlan(uint16_t card, uint16_t vlan, const char* address) {
    vlans_.push_back({card, vlan, address});
  }
  void AddRoute(const char* to, const char* gateway) {
    config_.pipeline.routes.push_back(
        {*ParseIpv4Prefix(to), *ParseIpv4(gateway)});
  }
  // From now on somebody answers for it, on every link.
  void AddHost(const char* address) { alive_[*ParseIpv4(address)] = true; }
  void Kill(const char* address) { alive_[*ParseIpv4(address)] = false; }

  struct Sent {
    size_t card;
    Frame frame;
    ParsedFrame parsed;  // of `frame`
  };

  void Turn() {
    node_->Poll(now_);
    ASSERT_EQ(oracle_.Check(*node_), "");
    for (size_t card = 0; card < node_->port_count(); ++card) {
      for (uint16_t core = 0; core < node_->cores(); ++core) {
        for (Frame& frame : node_->port(card, core).TakeSent()) {
          Take(card, std::move(frame));
        }
      }
    }
  }
  void Pass(Duration time) {
    const Time until = now_ + time;
    while (node_->Due() <= until) {
      now_ = std::max(now_, node_->Due());
      ASSERT_NO_FATAL_FAILURE(Turn());
    }
    now_ = until;
    node_->BeginTurn(now_);
  }
  void Deliver(size_t card, const Frame& frame) {
    node_->Deliver(card, frame);
    Pass(0s);
  }

  // Of a host's packets to an address of ours, through a card.
  static Ends From(const char* host, const char* ours, size_t card = 0,
                   uint16_t vlan = ethernet::kNoVlan) {
    const Ipv4Address a = *ParseIpv4(host);
    return {HostMac(a), CardMac(card), a, *ParseIpv4(ours), vlan};
  }
  static TcpFields Syn(uint16_t source_port) {
    TcpFields f;
    f.source_port = source_port;
    f.destination_port = kPort;
    f.seq = 100;
    f.flags = tcp::kSyn;
    return f;
  }
  static arp::Packet Request(const Ends& ends) {
    arp::Packet arp;
    arp.operation = arp::kRequest;
    arp.sender_mac = ends.source_mac;
    arp.sender = ends.source;
    arp.target = ends.destination;
    return arp;
  }

  uint64_t Drops(dataplane::DropReason reason) {
    uint64_t sum = 0;
    for (uint16_t core = 0; core < node_->cores(); ++core) {
      sum += node_->pipeline(core).core().counters.Drop(reason);
    }
    return sum;
  }

  NodeConfig config_;
  dataplane::DeviceCaps caps_;  // of all cards
  Time now_ = kTimeZero + 100s;
  std::unique_ptr<Node> node_;
  uint16_t app_ = 0;
  Oracle oracle_;
  // Without ARP requests.
  std::vector<Sent> sent_;
  uint32_t asked_ = 0;  // ARP requests, announcements included
  std::map<Ipv4Address, bool> alive_;

 private:
  struct Vlan {
    uint16_t card;
    uint16_t vlan;
    const char* address;
  };
  std::vector<Vlan> vlans_;

  void Take(size_t card, Frame frame) {
    EXPECT_EQ(CheckFrame(frame, 1500), nullptr);
    const ParsedFrame p = ParseFrame(frame);
    if (!p.is_arp || p.arp.operation != arp::kRequest) {
      sent_.push_back({card, std::move(frame), p});
      return;
    }
    ++asked_;
    if (!alive_[p.arp.target]) return;
    const Ends back = {HostMac(p.arp.target), p.ethernet.source, p.arp.target,
                       p.arp.sender, p.ethernet.vlan};
    node_->Deliver(card,
                   ArpFrame(back, arp::ReplyTo(p.arp, HostMac(p.arp.target))));
  }
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DATAPLANE_NETWORK_TEST_H_
