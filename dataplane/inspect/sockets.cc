#include "dataplane/inspect/sockets.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "dataplane/pipeline/tcp_short.h"
#include "proto/tcp/clock.h"

namespace corelane::inspect {
namespace {

using dataplane::Pipeline;

// The walk goes through these in turn; a cursor is (section, index in it).
enum Section : uint32_t {
  kListeners,
  kUdp,
  kRequests,
  kConnections,
  kTimeWaits,
  kSections,
};

std::string Endpoint(Ipv4Address address, uint16_t port) {
  return absl::StrCat(ToString(address), ":", port);
}

class Reader {
 public:
  Reader(Pipeline& pipeline, const SocketFilter& filter)
      : pipeline_(pipeline), tcp_(pipeline.tcp()), filter_(filter) {}

  uint32_t SizeOf(uint32_t section) const {
    switch (section) {
      case kListeners:
        return static_cast<uint32_t>(tcp_.listeners().all().size());
      case kUdp:
        return static_cast<uint32_t>(pipeline_.udp().sockets().size());
      case kRequests:
        return tcp_.requests().high_water();
      case kConnections:
        return tcp_.blocks().high_water();
      case kTimeWaits:
        return tcp_.time_waits().high_water();
      default:
        return 0;
    }
  }

  // False if there is none at that place that the filter lets through.
  bool Read(uint32_t section, uint32_t index, SocketRecord& row) const {
    switch (section) {
      case kListeners:
        return ReadListener(tcp_.listeners().all()[index], row);
      case kUdp:
        return ReadUdp(pipeline_.udp().sockets()[index], row);
      case kRequests:
        return ReadRequest(tcp_.requests()[index], row);
      case kConnections:
        return ReadConnection(index, row);
      case kTimeWaits:
        return ReadTimeWait(tcp_.time_waits()[index], row);
      default:
        return false;
    }
  }

  // Whether the filter lets nothing of a section through.
  bool Skips(uint32_t section) const {
    if (section == kUdp) return filter_.tcp_only;
    if (filter_.udp_only) return true;
    return filter_.servers_only && section != kListeners;
  }

 private:
  // Starts a record of a connection.
  bool Begin(const tcp::FlowKey& key, tcp::State state,
             SocketRecord& row) const {
    if (!filter_.Matches(key, state)) return false;
    row = SocketRecord{};
    row.key = key;
    row.state = state;
    row.has_peer = row.has_control = true;
    return true;
  }

  bool ReadListener(const dataplane::Listener& l, SocketRecord& row) const {
    const tcp::FlowKey key{.local_address = l.address.value(),
                           .local_port = l.port};
    if (!l.in_use || !Begin(key, tcp::State::kListen, row)) return false;
    row.recv_q = l.requests;
    row.server = true;
    row.has_peer = row.has_control = false;
    return true;
  }

  bool ReadUdp(const dataplane::UdpSocketState& s, SocketRecord& row) const {
    tcp::FlowKey key{.local_address = s.address.value(), .local_port = s.port};
    if (s.connected) {
      key.remote_address = s.peer.address.value();
      key.remote_port = s.peer.port;
    }
    const tcp::State state =
        s.connected ? tcp::State::kEstablished : tcp::State::kClosed;
    if (!s.in_use || (s.connected && filter_.servers_only) ||
        !Begin(key, state, row)) {
      return false;
    }
    row.tcp = false;
    row.server = !s.connected;
    row.has_peer = s.connected;
    row.has_control = false;
    return true;
  }

  bool ReadRequest(const tcp::Request& r, SocketRecord& row) const {
    if (r.in_use == 0 || !Begin(r.key, tcp::State::kSynReceived, row)) {
      return false;
    }
    ControlInfo& info = row.control;
    info.iss = info.snd_una = r.iss.value();
    info.snd_nxt = r.iss.value() + 1;
    info.irs = r.irs.value();
    info.rcv_nxt = r.irs.value() + 1;
    info.snd_wnd = r.window;
    info.mss = r.peer_mss;
    info.retransmissions = r.retransmits;
    info.age_ms = info.unacked_ms = Since(r.opened_at);
    return true;
  }

