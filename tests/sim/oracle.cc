#include "tests/sim/oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/tcp/invariants.h"
#include "proto/tcp/timers.h"

namespace corelane::sim {
namespace {

// A slab's free records stay where they are; generation 0 marks them.
bool Live(const tcp::ControlBlock& cb) { return cb.generation != 0; }

// The wheel comes round for a connection not later than its first deadline.
// What was due already when the connection came from another core is filed as
// early as there is a place for it: it comes up in the next turn.
bool TimerIsFiled(const tcp::ControlBlock& cb, const tcp::SendState* tx,
                  tcp::Tick now) {
  const auto deadline = tcp::NextDeadline(cb, tx);
  if (!deadline) return true;
  return cb.timer_slot != 0 && (!tcp::TickBefore(*deadline, cb.timer_filed) ||
                                !tcp::TickBefore(now, cb.timer_filed));
}

// The window follows what was sent: growth needs it to be used, so that
// a few send buffers are all it can reach. No reduction goes below a loss
// window, or twice that for the threshold (RFC 5681, equation 4).
const char* CheckWindow(const tcp::ControlBlock& cb, const tcp::SendState* tx,
                        const tcp::Config& config) {
  if (cb.state < tcp::State::kEstablished || tx == nullptr) return nullptr;
  const bool bbr = config.congestion == tcp::CongestionControl::kBbr;
  if (bbr != (tx->bbr != nullptr)) return "BBR's state, or none, for another";
  const uint64_t initial = uint64_t{config.initial_window_segments} * 1460;
  uint64_t most = 5 * std::max<uint64_t>(config.send_buffer, initial);
  // BBR goes by the rate that it has seen, which aggregated acknowledgments
  // make larger, and the round trip, which late ones do; and lets three of its
  // quanta go at any rate. No more is added than was acknowledged.
  if (bbr) {
    most = std::max<uint64_t>(3 * most + 3 * 64 * 1024,
                              initial + (cb.snd_nxt - cb.iss));
    most += 16 * uint64_t{cb.mss};
  }
  if (cb.cwnd > std::max<uint64_t>(most, 16 * uint64_t{cb.mss})) {
    return "cwnd beyond what it can have been used for";
  }
  if (cb.ssthresh < 2u * cb.mss) return "ssthresh below two segments";
  return nullptr;
}

const char* CheckBlock(const tcp::ControlBlock& cb, const tcp::SendState* tx,
                       const tcp::Config& config, tcp::Tick now) {
  if (const char* wrong = tcp::CheckInvariants(cb, tx, config)) return wrong;
  // What is still on the dirty list had no room to send, and may owe anything.
  if (const char* wrong = CheckWindow(cb, tx, config)) return wrong;
  if (cb.Has(tcp::kDirty)) return nullptr;
  if (!TimerIsFiled(cb, tx, now)) return "a deadline that is not in the wheel";
  return tcp::CheckSettled(cb, tx);
}

}  // namespace

// All of them, unless there are so many that one turn looks at a part.
std::string Oracle::CheckBlocks(const dataplane::TcpLayer& tcp,
                                Progress& progress) {
  constexpr uint32_t kPerTurn = 256;
  const auto& blocks = tcp.blocks();
  const uint32_t all = blocks.high_water();
  if (progress.next >= all) progress.next = progress.live = 0;
  const bool whole = progress.next == 0 && all <= kPerTurn;
  const uint32_t end = std::min(all, progress.next + kPerTurn);
  uint32_t bbr = 0;
  for (; progress.next < end; ++progress.next) {
    const tcp::ControlBlock& cb = blocks[progress.next];
    if (!Live(cb)) continue;
    ++progress.live;
    const tcp::SendState* tx = tcp.send_state(progress.next);
    if (tx != nullptr && tx->bbr != nullptr) ++bbr;
    if (const char* wrong =
            CheckBlock(cb, tx, tcp.options(progress.next), tcp.now().tick)) {
      return absl::StrCat(
          "connection ", progress.next, " (port ", cb.key.local_port, " to ",
          cb.key.remote_port, ", ", tcp::StateName(cb.state), "): ", wrong,
          "; cwnd ", cb.cwnd, ", ssthresh ", cb.ssthresh, ", mss ", cb.mss,
          ", send buffer ", tcp.options(progress.next).send_buffer);
    }
  }
  if (whole && bbr != tcp.bbr_states().in_use()) {
    return "BBR's states in use are not those of the connections";
  }
  if (whole && progress.live != blocks.in_use()) {
    return absl::StrCat(progress.live, " live control blocks, but ",
                        blocks.in_use(), " in use");
  }
  return "";
}

namespace {

// rx = delivered + sum of drops + fragments that wait for the rest.
std::string CheckCounters(const dataplane::Counters& c) {
  const uint64_t ended = c.delivered + c.Drops();
  if (ended > c.rx_packets) {
    return absl::StrCat(c.rx_packets, " packets received, but ", c.delivered,
                        " delivered and ", c.Drops(), " dropped");
  }
  const uint64_t held = c.rx_packets - ended;
  if (held > c.fragments_in) {
    return absl::StrCat(held, " received packets are neither delivered nor ",
                        "dropped, and only ", c.fragments_in,
                        " were fragments");
  }
  return "";
}

std::string CheckCoreAtRest(const dataplane::Pipeline& pipeline) {
  const dataplane::TcpLayer& tcp = pipeline.tcp();
  if (tcp.blocks().in_use() != 0) {
    return absl::StrCat(tcp.blocks().in_use(), " control blocks are left");
  }
  if (tcp.requests().in_use() != 0) {
    return absl::StrCat(tcp.requests().in_use(), " requests are left");
  }
  if (tcp.time_waits().in_use() != 0) {
    return absl::StrCat(tcp.time_waits().in_use(), " TIME-WAITs are left");
  }
  if (tcp.table().size() != 0) {
    return absl::StrCat(tcp.table().size(), " table entries are left");
  }
  if (tcp.moves().forwards.in_use() != 0 || !tcp.moves().guests.empty()) {
    return "a connection that had moved was not forgotten";
  }
  const dataplane::Counters& c = pipeline.core().counters;
  if (c.rx_packets != c.delivered + c.Drops()) {
    return absl::StrCat(c.rx_packets, " packets received, but ", c.delivered,
                        " delivered and ", c.Drops(), " dropped");
  }
  return "";
}

// Every flow lives on the core that owns it, unless it moved.
std::string CheckOwners(const Node& node, uint16_t core) {
  const dataplane::TcpLayer& tcp = node.pipeline(core).tcp();
  constexpr uint32_t kMost = 64;
  const uint32_t all = std::min(tcp.blocks().high_water(), kMost);
  for (uint32_t i = 0; i < all; ++i) {
    const tcp::ControlBlock& cb = tcp.blocks()[i];
    if (!Live(cb) || node.OwnerOf(cb.key) == core) continue;
    if (tcp.moves().guests.Has(cb.key) || cb.Has(tcp::kDetached)) continue;
    return absl::StrCat("connection ", i, " of core ", core,
                        " belongs to core ", node.OwnerOf(cb.key));
  }
  return "";
}

}  // namespace

std::string Oracle::Check(const Node& node) {
  progress_.resize(node.cores());
  for (uint16_t core = 0; core < node.cores(); ++core) {
    const dataplane::Pipeline& pipeline = node.pipeline(core);
    std::string wrong = CheckBlocks(pipeline.tcp(), progress_[core]);
    if (wrong.empty()) wrong = CheckCounters(pipeline.core().counters);
    if (wrong.empty() && node.cores() > 1) wrong = CheckOwners(node, core);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string Oracle::CheckAtRest(Node& node) {
  for (uint16_t core = 0; core < node.cores(); ++core) {
    std::string wrong = CheckCoreAtRest(node.pipeline(core));
    if (!wrong.empty()) return wrong;
  }
  if (!node.AllPacketsBack()) {
    return absl::StrCat(node.heap().capacity() - node.FreePackets(),
                        " packets did not come back");
  }
  return "";
}

std::string Oracle::Describe(const Node& node) {
  std::string text;
  for (uint16_t core = 0; core < node.cores(); ++core) {
    text += DescribeCore(node.pipeline(core).tcp());
  }
  return text;
}

std::string Oracle::DescribeCore(const dataplane::TcpLayer& tcp) {
  std::string text;
  for (uint32_t i = 0; i < tcp.blocks().high_water(); ++i) {
    const tcp::ControlBlock& cb = tcp.blocks()[i];
    if (!Live(cb)) continue;
    absl::StrAppendFormat(
        &text,
        "\n  connection %d %d>%d %s flags %08x error %d: una +%d nxt +%d "
        "queued +%d edge +%d cwnd %d mss %d; rcv_nxt +%d edge +%d "
        "readable %d; retransmits %d rto %d us",
        i, cb.key.local_port, cb.key.remote_port, tcp::StateName(cb.state),
        cb.flags, static_cast<int>(cb.error), cb.snd_una - cb.iss,
        cb.snd_nxt - cb.iss, cb.snd_queued - cb.iss,
        static_cast<int32_t>(cb.snd_edge - cb.iss), cb.cwnd, cb.mss,
        cb.rcv_nxt - cb.irs, cb.rcv_edge - cb.irs, tcp.Readable(i),
        cb.retransmits, cb.rto_us);
    const tcp::SendState* tx = tcp.send_state(i);
    if (tx == nullptr) continue;
    absl::StrAppendFormat(&text,
                          "; phase %d, %d runs, sacked %d, lost %d, flags %04x",
                          static_cast<int>(tx->phase), tx->range_count,
                          tx->sacked_bytes, tx->lost_bytes, tx->flags);
  }
  return text;
}

}  // namespace corelane::sim
