// One node, and a stranger that sends it whatever a test likes. In the end
// every invariant holds and every packet is back.
#ifndef CORELANE_TESTS_DATAPLANE_NODE_TEST_H_
#define CORELANE_TESTS_DATAPLANE_NODE_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script_app.h"

namespace corelane::sim {

// It listens on port 80, where it sends back what it reads.
class NodeTest : public testing::Test {
 protected:
  static constexpr uint16_t kPort = 80;

  NodeTest() : NodeTest({64, 128, 64, 64, 128}) {}
  explicit NodeTest(const dataplane::TcpLimits& limits)
      : now_(kTimeZero + 100s) {
    NodeConfig c;
    dataplane::InterfaceConfig interface;
    interface.name = "sim0";
    interface.mac = MacOf(0, 0);
    interface.addresses = {{Ipv4Address(10, 0, 0, 1), 8}};
    c.pipeline.interfaces.push_back(interface);
    c.pipeline.secrets = dataplane::Secrets::FromSeed(3);
    c.pipeline.limits = limits;
    c.pipeline.arp.limits.capacity = 256;
    c.pipeline.arp.announcer.probe = false;
    c.packets = 4096;
    c.poison = true;
    node_ = std::make_unique<Node>(c, now_);
    auto app = std::make_unique<ScriptApp>();
    app_ = app.get();
    app_->set_reading(ScriptApp::Reading::kEcho);
    const uint16_t number = node_->Add(std::move(app));
    EXPECT_TRUE(node_->pipeline().tcp().Listen({}, kPort, number).ok());
    EXPECT_TRUE(node_->pipeline().udp().Bind({}, 7, number).ok());
    Pass(5s);  // announcements
    sent_.clear();
  }

  ~NodeTest() override {
    for (uint16_t port : open_) {
      TcpFields f = Fields(port);
      f.flags = tcp::kRst;
      Deliver(TcpFrame(ends_, f));
    }
    Pass(200s);
    EXPECT_EQ(Oracle::CheckAtRest(*node_), "");
    EXPECT_EQ(node_->TearDown(), 0u);
  }

  void Turn() {
    node_->Poll(now_);
    ASSERT_EQ(oracle_.Check(*node_), "");
    ASSERT_EQ(node_->port(0).problem(), nullptr) << node_->port(0).problem();
    for (Frame& frame : node_->port(0).TakeSent()) {
      const ParsedFrame f = ParseFrame(frame);
      if (f.is_arp && f.arp.operation == arp::kRequest && answer_arp_ &&
          f.arp.target != Ipv4Address(10, 0, 0, 1)) {
        node_->port(0).Deliver(
            ArpFrame(ends_, arp::ReplyTo(f.arp, ends_.source_mac)));
        continue;
      }
      if (!f.is_arp) sent_.push_back(std::move(frame));
    }
  }

  void Pass(Duration time) {
    const Time until = now_ + time;
    while (node_->Due() <= until) {
      now_ = std::max(now_, node_->Due());
      ASSERT_NO_FATAL_FAILURE(Turn());
    }
    now_ = until;
    node_->pipeline().BeginTurn(now_);
  }

  void Deliver(const Frame& frame) {
    node_->port(0).Deliver(frame);
    Pass(0s);
  }

  uint64_t Drops(dataplane::DropReason reason) {
    return node_->pipeline().core().counters.Drop(reason);
  }
  uint32_t PacketsHeld() {
    return node_->heap().capacity() - node_->FreePackets();
  }

  // A peer's side of a connection, by its port.
  struct Numbers {
    uint32_t seq = 5000;
    uint32_t ack = 0;
  };
  TcpFields Fields(uint16_t port) {
    TcpFields f;
    f.source_port = port;
    f.destination_port = destination_port_;
    f.seq = numbers_[port].seq;
    f.ack = numbers_[port].ack;
    f.flags = tcp::kAck;
    f.options = options_[port];
    return f;
  }

  // Opens a connection; false if the stack does not answer.
  bool Open(uint16_t port) {
    numbers_[port] = Numbers();
    TcpFields f = Fields(port);
    f.flags = tcp::kSyn;
    sent_.clear();
    Deliver(TcpFrame(ends_, f));
    if (sent_.empty()) return false;
    const ParsedFrame answer = ParseFrame(sent_.back());
    if (!answer.is_tcp || !answer.tcp.Has(tcp::kSyn)) return false;
    numbers_[port] = {5001, answer.tcp.seq.value() + 1};
    Deliver(TcpFrame(ends_, Fields(port)));
    open_.push_back(port);
    return true;
  }

  // Sends some bytes and expects them back.
  bool Echoes(uint16_t port) {
    TcpFields f = Fields(port);
    f.payload = {1, 2, 3, 4, 5};
    sent_.clear();
    Deliver(TcpFrame(ends_, f));
    numbers_[port].seq += 5;
    for (const Frame& frame : sent_) {
      const ParsedFrame p = ParseFrame(frame);
      if (!p.is_tcp || p.tcp.destination_port != port) continue;
      if (!std::equal(p.payload.begin(), p.payload.end(), f.payload.begin(),
                      f.payload.end())) {
        continue;
      }
      numbers_[port].ack += 5;
      Deliver(TcpFrame(ends_, Fields(port)));
      return true;
    }
    return false;
  }

  void ExpectService(uint16_t port) {
    ASSERT_TRUE(Open(port));
    EXPECT_TRUE(Echoes(port));
  }

  Ends ends_{MacOf(1, 0), MacOf(0, 0), Ipv4Address(10, 0, 0, 2),
             Ipv4Address(10, 0, 0, 1)};
  Time now_;
  std::unique_ptr<Node> node_;
  ScriptApp* app_ = nullptr;
  Oracle oracle_;
  uint16_t destination_port_ = kPort;
  std::vector<Frame> sent_;
  std::map<uint16_t, Numbers> numbers_;
  // Those of the port's segments.
  std::map<uint16_t, std::vector<uint8_t>> options_;
  std::vector<uint16_t> open_;
  bool answer_arp_ = true;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DATAPLANE_NODE_TEST_H_
