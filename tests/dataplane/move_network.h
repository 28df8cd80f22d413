// A host of several cores whose connections go from one to another when their
// peer says so.
#ifndef CORELANE_TESTS_DATAPLANE_MOVE_NETWORK_H_
#define CORELANE_TESTS_DATAPLANE_MOVE_NETWORK_H_

#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "dataplane/app/echo.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/icmp/message.h"
#include "tests/dataplane/network_test.h"

namespace corelane::sim {

using dataplane::Connection;
using dataplane::ReadyConnection;

// Echoes; "go" with a digit behind it sends the connection to that core; "keep"
// is read and not answered before "all".
class Mover final : public SimApplication {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time /*now*/) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & dataplane::kGone) != 0) {
        ++gone;
        continue;
      }
      Answer(r.connection);
    }
  }
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& luggage) override {
    if (!may_leave) return false;
    luggage = {'b', 'a', 'g'};
    ++left;
    return true;
  }
  void OnArrive(Connection connection,
                std::span<const uint8_t> luggage) override {
    EXPECT_EQ(std::string(luggage.begin(), luggage.end()), "bag");
    EXPECT_EQ(connection.app_data(), 7u);
    ++arrived;
  }
  void OnLost(uint32_t app_data, std::span<const uint8_t> luggage) override {
    EXPECT_EQ(std::string(luggage.begin(), luggage.end()), "bag");
    EXPECT_EQ(app_data, 7u);
    ++lost;
  }

  bool may_leave = true;
  int left = 0;
  int arrived = 0;
  int lost = 0;
  int gone = 0;

 private:
  void Answer(Connection c) {
    c.set_app_data(7);
    const ByteView front = c.Front();
    const std::string text(front.begin(), front.end());
    if (text.starts_with("go")) {
      asked = c.MoveTo(static_cast<uint16_t>(text[2] - '0'));
      c.Consume(3);
      Answer(c);
      return;
    }
    if (text.starts_with("keep")) return;
    c.Send(front);
    c.Consume(static_cast<uint32_t>(front.size()));
    if (c.at_end()) c.Close();
  }

 public:
  bool asked = false;
};

class MoveTest : public NetworkTest {
 protected:
  void Start(uint16_t cores = 3) {
    config_.cores = cores;
    config_.queues = 1;
    config_.pipeline.tcp.time_wait = 1s;
    config_.pipeline.limits.max_connections = 16;
    AddHost("10.1.0.1");
    Make({"10.1.0.9/24"});
  }
  std::unique_ptr<SimApplication> MakeApp() override {
    auto app = std::make_unique<Mover>();
    mover_ = app.get();
    return app;
  }
  void TearDown() override {
    if (!node_) return;
    Pass(300s);
    EXPECT_EQ(Oracle::CheckAtRest(*node_), "");
    EXPECT_EQ(node_->TearDown(), 0u);
  }