  bool ReadConnection(uint32_t index, SocketRecord& row) const {
    const tcp::ControlBlock& cb = tcp_.block(index);
    // Freed, or only waiting for the application to take its leave.
    if (cb.state == tcp::State::kClosed || !Begin(cb.key, cb.state, row) ||
        cb.generation == 0) {
      return false;
    }
    row.recv_q = tcp_.Readable(index);
    // The SYN of an active open is not data.
    if (cb.snd_queued > cb.snd_una && cb.state != tcp::State::kSynSent) {
      row.send_q = cb.snd_queued - cb.snd_una;
    }
    ControlInfo& info = row.control;
    info.iss = cb.iss.value();
    info.irs = cb.irs.value();
    info.snd_una = cb.snd_una.value();
    info.snd_nxt = cb.snd_nxt.value();
    info.snd_wnd = cb.SendWindow();
    info.rcv_nxt = cb.rcv_nxt.value();
    info.rcv_wnd = cb.ReceiveWindow();
    info.mss = cb.mss;
    info.cwnd = cb.cwnd;
    info.ssthresh = cb.ssthresh;
    info.srtt_us = cb.srtt_us / 8;
    info.rttvar_us = cb.rttvar_us / 4;
    info.rto_us = cb.rto_us;
    info.retransmissions = cb.total_retransmits;
    if (cb.snd_nxt > cb.snd_una) info.unacked_ms = Since(cb.una_since);
    info.age_ms = Since(cb.opened_at);
    return true;
  }

  bool ReadTimeWait(const tcp::TimeWait& t, SocketRecord& row) const {
    if (t.key == tcp::FlowKey() || !Begin(t.key, tcp::State::kTimeWait, row)) {
      return false;
    }
    row.control.snd_una = row.control.snd_nxt = t.snd_nxt.value();
    row.control.rcv_nxt = t.rcv_nxt.value();
    row.control.rcv_wnd = t.window;
    row.control.age_ms = Since(t.opened_at);
    return true;
  }

  uint64_t Since(tcp::Tick then) const {
    const tcp::Tick now = pipeline_.core().tcp_now.tick;
    return (uint64_t{now - then} << tcp::kTickShift) / 1'000'000;
  }

