#include "tests/sim/swarm.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tests/sim/datagram_app.h"
#include "tests/sim/oracle.h"
#include "tests/sim/stream_app.h"
#include "tests/sim/world.h"

namespace corelane::sim {
namespace {

// No connection takes longer than this, whatever the weather.
constexpr Duration kPatience = 3h;
// Connections that may break are aborted by their applications after this.
constexpr Duration kGiveUp = 1h;
// After the last connection: TIME-WAIT (60 s), reassembly (15 s), orphans.
constexpr Duration kAftermath = 3h;

class Run {
 public:
  Run(const Scenario& scenario, const SwarmOptions& options)
      : s_(scenario),
        print_frames_(options.print_frames),
        world_(scenario.seed, scenario.start) {
    if (!options.pcap.empty() && !world_.WritePcap(options.pcap)) {
      world_.Fail(absl::StrCat("cannot write ", options.pcap));
    }
    BuildHosts();
    BuildWires();
    PlanWork();
  }

  SwarmResult Go();

 private:
  void BuildHosts();
  void SetUpClient();
  void SetUpServer();
  void Restart();
  void BuildWires();
  void AddFault(ContentFault fault, size_t wire, Rng& rng);
  void PlanWork();
  void PlanConnection(uint32_t number);
  bool Quiet();
  void Judge();
  void JudgeConnection(uint32_t number);
  bool ForgottenEarly(const ConnectionRecord& record, Side side) const;
  void JudgeDatagrams();
  template <typename F>
  bool AnyCore(F holds);
  bool FramesLost();
  bool SentTwiceForGood();
  void JudgeCalm();
  void AtRest();

