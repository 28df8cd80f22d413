// Cores on threads of their own, with traffic on all of them: for
// ThreadSanitizer, and for what virtual time cannot show.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "dataplane/app/echo.h"
#include "dataplane/pipeline/loop.h"
#include "dataplane/steering/steering.h"
#include "tests/sim/frames.h"
#include "tests/sim/heap_packets.h"

namespace corelane::dataplane {
namespace {

constexpr uint16_t kCores = 2;
constexpr uint16_t kEchoPort = 7;
constexpr uint32_t kConnections = 60;  // of each client
constexpr uint32_t kBytes = 20'000;    // on each connection, there and back

Time Now() {
  return Time(std::chrono::duration_cast<Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

// Packets may be given back by another thread, as DPDK's may.
class SharedPackets {
 public:
  explicit SharedPackets(uint32_t n) : heap_(n), inner_(heap_.backend()) {}

  PacketBackend backend() {
    PacketBackend b;
    b.self = this;
    b.take = [](void* self, Packet** out, uint32_t n) {
      auto* me = static_cast<SharedPackets*>(self);
      const std::lock_guard lock(me->mutex_);
      return me->inner_.take(me->inner_.self, out, n);
    };
    b.give = [](void* self, Packet** packets, uint32_t n) {
      auto* me = static_cast<SharedPackets*>(self);
      const std::lock_guard lock(me->mutex_);
      me->inner_.give(me->inner_.self, packets, n);
    };
    b.available = [](void* self) {
      auto* me = static_cast<SharedPackets*>(self);
      const std::lock_guard lock(me->mutex_);
      return me->inner_.available(me->inner_.self);
    };
    return b;
  }
  uint32_t outstanding() const { return heap_.outstanding(); }

 private:
  std::mutex mutex_;
  sim::HeapPackets heap_;
  PacketBackend inner_;
};

// Frames on their way to one port, from any thread.
class Line {
 public:
  void Put(sim::Frame frame) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(std::move(frame));
  }
  bool Get(sim::Frame& frame) {
    const std::lock_guard lock(mutex_);
    if (frames_.empty()) return false;
    frame = std::move(frames_.front());
    frames_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<sim::Frame> frames_;
};

// Receives from one line; what is sent goes to the lines that `to` names.
class LinePort {
 public:
  using Route = std::vector<Line*> (*)(const sim::Frame&, std::vector<Line>&,
                                       size_t);
  LinePort(PacketPool* pool, std::vector<Line>* from, std::vector<Line>* to,
           size_t index, bool by_mac)
      : pool_(*pool), from_(*from), to_(*to), index_(index), by_mac_(by_mac) {}

  uint16_t RxBurst(Packet** packets, uint16_t n) {
    uint16_t got = 0;
    sim::Frame frame;
    while (got < n && from_[index_].Get(frame)) {
      Packet* p = pool_.Alloc();
      if (p == nullptr) continue;
      std::copy(frame.begin(), frame.end(),
                Append(p, static_cast<uint16_t>(frame.size())));
      packets[got++] = p;
    }
    return got;
  }
  uint16_t TxBurst(Packet** packets, uint16_t n) {
    for (uint16_t i = 0; i < n; ++i) {
      sim::Frame frame;
      for (const Packet* p = packets[i]; p != nullptr; p = p->next) {
        const ByteView bytes = BytesOf(p);
        frame.insert(frame.end(), bytes.begin(), bytes.end());
      }
      pool_.Free(packets[i]);
      const uint8_t last = frame[5];  // of the destination's MAC address
      for (size_t line = 0; line < to_.size(); ++line) {
        const bool meant =
            by_mac_ ? last == 0xff || last == line + 1 : line == index_;
        if (meant) to_[line].Put(frame);
      }
    }
    return n;
  }

 private:
  PacketPool& pool_;
  std::vector<Line>& from_;
  std::vector<Line>& to_;
  size_t index_;
  bool by_mac_;
};

// Sends kBytes on each connection, wants them back, closes.
class Client final : public Application {
 public:
  void OnConnections(std::span<ReadyConnection> ready, Time) override {
    for (ReadyConnection& r : ready) {
      Connection c = r.connection;
      if ((r.events & kGone) != 0) {
        ++broken;
        continue;
      }
      uint32_t& got = got_[c.app_data()];
      uint32_t& sent = sent_[c.app_data()];
      while (sent < kBytes) {
        const std::array<uint8_t, 1000> bytes{};
        const uint32_t n = c.Send(
            {bytes.data(), std::min<size_t>(bytes.size(), kBytes - sent)});
        if (n == 0) break;
        sent += n;
      }
      got += c.readable();
      c.Consume(c.readable());
      if (got < kBytes) continue;
      c.Close();
      ++done;
    }
  }

  uint32_t done = 0;
  uint32_t broken = 0;

 private:
  std::array<uint32_t, kConnections> got_{};
  std::array<uint32_t, kConnections> sent_{};
};

// Echoes, and sends every third connection that has something to do to another
// core.
class Wanderer final : public Application {
 public:
  explicit Wanderer(uint16_t self) : self_(self) {}

  void OnConnections(std::span<ReadyConnection> ready, Time now) override {
    for (ReadyConnection& r : ready) {
      if ((r.events & kGone) != 0 || ++events_ % 3 != 0) continue;
      r.connection.MoveTo(static_cast<uint16_t>((self_ + 1) % kCores));
    }
    echo_.OnConnections(ready, now);
  }
  bool OnLeave(Connection /*connection*/,
               std::vector<uint8_t>& /*luggage*/) override {
    return true;
  }

 private:
  uint16_t self_;
  uint32_t events_ = 0;
  EchoApp echo_;
};

MacAddress ClientMac(size_t i) {
  return {{2, 0, 0, 0, 1, static_cast<uint8_t>(i + 1)}};
}

PipelineConfig Config(MacAddress mac, Ipv4Address address, uint64_t seed) {
  PipelineConfig config;
  InterfaceConfig interface;
  interface.name = "line0";
  interface.mac = mac;
  interface.addresses = {{address, 24}};
  config.interfaces = {interface};
  config.arp.announcer.probe = false;
  config.limits.max_connections = 1024;
  config.secrets = Secrets::FromSeed(seed);
  return config;
}

// A core of the server and a client, which one thread runs in turn.
struct Seat {
  Seat(size_t i, CoreGroup* group, SharedPackets* packets,
       std::vector<Line>* to_server, std::vector<Line>* to_clients)
      : server_pool(packets->backend()),
        client_pool(packets->backend()),
        echo(static_cast<uint16_t>(i)) {
    const MacAddress server_mac({2, 0, 0, 0, 2, 2});
    PipelineConfig config = Config(server_mac, Ipv4Address(10, 0, 0, 100), 1);
    config.secrets.rng.k0 += i;
    server = *Pipeline::Create(config, &server_pool, Now());
    steering = std::make_unique<Steering>(
        group, static_cast<uint16_t>(i), server.get(),
        std::vector<PortShare>{{static_cast<uint16_t>(i), false}});
    const uint16_t id = server->AddApplication(&echo);
    EXPECT_TRUE(server->tcp().Listen({}, kEchoPort, id).ok());
    server_ports.emplace_back(&server_pool, to_server, to_clients, i, true);
    client = *Pipeline::Create(
        Config(ClientMac(i), Ipv4Address(10, 0, 0, static_cast<uint8_t>(i + 1)),
               2 + i),
        &client_pool, Now());
    client_id = client->AddApplication(&app);
    client_ports.emplace_back(&client_pool, to_clients, to_server, i, false);
  }

  void Run(std::atomic<uint32_t>* done) {
    for (uint32_t i = 0; i < kConnections; ++i) {
      client->BeginTurn(Now());
      auto c = client->tcp().Connect(Ipv4Address(10, 0, 0, 100), kEchoPort,
                                     client_id);
      if (c.ok()) c->set_app_data(i);
    }
    const Time give_up = Now() + 60s;
    bool told = false;
    while (done->load() < kCores && Now() < give_up) {
      TurnShared(*server, *steering, std::span<LinePort>(server_ports), Now());
      Turn(*client, std::span<LinePort>(client_ports), Now());
      if (!told && app.done + app.broken == kConnections) {
        told = true;
        done->fetch_add(1);
      }
    }
  }

  PacketPool server_pool;
  PacketPool client_pool;
  Wanderer echo;
  Client app;
  uint16_t client_id = 0;
  std::unique_ptr<Pipeline> server;
  std::unique_ptr<Steering> steering;
  std::vector<LinePort> server_ports;
  std::unique_ptr<Pipeline> client;
  std::vector<LinePort> client_ports;
};

TEST(CoresThreadTest, TrafficOnAllCores) {
  SharedPackets packets(16'384);
  {
    std::vector<uint8_t> key(40);
    Rng rng(7);
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(rng.Next64());
    CoreGroup group(kCores, FlowMap({key.data(), key.size()}, {0, 1}));
    std::vector<Line> to_server(kCores);
    std::vector<Line> to_clients(kCores);
    std::vector<std::unique_ptr<Seat>> seats;
    for (size_t i = 0; i < kCores; ++i) {
      seats.push_back(
          std::make_unique<Seat>(i, &group, &packets, &to_server, &to_clients));
    }
    std::atomic<uint32_t> done{0};
    std::vector<std::thread> threads;
    for (auto& seat : seats) {
      threads.emplace_back([&done, &seat] { seat->Run(&done); });
    }
    for (std::thread& thread : threads) thread.join();
    uint64_t steered = 0;
    uint64_t moved = 0;
    uint64_t arrived = 0;
    for (auto& seat : seats) {
      EXPECT_EQ(seat->app.done, kConnections);
      EXPECT_EQ(seat->app.broken, 0u);
      const Counters& c = seat->server->core().counters;
      EXPECT_GT(c.tcp.passive_opens, 0u);
      EXPECT_EQ(c.rx_packets, c.delivered + c.Drops());
      EXPECT_EQ(c.tcp.resets_out, 0u);
      steered += c.steered;
      moved += c.moved_out;
      arrived += c.moved_in;
    }
    EXPECT_GT(steered, 0u);
    EXPECT_GT(moved, 0u);
    EXPECT_GT(arrived, 0u);
    EXPECT_GE(moved,
              arrived);  // some are on their way when the clients have all
    for (auto& seat : seats) seat->steering.reset();
  }
  EXPECT_EQ(packets.outstanding(), 0u);
}

}  // namespace
}  // namespace corelane::dataplane
