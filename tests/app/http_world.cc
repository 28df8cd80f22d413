#include "tests/app/http_world.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/frames.h"

namespace corelane::apptest {
namespace {

using dataplane::Connection;
using dataplane::ReadyConnection;

constexpr Ipv4Address kServer(10, 77, 0, 2);
constexpr Ipv4Address kClient(10, 77, 0, 1);
// 2026-01-01T00:00:00Z, where the virtual clock starts.
constexpr int64_t kWallClock = int64_t{1767225600} * 1'000'000'000;

ByteView BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class ServerShell final : public sim::SimApplication {
 public:
  ServerShell(const dataplane::HttpConfig& config,
              const dataplane::Content& content)
      : http_(config, &content) {}

  void OnConnections(std::span<ReadyConnection> ready, Time now) override {
    http_.OnConnections(ready, now);
  }
  dataplane::HttpApp& http() { return http_; }

 private:
  dataplane::HttpApp http_;
};

class MetricsShell final : public sim::SimApplication {
 public:
  explicit MetricsShell(const dataplane::MetricsPage* page) : app_(page) {}

  void OnConnections(std::span<ReadyConnection> ready, Time now) override {
    app_.OnConnections(ready, now);
  }

 private:
  dataplane::MetricsApp app_;
};

sim::NodeConfig ConfigOf(Ipv4Address address, uint8_t number,
                         const tcp::Config& tcp, uint32_t packets) {
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacAddress({2, 0, 0, 0, 0, number});
  interface.addresses = {{address, 24}};
  // So that static bytes are sent from where they lie.
  interface.caps.tx_multi_segs = true;
  interface.caps.tx_any_memory = true;
  sim::NodeConfig config;
  config.pipeline.interfaces = {interface};
  config.pipeline.tcp = tcp;
  config.pipeline.secrets = dataplane::Secrets::FromSeed(number);
  // Nobody else is on this wire.
  config.pipeline.arp.announcer.probe = false;
  config.packets = packets;
  config.poison = true;
  return config;
}

}  // namespace

class ClientApp final : public sim::SimApplication {
 public:
  Peer& Add(Connection connection) {
    peers_.emplace_back();
    peers_.back().connection = connection;
    connection.set_app_data(static_cast<uint32_t>(peers_.size()));
    connection.SetNoDelay(true);
    return peers_.back();
  }

  void OnConnections(std::span<ReadyConnection> ready, Time /*now*/) override {
    for (ReadyConnection& r : ready) {
      Peer& peer = peers_[r.connection.app_data() - 1];
      if ((r.events & dataplane::kGone) != 0) {
        peer.reset = true;
        peer.let_go = true;
        continue;
      }
      if ((r.events & dataplane::kOpened) != 0) peer.opened = true;
      Pump(peer);
    }
  }

  static void Pump(Peer& peer) {
    if (peer.let_go || !peer.opened) return;
    Connection c = peer.connection;
    while (peer.reading && c.readable() > 0) {
      const ByteView front = c.Front();
      peer.received.append(front.begin(), front.end());
      c.Consume(static_cast<uint32_t>(front.size()));
    }
    if (!peer.unsent.empty()) {
      peer.unsent.erase(0, c.Send(BytesOf(peer.unsent)));
    }
    if (!peer.ended && c.at_end()) {
      peer.ended = true;
      peer.let_go = true;
      c.Close();
    }
  }