  // Opens a connection whose home is that core; returns its remote port.
  uint16_t Open(uint16_t home) {
    static uint16_t next = 10'000;
    while (node_->OwnerOf(Key(++next)) != home) continue;
    const uint16_t port = next;
    seq_[port] = {101, 0};
    sent_.clear();
    TcpFields syn = Syn(port);
    syn.options = {2, 4, 1460 >> 8, 1460 & 0xff};
    Deliver(0, TcpFrame(ends_, syn));
    seq_[port].ack = LastTo(port)->tcp.seq.value() + 1;
    Say(port, "");
    return port;
  }
  tcp::FlowKey Key(uint16_t port) const {
    return {ends_.destination.value(), ends_.source.value(), kPort, port};
  }
  TcpFields Fields(uint16_t port, const std::string& text) {
    TcpFields f;
    f.source_port = port;
    f.destination_port = kPort;
    f.seq = seq_[port].seq;
    f.ack = seq_[port].ack;
    f.flags = tcp::kAck;
    f.payload.assign(text.begin(), text.end());
    return f;
  }
  // Sends a segment; returns what came back as text, and acknowledges it.
  std::string Say(uint16_t port, const std::string& text, uint8_t flags = 0) {
    sent_.clear();
    TcpFields f = Fields(port, text);
    f.flags |= flags;
    Deliver(0, TcpFrame(ends_, f));
    seq_[port].seq += static_cast<uint32_t>(text.size());
    return Heard(port);
  }
  std::string Heard(uint16_t port) {
    std::string answer;
    for (const Sent& s : sent_) {
      if (!s.parsed.is_tcp || s.parsed.tcp.destination_port != port) continue;
      if (s.parsed.tcp.seq.value() != seq_[port].ack) continue;
      answer.append(s.parsed.payload.begin(), s.parsed.payload.end());
      seq_[port].ack += static_cast<uint32_t>(s.parsed.payload.size());
    }
    sent_.clear();
    if (!answer.empty()) Deliver(0, TcpFrame(ends_, Fields(port, "")));
    return answer;
  }
  std::optional<ParsedFrame> LastTo(uint16_t port) {
    for (auto s = sent_.rbegin(); s != sent_.rend(); ++s) {
      if (s->parsed.is_tcp && s->parsed.tcp.destination_port == port) {
        return s->parsed;
      }
    }
    return std::nullopt;
  }
  // The core on which the connection is; -1 if it is nowhere, -2 on several.
  int CoreOf(uint16_t port) {
    int found = -1;
    for (uint16_t core = 0; core < node_->cores(); ++core) {
      const dataplane::TcpLayer& tcp = node_->pipeline(core).tcp();
      for (uint32_t i = 0; i < tcp.blocks().high_water(); ++i) {
        const tcp::ControlBlock& cb = tcp.block(i);
        if (cb.generation == 0 || !(cb.key == Key(port))) continue;
        found = found == -1 ? core : -2;
      }
    }
    return found;
  }
  void Close(uint16_t port) {
    Say(port, "", tcp::kFin);
    ++seq_[port].seq;
    ++seq_[port].ack;  // of its FIN
    Say(port, "");
    EXPECT_EQ(CoreOf(port), -1);
  }
  // A connection of core 0's that moved to core 1, where we closed first: a
  // record in TIME-WAIT is there. Returns its remote port.
  uint16_t EndOnCoreOne() {
    const uint16_t port = Open(0);
    Say(port, "go1");
    node_->pipeline(1).tcp().Close(0);
    Pass(0s);
    ++seq_[port].ack;  // of its FIN
    Say(port, "", tcp::kFin);
    ++seq_[port].seq;
    return port;
  }
  // Has a core take a segment as though another had passed it on.
  void PassOn(uint16_t core, uint16_t port, const std::string& text) {
    const Frame frame = TcpFrame(ends_, Fields(port, text));
    dataplane::Pipeline& to = node_->pipeline(core);
    dataplane::Packet* packet = to.core().pool.Alloc();
    const ByteView segment = ByteView(frame).subspan(34, 20 + text.size());
    std::copy(segment.begin(), segment.end(),
              dataplane::Append(packet, static_cast<uint16_t>(segment.size())));
    dataplane::MetaOf(packet).flow = Key(port);
    sent_.clear();
    to.ReceivePassedOn(0, packet, false);
  }
  void Reset(uint16_t port) { Say(port, "", tcp::kRst); }
  uint64_t Sum(uint64_t dataplane::Counters::*counter) {
    uint64_t sum = 0;
    for (uint16_t i = 0; i < node_->cores(); ++i) {
      sum += node_->pipeline(i).core().counters.*counter;
    }
    return sum;
  }

  const Ends ends_ = From("10.1.0.1", "10.1.0.9");
  Mover* mover_ = nullptr;
  struct Numbers {
    uint32_t seq;
    uint32_t ack;
  };
  std::map<uint16_t, Numbers> seq_;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DATAPLANE_MOVE_NETWORK_H_
