#include "tests/sim/draw_tcp.h"

#include "proto/tcp/isn.h"

namespace corelane::sim {
namespace {

void DrawFeatures(Dice& d, tcp::Config& c) {
  using Cc = tcp::CongestionControl;
  c.congestion = d.OneOf({Cc::kCubic, Cc::kNewReno, Cc::kDctcp});
  c.timestamps = d.Percent(70);
  c.sack = d.Percent(75);
  c.window_scaling = d.Percent(75);
  c.ecn = d.OneOf({tcp::Ecn::kRequest, tcp::Ecn::kRequest, tcp::Ecn::kAccept,
                   tcp::Ecn::kOff});
  c.syn_cookies = d.Percent(60);
  c.tail_loss_probe = d.Percent(75);
  c.frto = d.Percent(75);
  c.hystart = d.Percent(75);
  c.slow_start_after_idle = d.Percent(75);
  c.pacing = d.Percent(30);
  c.autotune_receive = d.Percent(80);
  c.mtu_raise = d.OneOf<Duration>({600s, 1s});
  if (d.Percent(15)) c.max_segment = d.OneOf<uint16_t>({200, 536, 1000, 1400});
}

// Those who ask rarely wait long enough for the worst that the wires may do.
void DrawPatience(Dice& d, bool rough, tcp::Config& c) {
  c.keepalive = d.Percent(20);
  c.keepalive_idle = d.OneOf<Duration>({100ms, 1s, 10s});
  c.keepalive_interval = d.OneOf<Duration>({1s, 2s});
  c.keepalive_probes = 20;
  if (!rough) return;
  c.keepalive_interval = d.OneOf<Duration>({10ms, 300ms, 1s});
  c.keepalive_probes = d.OneOf<uint8_t>({1, 3, 9});
  if (d.Percent(30)) c.user_timeout = d.OneOf<Duration>({300ms, 5s, 60s});
}

}  // namespace

tcp::Config DrawTcp(Dice& d, bool rough) {
  tcp::Config c;
  if (d.Percent(50)) {
    c.receive_buffer =
        d.OneOf<uint32_t>({536, 1460, 4096, 16384, 65535, 1u << 20});
  }
  if (d.Percent(50)) {
    c.send_buffer = d.OneOf<uint32_t>({100, 536, 4096, 16384, 65536, 1u << 20});
  }
  c.nodelay = d.Percent(30);
  c.delayed_ack = d.OneOf<Duration>({40ms, 40ms, 1ms, 200ms, 450ms});
  c.time_wait = d.OneOf<Duration>({60s, 1s, 10ms});
  c.fin_wait2 = d.OneOf<Duration>({60s, 60s, 1s});
  c.initial_window_segments = d.OneOf<uint32_t>({10, 10, 2, 1});
  // What a bad line may cost must not depend on luck.
  c.max_retransmits = 15;
  c.max_syn_retransmits = 12;
  c.max_synack_retransmits = 7;
  c.max_orphan_retransmits = 15;
  DrawFeatures(d, c);
  DrawPatience(d, rough, c);
  return c;
}

// Close before the clocks' units wrap: microseconds in 32 bits after 71
// minutes, ticks of 2^16 ns after 78 hours, milliseconds after 49 days; and
// half way, where signed differences do.
Time DrawStart(Dice& d) {
  const Duration before = d.UpTo(10s);
  const int64_t half = int64_t{1} << 31;
  switch (d.Between(0, 7)) {
    case 0:
      return kTimeZero + 1s;
    case 1:
      return Time(Duration(2 * half * 1000)) - before;
    case 2:
      return Time(Duration(half * 1000)) - before;
    case 3:
      return Time(Duration(int64_t{1} << 48)) - before;
    case 4:
      return Time(Duration(int64_t{1} << 47)) - before;
    case 5:
      return Time(Duration(2 * half * 1'000'000)) - before;
    case 6:
      return Time(Duration(half * 1'000'000)) - before;
    default:
      return Time(Duration(static_cast<int64_t>(d.Next() >> 8)));
  }
}

void DrawWraps(Dice& d, Scenario& s) {
  if (!d.Percent(20)) return;
  ConnectionPlan& plan = s.connections[0];
  plan.local_port = kFixedPort;
  const bool clients = d.Percent(50);
  const tcp::FlowKey there{AddressOf(0, plan.link).value(),
                           RemoteOf(plan).value(), kFixedPort, kStreamPort};
  const tcp::FlowKey back{there.remote_address, there.local_address,
                          kStreamPort, kFixedPort};
  const tcp::FlowKey& key = clients ? there : back;
  const dataplane::Secrets& secrets =
      (clients ? s.client : s.server).pipeline.secrets;
  const Time open = s.start + plan.start;
  // Half of the time not where they wrap but where their sign changes.
  const uint32_t target = d.Percent(70) ? 0 : uint32_t{1} << 31;
  if (d.Percent(50)) {
    const uint32_t isn = tcp::InitialSequence(key, secrets.isn, open).value();
    s.start += 4us * int64_t{target - d.Magnitude(100'000) - isn};
  } else {
    const uint32_t value =
        tcp::Now(open).ms + tcp::TimestampOffset(key, secrets.timestamps);
    s.start += 1ms * int64_t{target - d.Magnitude(5'000) - value};
  }
}

}  // namespace corelane::sim