 private:
  std::deque<Peer> peers_;
};

HttpWorld::HttpWorld(const dataplane::Content& content,
                     const HttpWorldOptions& options)
    : world_(1, kTimeZero + 1s) {
  sim::Node& client =
      world_.AddNode(ConfigOf(kClient, 1, options.client_tcp, 65536));
  sim::Node& server = world_.AddNode(
      ConfigOf(kServer, 2, options.server_tcp, options.server_packets));
  auto clients = std::make_unique<ClientApp>();
  clients_ = clients.get();
  client_number_ = client.Add(std::move(clients));
  auto shell = std::make_unique<ServerShell>(options.http, content);
  app_ = &shell->http();
  app_->SetWallClock(kWallClock);
  uint16_t number = server.Add(std::move(shell));
  if (options.metrics != nullptr) {
    number = server.Add(std::make_unique<MetricsShell>(options.metrics));
  }
  EXPECT_TRUE(server.pipeline().tcp().Listen({}, 80, number).ok());
  sim::WireConfig wire;
  wire.delay = options.delay;
  wire.queue_bytes = 1u << 26;
  const size_t there = world_.Join({0, 0}, {1, 0}, wire, wire);
  world_.SetTap([this, there](size_t w, ByteView frame, Time) {
    const sim::ParsedFrame parsed = sim::ParseFrame(frame);
    if (w == there + 1 && parsed.is_tcp && !parsed.payload.empty()) {
      ++data_segments_;
    }
  });
}

HttpWorld::~HttpWorld() {
  EXPECT_EQ(world_.failure(), "");
  EXPECT_EQ(world_.node(0).TearDown(), 0u);
  EXPECT_EQ(world_.node(1).TearDown(), 0u);
}

Peer& HttpWorld::Connect() {
  dataplane::Pipeline& pipeline = world_.node(0).pipeline();
  pipeline.BeginTurn(world_.now());
  auto connection = pipeline.tcp().Connect(kServer, 80, client_number_);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return clients_->Add(*connection);
}

Peer& HttpWorld::Open() {
  Peer& peer = Connect();
  EXPECT_TRUE(world_.RunUntil([&] { return peer.opened; }, world_.now() + 10s));
  return peer;
}

void HttpWorld::Send(Peer& peer, std::string_view bytes) {
  world_.node(0).pipeline().BeginTurn(world_.now());
  peer.unsent += bytes;
  ClientApp::Pump(peer);
}

void HttpWorld::SetReading(Peer& peer, bool reading) {
  peer.reading = reading;
  Send(peer, "");
}

void HttpWorld::ShutdownSend(Peer& peer) {
  world_.node(0).pipeline().BeginTurn(world_.now());
  peer.connection.ShutdownSend();
}

void HttpWorld::Close(Peer& peer) {
  world_.node(0).pipeline().BeginTurn(world_.now());
  peer.let_go = true;
  peer.connection.Close();
}

void HttpWorld::Reset(Peer& peer) {
  world_.node(0).pipeline().BeginTurn(world_.now());
  peer.let_go = true;
  peer.connection.Abort();
}

void HttpWorld::Run(Duration time) {
  EXPECT_TRUE(world_.RunTo(world_.now() + time)) << world_.failure();
}

std::string HttpWorld::Ask(std::string_view request) {
  Peer& peer = Open();
  Send(peer, request);
  Run(1s);
  return peer.received;
}

Response HttpWorld::Get(std::string_view request, bool has_body) {
  std::string stream = Ask(request);
  return TakeResponse(stream, has_body);
}

uint32_t HttpWorld::server_connections() {
  return server().pipeline().tcp().blocks().in_use();
}

Response TakeResponse(std::string& stream, bool has_body) {
  Response response;
  const size_t end = stream.find("\r\n\r\n");
  if (end == std::string::npos) return response;
  EXPECT_EQ(stream.substr(0, 9), "HTTP/1.1 ") << stream.substr(0, end);
  size_t line = stream.find("\r\n");
  while (line < end) {
    const size_t next = stream.find("\r\n", line + 2);
    const std::string field = stream.substr(line + 2, next - line - 2);
    const size_t colon = field.find(": ");
    if (colon == std::string::npos) break;
    response.fields[field.substr(0, colon)] = field.substr(colon + 2);
    line = next;
  }
  const int status = std::atoi(stream.c_str() + 9);
  size_t length = 0;
  if (has_body && status != 304 && status >= 200) {
    length =
        std::strtoul(response.fields["Content-Length"].c_str(), nullptr, 10);
  }
  if (stream.size() < end + 4 + length) return response;
  response.status = status;
  response.body = stream.substr(end + 4, length);
  stream.erase(0, end + 4 + length);
  return response;
}

}  // namespace corelane::apptest