  Pipeline& pipeline_;
  const dataplane::TcpLayer& tcp_;
  const SocketFilter& filter_;
};

struct Field {
  const char* name;
  uint32_t ControlInfo::*value;
};

constexpr Field kFields[] = {
    {"iss", &ControlInfo::iss},
    {"irs", &ControlInfo::irs},
    {"snd_una", &ControlInfo::snd_una},
    {"snd_nxt", &ControlInfo::snd_nxt},
    {"snd_wnd", &ControlInfo::snd_wnd},
    {"rcv_nxt", &ControlInfo::rcv_nxt},
    {"rcv_wnd", &ControlInfo::rcv_wnd},
    {"mss", &ControlInfo::mss},
    {"cwnd", &ControlInfo::cwnd},
    {"ssthresh", &ControlInfo::ssthresh},
    {"srtt_us", &ControlInfo::srtt_us},
    {"rttvar_us", &ControlInfo::rttvar_us},
    {"rto_us", &ControlInfo::rto_us},
    {"retransmissions", &ControlInfo::retransmissions},
};

}  // namespace

// netstat's spelling, which people look for, rather than the RFC's.
const char* NetstatName(tcp::State state) {
  switch (state) {
    case tcp::State::kClosed:
      return "CLOSED";
    case tcp::State::kListen:
      return "LISTEN";
    case tcp::State::kSynSent:
      return "SYN_SENT";
    case tcp::State::kSynReceived:
      return "SYN_RECV";
    case tcp::State::kEstablished:
      return "ESTABLISHED";
    case tcp::State::kFinWait1:
      return "FIN_WAIT1";
    case tcp::State::kFinWait2:
      return "FIN_WAIT2";
    case tcp::State::kCloseWait:
      return "CLOSE_WAIT";
    case tcp::State::kClosing:
      return "CLOSING";
    case tcp::State::kLastAck:
      return "LAST_ACK";
    case tcp::State::kTimeWait:
      return "TIME_WAIT";
  }
  return "?";
}

SocketPage ReadSockets(Pipeline& pipeline, Cursor from,
                       const PageLimits& limits, const SocketFilter& filter) {
  const Reader reader(pipeline, filter);
  SocketPage page;
  page.rows.reserve(std::min<size_t>(limits.rows, limits.scanned));
  auto index = static_cast<uint32_t>(from);
  uint32_t scanned = 0;
  SocketRecord record;
  for (uint64_t section = from >> 32; section < kSections; ++section) {
    const uint32_t size = reader.Skips(static_cast<uint32_t>(section))
                              ? 0
                              : reader.SizeOf(static_cast<uint32_t>(section));
    for (; index < size; ++index) {
      if ((filter.top == 0 && page.rows.size() == limits.rows) ||
          scanned == limits.scanned) {
        page.next = section << 32 | index;
        return page;
      }
      ++scanned;
      if (!reader.Read(static_cast<uint32_t>(section), index, record)) continue;
      if (filter.top == 0) {
        page.rows.push_back(record);
      } else {
        KeepBest(page.rows, record, filter);
      }
    }
    index = 0;
  }
  return page;
}

void MergeShared(Pipeline& pipeline, bool keep,
                 std::vector<SocketRecord>& records) {
  std::erase_if(records, [&](SocketRecord& r) {
    if (r.has_control) return false;  // a connection: this core's only
    if (r.tcp) {
      const dataplane::Listener* l =
          pipeline.tcp().listeners().Bound(r.key.local(), r.key.local_port);
      if (l == nullptr) return false;
      r.recv_q += l->requests;
      return !keep;
    }
    const auto* s = pipeline.udp().Bound(r.key.local(), r.key.local_port);
    if (s == nullptr || s->connected != r.has_peer) return false;
    const dataplane::UdpEndpoint peer{r.key.remote(), r.key.remote_port};
    return !keep && (!s->connected || s->peer == peer);
  });
}

void KeepBest(std::vector<SocketRecord>& best, const SocketRecord& record,
              const SocketFilter& filter) {
  // The least of the best is at the heap's front.
  auto greater = [&](const SocketRecord& a, const SocketRecord& b) {
    return TopValue(a, filter.by) > TopValue(b, filter.by);
  };
  if (best.size() == filter.top) {
    if (!greater(record, best.front())) return;
    std::pop_heap(best.begin(), best.end(), greater);
    best.pop_back();
  }
  best.push_back(record);
  std::push_heap(best.begin(), best.end(), greater);
}

SocketRow ToRow(const SocketRecord& record) {
  SocketRow row;
  row.tcp = record.tcp;
  row.server = record.server;
  row.recv_q = record.recv_q;
  row.send_q = record.send_q;
  row.local = Endpoint(record.key.local(), record.key.local_port);
  row.foreign = record.has_peer
                    ? Endpoint(record.key.remote(), record.key.remote_port)
                    : "0.0.0.0:*";
  if (record.state != tcp::State::kClosed) {
    row.state = NetstatName(record.state);
  }
  if (record.has_control) row.control = record.control;
  return row;
}

nlohmann::ordered_json ToJson(const SocketRow& row, bool wide) {
  nlohmann::ordered_json json = {
      {"proto", row.tcp ? "tcp" : "udp"},
      {"recv_q", row.recv_q},
      {"send_q", row.send_q},
      {"local", row.local},
      {"foreign", row.foreign},
      {"state", row.state},
  };
  if (row.server) json["server"] = 1;
  if (!wide) return json;
  json["core"] = row.core;
  if (!row.control.has_value()) return json;
  for (const Field& field : kFields) {
    json[field.name] = (*row.control).*field.value;
  }
  json["unacked_ms"] = row.control->unacked_ms;
  json["age_ms"] = row.control->age_ms;
  return json;
}

absl::StatusOr<SocketRow> SocketFromJson(const nlohmann::ordered_json& json) {
  try {
    SocketRow row;
    row.tcp = json.at("proto") == "tcp";
    row.recv_q = json.at("recv_q");
    row.send_q = json.at("send_q");
    row.local = json.at("local");
    row.foreign = json.at("foreign");
    row.state = json.at("state");
    row.server = json.value("server", 0) != 0;
    row.core = json.value("core", 0u);
    if (!json.contains("snd_una")) return row;
    ControlInfo& info = row.control.emplace();
    for (const Field& field : kFields) {
      info.*field.value = json.at(field.name).get<uint32_t>();
    }
    info.unacked_ms = json.at("unacked_ms");
    info.age_ms = json.at("age_ms");
    return row;
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(
        absl::StrCat("a row that is no socket: ", error.what()));
  }
}

}  // namespace corelane::inspect
