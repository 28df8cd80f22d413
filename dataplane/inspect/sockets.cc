#include "dataplane/inspect/sockets.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
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

class Reader {
 public:
  explicit Reader(Pipeline& pipeline)
      : pipeline_(pipeline), tcp_(pipeline.tcp()) {}

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

  std::optional<SocketRow> Read(uint32_t section, uint32_t index) const {
    switch (section) {
      case kListeners:
        return ReadListener(tcp_.listeners().all()[index]);
      case kUdp:
        return ReadUdp(pipeline_.udp().sockets()[index]);
      case kRequests:
        return ReadRequest(tcp_.requests()[index]);
      case kConnections:
        return ReadConnection(index);
      case kTimeWaits:
        return ReadTimeWait(tcp_.time_waits()[index]);
      default:
        return std::nullopt;
    }
  }

 private:
  static std::optional<SocketRow> ReadListener(const dataplane::Listener& l) {
    if (!l.in_use) return std::nullopt;
    SocketRow row;
    row.recv_q = l.requests;
    row.local = Endpoint(l.address, l.port);
    row.foreign = "0.0.0.0:*";
    row.state = NetstatName(tcp::State::kListen);
    row.server = true;
    return row;
  }

  static std::optional<SocketRow> ReadUdp(const dataplane::UdpSocketState& s) {
    if (!s.in_use) return std::nullopt;
    SocketRow row;
    row.tcp = false;
    row.local = Endpoint(s.address, s.port);
    row.foreign =
        s.connected ? Endpoint(s.peer.address, s.peer.port) : "0.0.0.0:*";
    if (s.connected) row.state = NetstatName(tcp::State::kEstablished);
    row.server = !s.connected;
    return row;
  }

  static SocketRow RowOf(const tcp::FlowKey& key, tcp::State state) {
    SocketRow row;
    row.local = Endpoint(key.local(), key.local_port);
    row.foreign = Endpoint(key.remote(), key.remote_port);
    row.state = NetstatName(state);
    row.control.emplace();
    return row;
  }

  std::optional<SocketRow> ReadRequest(const tcp::Request& r) const {
    if (r.in_use == 0) return std::nullopt;
    SocketRow row = RowOf(r.key, tcp::State::kSynReceived);
    ControlInfo& info = *row.control;
    info.iss = info.snd_una = r.iss.value();
    info.snd_nxt = r.iss.value() + 1;
    info.irs = r.irs.value();
    info.rcv_nxt = r.irs.value() + 1;
    info.snd_wnd = r.window;
    info.mss = r.peer_mss;
    info.retransmissions = r.retransmits;
    info.age_ms = info.unacked_ms = Since(r.opened_at);
    return row;
  }

  std::optional<SocketRow> ReadConnection(uint32_t index) const {
    const tcp::ControlBlock& cb = tcp_.block(index);
    // Freed, or only waiting for the application to take its leave.
    if (cb.generation == 0 || cb.state == tcp::State::kClosed) {
      return std::nullopt;
    }
    SocketRow row = RowOf(cb.key, cb.state);
    row.recv_q = tcp_.Readable(index);
    // The SYN of an active open is not data.
    if (cb.snd_queued > cb.snd_una && cb.state != tcp::State::kSynSent) {
      row.send_q = cb.snd_queued - cb.snd_una;
    }
    ControlInfo& info = *row.control;
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
    return row;
  }

  std::optional<SocketRow> ReadTimeWait(const tcp::TimeWait& t) const {
    if (t.key == tcp::FlowKey()) return std::nullopt;
    SocketRow row = RowOf(t.key, tcp::State::kTimeWait);
    row.control->snd_una = row.control->snd_nxt = t.snd_nxt.value();
    row.control->rcv_nxt = t.rcv_nxt.value();
    row.control->rcv_wnd = t.window;
    row.control->age_ms = Since(t.opened_at);
    return row;
  }

  uint64_t Since(tcp::Tick then) const {
    const tcp::Tick now = pipeline_.core().tcp_now.tick;
    return (uint64_t{now - then} << tcp::kTickShift) / 1'000'000;
  }

  Pipeline& pipeline_;
  const dataplane::TcpLayer& tcp_;
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

SocketPage ReadSockets(Pipeline& pipeline, Cursor from,
                       const PageLimits& limits) {
  const Reader reader(pipeline);
  SocketPage page;
  auto index = static_cast<uint32_t>(from);
  uint32_t scanned = 0;
  for (uint64_t section = from >> 32; section < kSections; ++section) {
    const uint32_t size = reader.SizeOf(static_cast<uint32_t>(section));
    for (; index < size; ++index) {
      if (page.rows.size() == limits.rows || scanned == limits.scanned) {
        page.next = section << 32 | index;
        return page;
      }
      ++scanned;
      auto row = reader.Read(static_cast<uint32_t>(section), index);
      if (row.has_value()) page.rows.push_back(*std::move(row));
    }
    index = 0;
  }
  return page;
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
  if (!wide || !row.control.has_value()) return json;
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
