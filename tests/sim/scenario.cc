#include "tests/sim/scenario.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/sim/dice.h"
#include "tests/sim/draw_tcp.h"

namespace corelane::sim {
namespace {

WireConfig DrawWire(Dice& d, uint32_t weather) {
  WireConfig w;
  w.delay = d.OneOf<Duration>({0us, 10us, 200us, 1ms, 5ms, 20ms, 100ms});
  w.bits_per_second = d.OneOf<uint64_t>(
      {0, 0, 1'000'000'000, 100'000'000, 10'000'000, 1'000'000});
  w.queue_bytes = d.OneOf<uint32_t>({16'000, 64'000, 1u << 18, 1u << 20});
  if (d.Percent(25)) {
    w.mark_ppm = d.OneOf<uint32_t>({1'000, 10'000, 100'000, 300'000});
  }
  if (w.bits_per_second > 0 && d.Percent(20)) {
    w.mark_above = d.OneOf<uint32_t>({1, 10'000, 100'000});
  }
  if (weather == 0) {
    w.queue_bytes = 1u << 26;
    return w;
  }
  const uint32_t worst = weather == 1   ? 10'000
                         : weather == 2 ? 50'000
                                        : 200'000;
  auto up_to = [&d](uint32_t ppm) { return ppm >> d.Between(0, 5); };
  if (d.Percent(60)) w.loss_ppm = up_to(worst);
  if (d.Percent(40)) w.duplicate_ppm = up_to(worst);
  if (d.Percent(40)) w.reorder_ppm = up_to(2 * worst);
  if (d.Percent(30)) w.corrupt_ppm = up_to(worst);
  if (d.Percent(20)) w.truncate_ppm = up_to(worst / 2);
  if (d.Percent(20)) w.clog_ppm = up_to(worst / 10);
  w.reorder_delay = d.OneOf<Duration>({100us, 2ms, 20ms, 300ms, 3s});
  w.clog_time = d.OneOf<Duration>({20ms, 500ms, 5s});
  return w;
}

// By dice of their own: seeds are what they were.
void DrawMemoryAndTso(uint64_t seed, dataplane::InterfaceConfig& interface) {
  Rng rng({seed, 0x750}, 1);
  dataplane::DeviceCaps& caps = interface.caps;
  caps.tx_any_memory = rng.Below(2) == 0;
  const bool cuts = rng.Below(2) == 0;
  const uint32_t buffers = 2 + rng.Below(40);
  const bool small = rng.Below(4) == 0;
  if (!cuts) return;
  caps.tx_ipv4_checksum = caps.tx_tcp_checksum = caps.tx_multi_segs = true;
  caps.tso_buffers = static_cast<uint16_t>(buffers);
  caps.tso_piece = small ? 600 : interface.mtu;
}

NodeConfig DrawNode(Dice& d, size_t node, const Scenario& s, uint16_t mtu,
                    uint16_t vlan) {
  NodeConfig c;
  for (size_t link = 0; link < s.links; ++link) {
    dataplane::InterfaceConfig i;
    i.name = absl::StrCat("sim", link);
    i.mac = MacOf(node, link);
    i.mtu = mtu;
    i.vlan = vlan;
    i.addresses = {{AddressOf(node, link), 24}};
    if (node == 1 && link == 0 && s.second_address) {
      i.addresses.push_back({Ipv4Address(10, 0, 0, 3), 24});
    }
    i.caps = {d.Percent(50), d.Percent(50), d.Percent(50), d.Percent(50)};
    c.pipeline.interfaces.push_back(i);
  }
  c.pipeline.tcp = DrawTcp(d, s.breaks_allowed);
  const uint64_t secret = d.Next();
  c.pipeline.secrets = dataplane::Secrets::FromSeed(secret);
  for (dataplane::InterfaceConfig& i : c.pipeline.interfaces) {
    DrawMemoryAndTso(secret, i);
  }
  c.pipeline.arp.limits.capacity = 64;
  c.pipeline.arp.announcer.probe = d.Percent(10);
  c.port.rx_checksum = d.Percent(50);
  c.port.rx_segment = d.Percent(10) ? d.OneOf<uint16_t>({64, 256, 1000}) : 0;
  c.port.tx_hold = d.Percent(50) ? d.Between(1, 32) : 0;
  c.port.tx_burst = d.Percent(20) ? d.Between(1, 64) : 512;
  c.port.tx_stall_every = d.Percent(10) ? d.Between(2, 9) : 0;
  c.poll_interval = d.OneOf<Duration>({0us, 0us, 20us, 100us, 1ms});
  c.poison = d.Percent(50);
  return c;
}

SidePlan DrawSide(Dice& d, uint32_t most) {
  SidePlan p;
  p.bytes = d.Percent(10)   ? 0
            : d.Percent(50) ? d.Magnitude(most)
                            : d.Between(most / 8, most);
  p.max_write = d.OneOf<uint32_t>({1, 100, 1460, 10'000, 100'000});
  p.max_read = d.OneOf<uint32_t>({1, 100, 1460, 10'000, 100'000});
  // A byte at a time is for short streams.
  if (p.bytes > 20'000) p.max_write = std::max<uint32_t>(p.max_write, 1460);
  if (most > 20'000) p.max_read = std::max<uint32_t>(p.max_read, 1460);
  if (d.Percent(30)) p.pause_ppm = d.Magnitude(500'000);
  p.longest_pause = d.OneOf<Duration>({1ms, 50ms, 1s});
  p.use_static = d.Percent(25);
  p.nodelay = d.Percent(50);
  return p;
}

void DrawConnections(Dice& d, Scenario& s) {
  const uint32_t size = d.Between(0, 99);
  // Mostly small, sometimes large: many connections, or much in one.
  uint32_t count = d.Between(1, 6);
  uint32_t most = 20'000;
  if (size < 6) {
    count = d.Between(20, 200);
    most = 8'192;
  } else if (size < 11) {
    count = d.Between(1, 2);
    most = 2'000'000;
  } else if (size < 35) {
    count = d.Between(1, 4);
    most = 200'000;
  }
  Duration spread = d.OneOf<Duration>({0us, 1ms, 100ms, 3s});
  if (d.Between(0, 199) == 0) {
    count = d.Between(1'000, 3'000);
    most = 300;
    spread = d.OneOf<Duration>({100ms, 3s, 20s});
  }
  for (uint32_t i = 0; i < count; ++i) {
    ConnectionPlan plan;
    plan.start = 10ms + d.UpTo(spread);
    plan.link = d.Between(0, static_cast<uint32_t>(s.links - 1));
    plan.second_address = plan.link == 0 && s.second_address && d.Percent(50);
    plan.side[kClient] = DrawSide(d, most);
    plan.side[kServer] = DrawSide(d, most);
    plan.side[kServer].echo = d.Percent(30);
    using Ending = SidePlan::Ending;
    if (d.Percent(5)) {
      plan.side[d.Between(0, 1)].ending =
          d.OneOf({Ending::kHasty, Ending::kAbort});
    }
    s.connections.push_back(plan);
  }
}

void DrawDatagrams(Dice& d, Scenario& s) {
  if (d.Percent(25)) {
    const uint32_t count = d.Between(1, 12);
    for (uint32_t i = 0; i < count; ++i) {
      s.datagrams.push_back({10ms + d.UpTo(2s), 4 + d.Magnitude(65'503)});
    }
  }
  if (d.Percent(25)) {
    const uint32_t count = d.Between(1, 8);
    for (uint32_t i = 0; i < count; ++i) {
      s.pings.push_back({10ms + d.UpTo(2s), d.Magnitude(400)});
    }
  }
}

// Thousands of SYNs at once, all sent again at the same moments and in the same
// order: whatever takes the end of each burst takes the same ones every time.
void MakeRoomForCrowd(Scenario& s) {
  if (s.connections.size() < 1'000) return;
  for (WireConfig* w : {&s.there, &s.back}) {
    w->clog_ppm = 0;
    w->queue_bytes = std::max(w->queue_bytes, 1u << 20);
  }
}

// Limits that are too small for the workload.
void DrawScarcity(Dice& d, Scenario& s) {
  NodeConfig& c = d.Percent(50) ? s.client : s.server;
  switch (d.Between(0, 5)) {
    case 0:
      c.pipeline.limits.max_connections = d.Between(1, 4);
      break;
    case 1:
      c.pipeline.limits.max_requests = d.Between(1, 3);
      break;
    case 2:
      c.pipeline.limits.max_time_wait = d.Between(1, 3);
      return;  // no reason for anything to break
    case 3:
      c.pipeline.limits.static_chunks = d.Between(1, 8);
      return;
    case 4:
      c.pipeline.limits.backlog = d.Between(1, 3);
      break;
    default:
      c.packets = d.Between(64, 400);
      // What the cards hold for good has to be less than the eighth of the pool
      // that is kept for control.
      c.port.tx_hold = std::min(c.port.tx_hold, c.packets / 16);
      break;
  }
  s.breaks_allowed = true;
  s.lossless = false;
}

void DrawFaults(Dice& d, Scenario& s) {
  const uint32_t count = d.Between(1, 3);
  for (uint32_t i = 0; i < count; ++i) {
    s.faults.push_back(
        {static_cast<ContentFault>(d.Between(0, 7)), d.Between(0, 1)});
  }
}

// The first ICMP error may be lost, as every too large packet brings another.
// If all are, such packets vanish.
void DrawPathMtus(Dice& d, Scenario& s) {
  const uint16_t mtu = s.client.pipeline.interfaces[0].mtu;
  if (mtu < 1280 || !d.Percent(10)) return;
  const uint32_t bounce_loss = s.breaks_allowed && d.Percent(30)
                                   ? 1'000'000
                                   : d.OneOf<uint32_t>({0, 300'000});
  s.there.bounce_loss_ppm = s.back.bounce_loss_ppm = bounce_loss;
  const uint32_t count = d.Between(1, 3);
  for (uint32_t i = 0; i < count; ++i) {
    PathMtuChange change;
    change.at = d.UpTo(d.OneOf<Duration>({0s, 50ms, 2s}));
    change.wire = d.Between(0, static_cast<uint32_t>(2 * s.links - 1));
    change.mtu = d.OneOf<uint16_t>({576, 577, 1000, 1280, 1400});
    s.path_mtus.push_back(change);
  }
  s.lossless = false;
}

// Connections that are opened afterwards have to work. If the client lost its
// memory, one of them has the addresses and ports of the first: the server may
// still think that this is open.
void DrawRestart(Dice& d, Scenario& s) {
  if (!d.Percent(8)) return;
  s.restart_at = 10ms + d.UpTo(d.OneOf<Duration>({1ms, 100ms, 2s}));
  s.restarted = d.Between(0, 1);
  s.lossless = false;
  if (s.restarted == 0) s.datagrams.clear();
  ConnectionPlan* first = &s.connections[0];
  bool again = false;
  for (ConnectionPlan& plan : s.connections) {
    plan.may_break = plan.start <= s.restart_at;
    if (s.restarted == 1 || plan.may_break || !first->may_break || again) {
      continue;
    }
    again = true;
    plan.link = first->link;
    plan.second_address = first->second_address;
    first->local_port = plan.local_port = kFixedPort;
  }
}

// With dice of their own, so that the rest of a seed's world stays what it was.
void DrawCores(uint64_t seed, Scenario& s) {
  Dice d(seed, 0xc04e5);
  for (NodeConfig* c : {&s.client, &s.server}) {
    // Each core keeps packets at hand, which few packets are not enough for.
    if (!d.Percent(50) || c->packets < 4096) continue;
    c->cores = static_cast<uint16_t>(d.Between(2, 4));
    c->queues = d.Percent(50) ? c->cores
                              : static_cast<uint16_t>(d.Between(1, c->cores));
    c->rss = c->queues == c->cores && d.Percent(50);
  }
  if (d.Percent(50)) {
    s.move_ppm = d.OneOf<uint32_t>({1'000, 20'000, 300'000});
  }
}

// Apart from the other draws, so that the worlds without it stay as they are.
void DrawBbr(uint64_t seed, Scenario& s) {
  Dice d(seed, 0xbb3);
  for (NodeConfig* c : {&s.client, &s.server}) {
    if (d.Percent(25)) {
      c->pipeline.tcp.congestion = tcp::CongestionControl::kBbr;
    }
  }
}

// Whether the lines are so fast and all hosts so quick that no timer can take
// late for lost.
bool IsCalm(const Scenario& s) {
  auto fast = [](const WireConfig& w) {
    return w.bits_per_second == 0 || w.bits_per_second >= 100'000'000;
  };
  auto quick = [](const NodeConfig& c) {
    return c.poll_interval <= 100us && c.port.tx_stall_every == 0 &&
           c.pipeline.tcp.delayed_ack <= 40ms;
  };
  return s.lossless && s.connections.size() <= 6 && fast(s.there) &&
         fast(s.back) && quick(s.client) && quick(s.server);
}

}  // namespace

MacAddress MacOf(size_t node, size_t link) {
  return {{0x02, 0, 0x5e, 0, static_cast<uint8_t>(link),
           static_cast<uint8_t>(node + 1)}};
}

Ipv4Address AddressOf(size_t node, size_t link) {
  return {10, static_cast<uint8_t>(link), 0, static_cast<uint8_t>(node + 1)};
}

Ipv4Address RemoteOf(const ConnectionPlan& plan) {
  return plan.second_address ? Ipv4Address(10, 0, 0, 3)
                             : AddressOf(1, plan.link);
}

Scenario DrawScenario(uint64_t seed) {
  Dice d(seed, 0);
  Scenario s;
  s.seed = seed;
  s.start = DrawStart(d);
  s.links = d.Percent(15) ? 2 : 1;
  s.second_address = d.Percent(20);
  const uint16_t mtu =
      d.Percent(30) ? d.OneOf<uint16_t>({256, 576, 1280}) : 1500;
  const uint16_t vlan = d.Percent(15)
                            ? static_cast<uint16_t>(d.Between(1, 4094))
                            : dataplane::kNoVlan;
  const uint32_t weather = d.OneOf<uint32_t>({0, 0, 1, 1, 2, 3});
  s.lossless = weather == 0;
  s.breaks_allowed = weather == 3 || d.Percent(5);
  s.client = DrawNode(d, 0, s, mtu, vlan);
  s.server = DrawNode(d, 1, s, mtu, vlan);
  s.there = DrawWire(d, weather);
  s.back = DrawWire(d, weather);
  DrawConnections(d, s);
  if (!s.breaks_allowed) MakeRoomForCrowd(s);
  DrawWraps(d, s);
  DrawDatagrams(d, s);
  const auto count = static_cast<uint32_t>(s.connections.size());
  for (NodeConfig* c : {&s.client, &s.server}) {
    c->pipeline.limits = {.max_connections = count + 4,
                          .max_requests = count + 4,
                          .max_time_wait = count + 4,
                          .static_chunks = 4096,
                          .backlog = count + 4};
    c->packets = 8192;
  }
  if (d.Percent(25)) {
    DrawFaults(d, s);
    s.lossless = false;
  }
  if (d.Percent(20)) DrawScarcity(d, s);
  // Probing hosts do not answer for their addresses yet.
  if (s.client.pipeline.arp.announcer.probe ||
      s.server.pipeline.arp.announcer.probe) {
    s.lossless = false;
  }
  DrawPathMtus(d, s);
  DrawRestart(d, s);
  DrawCores(seed, s);
  DrawBbr(seed, s);
  s.calm = IsCalm(s);
  if (d.Percent(5)) s.stop_after = d.UpTo(3s) + 1ms;
  return s;
}

std::string Scenario::Summary() const {
  static constexpr const char* kControls[] = {"newreno", "cubic", "dctcp",
                                              "bbr"};
  uint64_t bytes = 0;
  for (const ConnectionPlan& plan : connections) {
    bytes += plan.BytesFrom(kClient) + plan.BytesFrom(kServer);
  }
  auto wire = [](const WireConfig& w) {
    return absl::StrFormat(
        "delay %d us, %d bit/s, queue %d, loss %d, dup %d, reorder %d, "
        "corrupt %d, truncate %d, clog %d, mark %d ppm, mark above %d",
        w.delay.count() / 1000, w.bits_per_second, w.queue_bytes, w.loss_ppm,
        w.duplicate_ppm, w.reorder_ppm, w.corrupt_ppm, w.truncate_ppm,
        w.clog_ppm, w.mark_ppm, w.mark_above);
  };
  auto node = [](const NodeConfig& c) {
    const tcp::Config& t = c.pipeline.tcp;
    return absl::StrFormat(
        "%d cores, %d queues%s, %d packets, rcvbuf %d, sndbuf %d, %d "
        "connections, hold %d, burst %d, "
        "stall %d, poll %d us, %s%s%s%s%s%s%s%s%s, ecn %d, mss %d, keepalive "
        "%d "
        "ms, user timeout %d ms",
        c.cores, c.queues, c.rss ? " rss" : "", c.packets, t.receive_buffer,
        t.send_buffer, c.pipeline.limits.max_connections, c.port.tx_hold,
        c.port.tx_burst, c.port.tx_stall_every, c.poll_interval.count() / 1000,
        kControls[static_cast<int>(t.congestion)], t.timestamps ? " ts" : "",
        t.sack ? " sack" : "", t.window_scaling ? " wscale" : "",
        t.syn_cookies ? " cookies" : "", t.tail_loss_probe ? " tlp" : "",
        t.frto ? " frto" : "", t.hystart ? " hystart" : "",
        t.slow_start_after_idle ? " ssai" : "", static_cast<int>(t.ecn),
        t.max_segment, t.keepalive ? t.keepalive_idle / 1ms : 0,
        t.user_timeout / 1ms);
  };
  return absl::StrCat(
      "seed ", seed, ": ", connections.size(), " connections, ", bytes,
      " bytes, ", datagrams.size(), " datagrams, ", pings.size(), " pings, ",
      links, " links, MTU ", client.pipeline.interfaces[0].mtu, ", ",
      faults.size(), " content faults", breaks_allowed ? ", may break" : "",
      lossless ? ", lossless" : "", calm ? ", calm" : "",
      path_mtus.empty() ? "" : ", path MTU changes",
      restart_at > 0s ? absl::StrCat(", node ", restarted, " restarts") : "",
      stop_after > 0s ? ", stops early" : "",
      move_ppm > 0 ? ", connections move" : "", "\n  there: ", wire(there),
      "\n  back:  ", wire(back), "\n  client: ", node(client),
      "\n  server: ", node(server));
}

}  // namespace corelane::sim