  const Scenario& s_;
  bool print_frames_;
  Ledger ledger_;
  World world_;
  StreamApp* clients_ = nullptr;
  StreamApp* servers_ = nullptr;
  UdpClient* udp_ = nullptr;
  std::unique_ptr<Pinger> pinger_;
  uint16_t client_app_ = 0;
  Time last_action_;
  Duration took_{};
};

void Run::BuildHosts() {
  ledger_.seed = s_.seed;
  ledger_.may_break = s_.breaks_allowed;
  // A client's first data carries the cookie. If a copy of it arrives after the
  // server has closed, the connection is opened once more: the weakness of
  // SYN cookies, which keep no memory of what they were used for.
  ledger_.replays = s_.server.pipeline.tcp.syn_cookies && s_.breaks_allowed;
  ledger_.plans = s_.connections;
  ledger_.move_ppm = s_.move_ppm;
  ledger_.send_buffer[kClient] = s_.client.pipeline.tcp.send_buffer;
  ledger_.send_buffer[kServer] = s_.server.pipeline.tcp.send_buffer;
  ledger_.records.resize(s_.connections.size());

  world_.AddNode(s_.client);
  world_.AddNode(s_.server);
  SetUpClient();
  SetUpServer();
}

void Run::SetUpClient() {
  Node& client = world_.node(0);
  auto streams = std::make_unique<StreamApp>(&ledger_, kClient);
  clients_ = streams.get();
  client_app_ = client.Add(std::move(streams));
  auto udp = std::make_unique<UdpClient>(s_.seed);
  udp_ = udp.get();
  const uint16_t udp_app = client.Add(std::move(udp));
  auto socket = client.pipeline().udp().Bind(Ipv4Address(), 0, udp_app);
  if (!socket.ok()) {
    world_.Fail("no UDP port");
    return;
  }
  udp_->set_socket(*socket);
  // Answers come to whichever core owns their flow.
  const uint16_t port = client.pipeline().udp().sockets()[socket->index()].port;
  for (uint16_t core = 1; core < client.cores(); ++core) {
    if (!client.pipeline(core).udp().Bind({}, port, udp_app).ok()) {
      world_.Fail("no UDP port on another core");
    }
  }
}

void Run::SetUpServer() {
  Node& server = world_.node(1);
  auto serving = std::make_unique<StreamApp>(&ledger_, kServer);
  servers_ = serving.get();
  const uint16_t server_app = server.Add(std::move(serving));
  const uint16_t echo_app =
      server.Add(std::make_unique<UdpEchoServer>(s_.seed));
  for (uint16_t core = 0; core < server.cores(); ++core) {
    dataplane::Pipeline& pipeline = server.pipeline(core);
    if (!pipeline.tcp().Listen({}, kStreamPort, server_app).ok() ||
        !pipeline.udp().Bind({}, kEchoPort, echo_app).ok()) {
      world_.Fail("cannot listen");
    }
  }
}

void Run::Restart() {
  const bool client = s_.restarted == 0;
  (client ? clients_ : servers_)->Die();
  NodeConfig config = client ? s_.client : s_.server;
  config.pipeline.secrets = dataplane::Secrets::FromSeed(~s_.seed);
  const uint32_t lost = world_.Restart(s_.restarted, config);
  if (lost > 0) {
    world_.Fail(absl::StrCat("the restarted host lost ", lost, " packets"));
  }
  if (client) {
    SetUpClient();
  } else {
    SetUpServer();
  }
}

void Run::BuildWires() {
  for (size_t link = 0; link < s_.links; ++link) {
    world_.Join({0, link}, {1, link}, s_.there, s_.back);
  }
  Rng rng(s_.seed, 0xfa017);
  for (const auto& [fault, wire] : s_.faults) AddFault(fault, wire, rng);
  for (const auto& [skip, count] : s_.lost_data) {
    // What is sent again does not count: how often depends on the sender.
    world_.wire(0).DropIf(
        [end = std::optional<SeqNum>()](const ParsedFrame& f) mutable {
          if (!f.is_tcp || f.tcp.payload_length == 0) return false;
          const SeqNum its_end = f.tcp.seq + f.tcp.payload_length;
          if (end && its_end <= *end) return false;
          end = its_end;
          return true;
        },
        skip, count);
  }
  pinger_ = std::make_unique<Pinger>(
      Ends{MacOf(0, 0), MacOf(1, 0), AddressOf(0, 0), AddressOf(1, 0),
           s_.client.pipeline.interfaces[0].vlan},
      s_.seed);
  world_.SetTap([this](size_t wire, ByteView frame, Time at) {
    if (wire == 1) pinger_->Saw(frame);
    if (!print_frames_) return;
    std::printf("%.6f  wire %zu  %s\n",
                static_cast<double>((at - s_.start).count()) * 1e-9, wire,
                Describe(frame).c_str());
  });
}

void Run::AddFault(ContentFault fault, size_t wire, Rng& rng) {
  using F = const ParsedFrame&;
  Wire& w = world_.wire(wire);
  const uint32_t skip = rng.Below(50);
  const uint32_t count = rng.Between(1, 3);
  auto is = [](uint8_t mask, uint8_t flags) {
    return [mask, flags](F f) {
      return f.is_tcp && (f.tcp.flags() & mask) == flags;
    };
  };
  auto pure = [](F f) { return f.is_tcp && f.tcp.Length() == 0; };
  switch (fault) {
    case ContentFault::kFirstSyn:
      w.DropIf(is(tcp::kSyn | tcp::kAck, tcp::kSyn));
      break;
    case ContentFault::kFirstSynAck:
      w.DropIf(is(tcp::kSyn | tcp::kAck, tcp::kSyn | tcp::kAck));
      break;
    case ContentFault::kThirdAck:
      w.DropIf(pure);
      break;
    case ContentFault::kFirstFin:
      w.DropIf(is(tcp::kFin, tcp::kFin), 0, count);
      break;
    case ContentFault::kDataSegment:
      w.DropIf([](F f) { return f.is_tcp && f.tcp.payload_length > 0; }, skip,
               count);
      break;
    case ContentFault::kPureAck:
      w.DropIf(pure, skip, count);
      break;
    case ContentFault::kWindowUpdates: {
      auto closed = std::make_shared<bool>(false);
      w.DropIf(
          [closed](F f) {
            if (!f.is_tcp || f.tcp.Has(tcp::kSyn | tcp::kRst)) return false;
            if (f.tcp.window == 0) *closed = true;
            return *closed && f.tcp.window > 0;
          },
          0, count);
      break;
    }
    case ContentFault::kArp:
      w.DropIf([](F f) { return f.is_arp; }, skip % 3, count);
      break;
  }
}

void Run::PlanConnection(uint32_t number) {
  world_.At(s_.start + s_.connections[number].start, 0, [this, number] {
    const ConnectionPlan& plan = s_.connections[number];
    Node& client = world_.node(0);
    // From one core after the other; with a given port from the core that its
    // answers come to.
    size_t core = number % client.cores();
    if (plan.local_port != 0) {
      core = client.OwnerOf({AddressOf(0, plan.link).value(),
                             RemoteOf(plan).value(), plan.local_port,
                             kStreamPort});
    }
    clients_->Connect(client.pipeline(core).tcp(), number, RemoteOf(plan),
                      client_app_, plan.local_port);
  });
}

void Run::PlanWork() {
  for (uint32_t i = 0; i < s_.connections.size(); ++i) PlanConnection(i);
  for (const PathMtuChange& change : s_.path_mtus) {
    world_.At(s_.start + change.at, 0, [this, &change] {
      world_.wire(change.wire).config().mtu = change.mtu;
    });
  }
  if (s_.restart_at > 0s) {
    last_action_ = s_.start + s_.restart_at;
    world_.At(last_action_, s_.restarted, [this] { Restart(); });
  }
  // Not part of Quiet's condition: most worlds are long over by then.
  world_.At(s_.start + kGiveUp, 0, [this] { clients_->GiveUp(); });
  world_.At(s_.start + kGiveUp, 1, [this] { servers_->GiveUp(); });
  for (const auto& [at, size] : s_.datagrams) {
    const uint32_t bytes = size;
    last_action_ = std::max(last_action_, s_.start + at);
    world_.At(s_.start + at, 0, [this, bytes] {
      udp_->Send({AddressOf(1, 0), kEchoPort}, bytes);
    });
  }
  const uint32_t room = s_.client.pipeline.interfaces[0].mtu - 28u;
  for (const auto& [at, size] : s_.pings) {
    const uint32_t bytes = std::min(size, room);
    last_action_ = std::max(last_action_, s_.start + at);
    world_.At(s_.start + at, 0,
              [this, bytes] { world_.Inject(0, pinger_->Next(bytes)); });
  }
}

// All is done, and nothing is open any more, on either side.
bool Run::Quiet() {
  if (ledger_.over[kClient] < ledger_.plans.size()) return false;
  if (took_ == 0s && ledger_.over[kServer] == ledger_.plans.size()) {
    took_ = world_.now() - s_.start;
  }
  if (world_.now() < last_action_) return false;
  for (size_t i = 0; i < world_.node_count(); ++i) {
    const Node& node = world_.node(i);
    if (!node.NoneInTransit()) return false;
    for (size_t core = 0; core < node.cores(); ++core) {
      const dataplane::TcpLayer& tcp = node.pipeline(core).tcp();
      if (tcp.blocks().in_use() + tcp.requests().in_use() +
              tcp.time_waits().in_use() >
          0) {
        return false;
      }
    }
  }
  return true;
}

// A host that keeps TIME-WAIT for less than what is in flight may take, or has
// no room for it, answers its peer's last FIN with a reset. What the peer's
// application had not read by then is lost with it.
bool Run::ForgottenEarly(const ConnectionRecord& record, Side side) const {
  const Side other = side == kClient ? kServer : kClient;
  const auto& peer = (other == kClient ? s_.client : s_.server).pipeline;
  const bool brief = peer.tcp.time_wait < 60s ||
                     peer.limits.max_time_wait < s_.connections.size();
  return brief && !s_.lossless &&
         record.side[side].error == tcp::Error::kReset &&
         record.side[other].finished;
}

void Run::JudgeConnection(uint32_t number) {
  const ConnectionPlan& plan = ledger_.plans[number];
  const ConnectionRecord& record = ledger_.records[number];
  if (s_.breaks_allowed || plan.Breaks()) return;
  for (Side side : {kClient, kServer}) {
    const SideRecord& r = record.side[side];
    if (r.finished || ForgottenEarly(record, side)) continue;
    world_.Fail(absl::StrCat(
        "connection ", number, ", ", side == kClient ? "client" : "server",
        r.gone ? " broke, error " : " did not finish, error ",
        static_cast<int>(r.error), ", sent ", r.sent, ", received ", r.received,
        Oracle::Describe(world_.node(side))));
    return;
  }
}

void Run::JudgeDatagrams() {
  if (!udp_->failure().empty()) world_.Fail(udp_->failure());
  if (!pinger_->failure().empty()) world_.Fail(pinger_->failure());
  if (s_.lossless && !FramesLost() && pinger_->answered() != pinger_->sent()) {
    world_.Fail(absl::StrCat(pinger_->sent(), " pings, ", pinger_->answered(),
                             " answers, and nothing was lost"));
  }
}

template <typename F>
bool Run::AnyCore(F holds) {
  for (size_t i = 0; i < world_.node_count(); ++i) {
    Node& node = world_.node(i);
    for (size_t core = 0; core < node.cores(); ++core) {
      if (holds(node, core)) return true;
    }
  }
  return false;
}

// Whether a host lost a frame itself.
bool Run::FramesLost() {
  using dataplane::DropReason;
  return AnyCore([](Node& node, size_t core) {
    for (size_t port = 0; port < node.port_count(); ++port) {
      // Too slow for its card.
      if (node.port(port, core).missed() > 0) return true;
    }
    // The card was too slow, or among more datagrams than may wait for an
    // address one was lost, or there was no place in another core's mailbox.
    const dataplane::Counters& c = node.pipeline(core).core().counters;
    return c.tx_dropped_full > 0 || c.tx_dropped_neighbor > 0 ||
           c.drops[static_cast<size_t>(DropReason::kSteeringFull)] > 0;
  });
}

// Whether something else had to be sent twice.
bool Run::SentTwiceForGood() {
  using dataplane::DropReason;
  return AnyCore([](Node& node, size_t core) {
    const dataplane::Counters& c = node.pipeline(core).core().counters;
    // Refused for want of memory; or what probed a closed window. While nobody
    // knows whether its byte was taken, an ACK may stand where the peer wants
    // none.
    return c.drops[static_cast<size_t>(DropReason::kTcpReorderFull)] > 0 ||
           c.tcp.window_probes > 0;
  });
}

bool ConnectionsMoved(Node& node) {
  for (size_t core = 0; core < node.cores(); ++core) {
    if (node.pipeline(core).core().counters.moved_out > 0) return true;
  }
  return false;
}

void Run::JudgeCalm() {
  if (!s_.calm || FramesLost() || SentTwiceForGood()) return;
  for (size_t i = 0; i < world_.node_count(); ++i) {
    for (size_t core = 0; core < world_.node(i).cores(); ++core) {
      const tcp::Counters& c =
          world_.node(i).pipeline(core).core().counters.tcp;
      // A tail probe goes out before two segments that are not both full are
      // acknowledged (RFC 8985).
      if (c.retransmits <= c.tail_probes && c.timeouts == 0) continue;
      // What a connection sends from its new core may overtake what its old one
      // has sent through a third's queue.
      if (c.timeouts == 0 && ConnectionsMoved(world_.node(i))) continue;
      world_.Fail(absl::StrCat(
          "node ", i, " sent ", c.retransmits, " segments twice (", c.timeouts,
          " timeouts, ", c.tail_probes, " tail probes, ", c.fast_retransmits,
          " fast) and nothing was lost or late"));
    }
  }
}

void Run::Judge() {
  if (!ledger_.failure.empty()) world_.Fail(ledger_.failure);
  for (uint32_t i = 0; i < ledger_.plans.size(); ++i) JudgeConnection(i);
  JudgeDatagrams();
  JudgeCalm();
}

void Run::AtRest() {
  // Reassembly and ARP let go of what they hold.
  world_.RunTo(world_.now() + 30s);
  // A SYN that was still on its way has made a request, which has its time.
  if (!Quiet())
    world_.RunUntil([this] { return Quiet(); }, world_.now() + 10min);
  for (size_t i = 0; i < world_.node_count(); ++i) {
    const std::string wrong = Oracle::CheckAtRest(world_.node(i));
    if (!wrong.empty()) world_.Fail(absl::StrCat("node ", i, ": ", wrong));
  }
}

SwarmResult Run::Go() {
  const Time limit = s_.start + kPatience + kAftermath;
  const Time stop = s_.stop_after > 0s ? s_.start + s_.stop_after : limit;
  const bool done = world_.RunUntil(
      [this, stop] {
        return !ledger_.failure.empty() || world_.now() >= stop || Quiet();
      },
      limit);
  if (!ledger_.failure.empty()) world_.Fail(ledger_.failure);
  if (s_.stop_after == 0s) {
    if (!done || world_.now() >= limit) {
      Judge();  // says more about what is missing
      world_.Fail(absl::StrCat("connections are left over after hours",
                               Oracle::Describe(world_.node(0)),
                               Oracle::Describe(world_.node(1))));
    }
    AtRest();
    Judge();
  }
  SwarmResult result;
  for (size_t i = 0; i < world_.node_count(); ++i) {
    const uint32_t leaked = world_.node(i).TearDown();
    if (leaked > 0) {
      world_.Fail(absl::StrCat("node ", i, " lost ", leaked, " packets"));
    }
  }
  result.failure = world_.failure();
  result.trace_hash = world_.trace_hash();
  result.frames = world_.frames();
  result.events = world_.events();
  result.lasted = world_.now() - s_.start;
  result.took = took_;
  for (const ConnectionRecord& record : ledger_.records) {
    result.received.push_back(record.side[kServer].received);
  }
  return result;
}

}  // namespace

SwarmResult RunScenario(const Scenario& scenario, const SwarmOptions& options) {
  return Run(scenario, options).Go();
}

SwarmResult RunSeed(uint64_t seed, const SwarmOptions& options) {
  const Scenario scenario = DrawScenario(seed);
  return RunScenario(scenario, options);
}

}  // namespace corelane::sim
