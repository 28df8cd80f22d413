#include "tests/sim/golden_tables.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/tcp/congestion_control.h"
#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"

namespace corelane::sim {
namespace {

using tcp::CongestionControl;

struct Control {
  const char* name;
  CongestionControl control;
};
constexpr Control kControls[] = {{"newreno", CongestionControl::kNewReno},
                                 {"cubic", CongestionControl::kCubic},
                                 {"dctcp", CongestionControl::kDctcp},
                                 {"bbr", CongestionControl::kBbr}};

constexpr uint64_t kBitsPerSecond = 20'000'000;
constexpr uint32_t kMss = 1448;

NodeConfig PlainNode(size_t node, CongestionControl control) {
  NodeConfig c;
  dataplane::InterfaceConfig interface;
  interface.name = "sim0";
  interface.mac = MacOf(node, 0);
  interface.addresses = {{AddressOf(node, 0), 24}};
  c.pipeline.interfaces.push_back(interface);
  c.pipeline.secrets = dataplane::Secrets::FromSeed(node);
  c.pipeline.limits = {32, 32, 32, 64, 32};
  c.pipeline.arp.announcer.probe = false;
  c.pipeline.tcp.time_wait = 1s;
  c.pipeline.tcp.congestion = control;
  // Marks are for the one that can use them; the others are to see losses.
  c.pipeline.tcp.ecn = control == CongestionControl::kDctcp ? tcp::Ecn::kRequest
                                                            : tcp::Ecn::kOff;
  c.pipeline.tcp.send_buffer = c.pipeline.tcp.receive_buffer = 2'000'000;
  c.port.rx_queue = 4096;
  c.packets = 8192;
  return c;
}

// A line with a queue of one bandwidth-delay product, but 64 kB at least.
Scenario Line(CongestionControl control, Duration round_trip) {
  Scenario s;
  s.seed = 3;
  s.start = kTimeZero + 1s;
  s.client = PlainNode(0, control);
  s.server = PlainNode(1, control);
  for (WireConfig* wire : {&s.there, &s.back}) {
    wire->delay = round_trip / 2;
    wire->bits_per_second = kBitsPerSecond;
    wire->queue_bytes = static_cast<uint32_t>(std::max<uint64_t>(
        64'000, kBitsPerSecond / 8 * (round_trip / 1us) / 1'000'000));
    if (control == CongestionControl::kDctcp) {
      // Deep, or a flow whose SYN is lost goes on without ECN (RFC 3168 section
      // 6.1.1.1): in this queue it would have most of the line.
      wire->mark_above = 30'000;
      wire->queue_bytes = std::max(wire->queue_bytes, 256'000u);
    }
  }
  return s;
}

void AddFlow(Scenario& s, uint64_t bytes, Duration start) {
  ConnectionPlan plan;
  plan.start = start;
  plan.side[kClient].bytes = bytes;
  for (SidePlan& side : plan.side) side.max_read = side.max_write = 100'000;
  s.connections.push_back(plan);
}

SwarmResult RunLine(const Scenario& s, std::string& table) {
  SwarmResult result = RunScenario(s, {});
  if (!result.failure.empty()) {
    absl::StrAppend(&table, "FAILED: ", result.failure, "\n");
  }
  return result;
}

double InSeconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }

}  // namespace

std::string GoodputTable() {
  constexpr uint64_t kBytes = 3'000'000;
  constexpr uint32_t kLossPpm[] = {0,      1'000,  5'000,  10'000,
                                   20'000, 50'000, 100'000};
  std::string table =
      "# goodput, Mbit/s, of 3 MB over 20 Mbit/s; loss in percent\n"
      "#          RTT ms      0    0.1    0.5      1      2      5     10\n";
  for (const Control& control : kControls) {
    for (Duration rtt : {200us, 2'000us, 20'000us, 200'000us}) {
      absl::StrAppendFormat(&table, "%-8s  %6.1f", control.name,
                            InSeconds(rtt) * 1e3);
      for (uint32_t loss : kLossPpm) {
        Scenario s = Line(control.control, rtt);
        s.there.loss_ppm = loss;
        AddFlow(s, kBytes, 0s);
        const SwarmResult result = RunLine(s, table);
        absl::StrAppendFormat(&table, " %6.2f",
                              kBytes * 8e-6 / InSeconds(result.took));
      }
      table += "\n";
    }
  }
  return table;
}

std::string FairnessTable() {
  std::string table =
      "# fairness over 20 Mbit/s and 20 ms in 8 s; a flow more every 50 ms\n"
      "#          flows   Jain   used\n";
  for (const Control& control : kControls) {
    for (uint32_t flows : {2u, 4u, 8u, 16u}) {
      Scenario s = Line(control.control, 20ms);
      s.stop_after = 8s;
      for (uint32_t i = 0; i < flows; ++i) AddFlow(s, 100'000'000, i * 50ms);
      const SwarmResult result = RunLine(s, table);
      double sum = 0;
      double squares = 0;
      for (uint64_t bytes : result.received) {
        sum += static_cast<double>(bytes);
        squares += static_cast<double>(bytes) * static_cast<double>(bytes);
      }
      const double jain = squares > 0 ? sum * sum / (flows * squares) : 0;
      const double used = sum * 8 / (8 * static_cast<double>(kBitsPerSecond));
      absl::StrAppendFormat(&table, "%-8s  %6d  %.3f  %.3f\n", control.name,
                            flows, jain, used);
    }
  }
  return table;
}

std::string SharingTable() {
  struct Pair {
    CongestionControl first;
    CongestionControl second;
  };
  constexpr Pair kPairs[] = {
      {CongestionControl::kBbr, CongestionControl::kNewReno},
      {CongestionControl::kBbr, CongestionControl::kCubic},
      {CongestionControl::kCubic, CongestionControl::kNewReno},
      {CongestionControl::kBbr, CongestionControl::kBbr}};
  constexpr Duration kTime = 30s;
  std::string table =
      "# sharing 20 Mbit/s and 20 ms for 30 s, Mbit/s of each; queue in kB\n"
      "#                      16           64          256\n";
  for (const Pair& pair : kPairs) {
    absl::StrAppendFormat(&table, "%-8s%-8s", tcp::NameOf(pair.first),
                          tcp::NameOf(pair.second));
    for (uint32_t queue : {16'000u, 64'000u, 256'000u}) {
      Scenario s = Line(CongestionControl::kCubic, 20ms);
      s.there.queue_bytes = queue;
      s.stop_after = kTime;
      AddFlow(s, 100'000'000, 0s);
      AddFlow(s, 100'000'000, 50ms);
      s.connections[0].congestion = pair.first;
      s.connections[1].congestion = pair.second;
      const SwarmResult result = RunLine(s, table);
      for (uint64_t bytes : result.received) {
        absl::StrAppendFormat(
            &table, " %5.2f",
            static_cast<double>(bytes) * 8e-6 / InSeconds(kTime));
      }
      table += " ";
    }
    while (table.back() == ' ') table.pop_back();
    table += "\n";
  }
  return table;
}

std::string RecoveryTable() {
  // 138 full segments, the FIN with the last; 4 bytes are the application's.
  constexpr uint32_t kSegments = 138;
  struct Loss {
    uint32_t skip;
    uint32_t count;
  };
  constexpr Loss kLosses[] = {
      {0, 0},   {70, 1}, {kSegments - 1, 1}, {kSegments - 3, 3},
      {70, 10}, {30, 40}};
  std::string table =
      "# recovery: ms for 200 kB over 20 Mbit/s if these segments are lost\n"
      "#          RTT ms     none   71st   last last 3 71..80 31..70\n";
  for (const Control& control : kControls) {
    for (Duration rtt : {2ms, 20ms, 200ms}) {
      absl::StrAppendFormat(&table, "%-8s  %6d  ", control.name, rtt / 1ms);
      for (const Loss& loss : kLosses) {
        Scenario s = Line(control.control, rtt);
        if (loss.count > 0) s.lost_data.push_back({loss.skip, loss.count});
        AddFlow(s, uint64_t{kSegments} * kMss - 4, 0s);
        const SwarmResult result = RunLine(s, table);
        absl::StrAppendFormat(&table, " %6d", result.took / 1ms);
      }
      table += "\n";
    }
  }
  return table;
}

std::string GoldenTables() {
  return absl::StrCat(GoodputTable(), FairnessTable(), SharingTable(),
                      RecoveryTable());
}

}  // namespace corelane::sim
