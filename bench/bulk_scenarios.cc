#include <array>
#include <vector>

#include "bench/scenarios.h"
#include "bench/stack_harness.h"
#include "bench/visits.h"
#include "dataplane/app/echo.h"

namespace corelane::bench {
namespace {

constexpr uint16_t kPort = 9;
constexpr uint32_t kSegment = 1460;

// Keeps its connections, and throws away what they bring.
class Source : public dataplane::Application {
 public:
  void OnConnections(std::span<dataplane::ReadyConnection> ready,
                     Time /*now*/) override {
    for (dataplane::ReadyConnection& r : ready) {
      if ((r.events & dataplane::kOpened) != 0) {
        connections.push_back(r.connection);
      }
      if ((r.events & dataplane::kWritable) != 0) Feed(r.connection);
    }
  }
  // Fills the send buffer, and goes on whenever there is space again.
  void Feed(dataplane::Connection connection) {
    connection.SendStatic(memory_);
    connection.AskWritable();
  }
  ByteView memory() const { return memory_; }

  std::vector<dataplane::Connection> connections;

 private:
  std::vector<uint8_t> memory_ = std::vector<uint8_t>(1 << 20);
};

class PureAck : public Scenario {
 public:
  explicit PureAck(uint32_t connections)
      : stack_({.connections = connections}), visits_(connections) {
    const uint16_t app = stack_.pipeline().AddApplication(&source_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Establish(kPort);
  }
  Sample Step() override {
    // Connections come up in the order in which the peers were numbered.
    for (uint32_t i = 0; i < kBatch; ++i) {
      peers_[i] = visits_.Next();
      source_.connections[peers_[i]].SendStatic(
          source_.memory().first(kSegment - 12));
    }
    stack_.Turn(burst_);
    stack_.Collect();
    for (uint32_t peer : peers_) {
      burst_.push_back(stack_.TcpFrame(peer, kPort, tcp::kAck, {}));
    }
    const double ns = stack_.RunBurst(burst_);
    stack_.Collect();
    return {ns, kBatch};
  }

 private:
  Source source_;
  StackHarness stack_;
  Visits visits_;
  std::array<uint32_t, kBatch> peers_{};
  std::vector<Packet*> burst_;
};

class BulkReceive : public Scenario {
 public:
  explicit BulkReceive(bool offload)
      : stack_({.offload = offload, .peer_options = false}) {
    const uint16_t app = stack_.pipeline().AddApplication(&discard_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Establish(kPort);
  }
  Sample Step() override {
    for (uint32_t i = 0; i < kBatch; ++i) {
      burst_.push_back(stack_.TcpFrame(0, kPort, tcp::kAck, payload_));
    }
    const double ns = stack_.RunBurst(burst_);
    stack_.Collect();
    return {ns, kBatch};
  }

 private:
  dataplane::DiscardApp discard_;
  StackHarness stack_;
  std::vector<uint8_t> payload_ = std::vector<uint8_t>(kSegment);
  std::vector<Packet*> burst_;
};

class BulkSend : public Scenario {
 public:
  // The peer acknowledges so many segments at once.
  BulkSend(bool tso, uint32_t acked_at_once)
      : stack_({.tso = tso, .peer_options = false, .send_buffer = 1 << 20}),
        acked_at_once_(acked_at_once) {
    const uint16_t app = stack_.pipeline().AddApplication(&source_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Establish(kPort);
    acked_ = stack_.peers()[0].ack;
    source_.Feed(source_.connections.front());
    stack_.RunBurst(burst_);
    stack_.Collect();
    for (int i = 0; i < 64; ++i) Step();  // past slow start
  }
  Sample Step() override {
    Peer& peer = stack_.peers()[0];
    const SeqNum sent = peer.ack;
    while (acked_ != sent) {
      acked_ = SeqMin(acked_ + acked_at_once_ * kSegment, sent);
      peer.ack = acked_;
      burst_.push_back(stack_.TcpFrame(0, kPort, tcp::kAck, {}));
    }
    const double ns = stack_.RunBurst(burst_);
    stack_.Collect();
    return {ns, (peer.ack - sent) / kSegment};
  }

 private:
  Source source_;
  StackHarness stack_;
  uint32_t acked_at_once_;
  SeqNum acked_;
  std::vector<Packet*> burst_;
};

}  // namespace

std::unique_ptr<Scenario> MakePureAck(uint32_t connections) {
  return std::make_unique<PureAck>(connections);
}

std::unique_ptr<Scenario> MakeBulkReceive(bool offload) {
  return std::make_unique<BulkReceive>(offload);
}

std::unique_ptr<Scenario> MakeBulkSend() {
  return std::make_unique<BulkSend>(false, 2);
}

std::unique_ptr<Scenario> MakeBulkSendTso(uint32_t acked_at_once) {
  return std::make_unique<BulkSend>(true, acked_at_once);
}

}  // namespace corelane::bench
