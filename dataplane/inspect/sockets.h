// The sockets of one core, as rows for people and programs.
#ifndef CORELANE_DATAPLANE_INSPECT_SOCKETS_H_
#define CORELANE_DATAPLANE_INSPECT_SOCKETS_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/inspect/socket_filter.h"
#include "dataplane/pipeline/pipeline.h"

namespace corelane::inspect {

// The control information behind a TCP connection, in RFC 9293's names.
struct ControlInfo {
  uint32_t iss = 0;
  uint32_t irs = 0;
  uint32_t snd_una = 0;
  uint32_t snd_nxt = 0;
  uint32_t snd_wnd = 0;
  uint32_t rcv_nxt = 0;
  uint32_t rcv_wnd = 0;
  uint32_t mss = 0;
  uint32_t cwnd = 0;
  uint32_t ssthresh = 0;
  uint32_t srtt_us = 0;  // 0: no sample yet
  uint32_t rttvar_us = 0;
  uint32_t rto_us = 0;
  uint32_t retransmissions = 0;
  uint64_t unacked_ms = 0;  // how long the oldest byte sent has waited
  uint64_t age_ms = 0;
};

// A socket as its core copies it out: numbers only, for making text of them
// takes longer than finding them.
struct SocketRecord {
  bool tcp = true;
  bool server = false;  // waits for whoever comes
  bool has_peer = false;
  bool has_control = false;
  tcp::State state = tcp::State::kClosed;  // kClosed: UDP, not connected
  uint32_t recv_q = 0;
  uint32_t send_q = 0;
  tcp::FlowKey key;
  ControlInfo control;
};

struct SocketRow {
  bool tcp = true;
  uint32_t recv_q = 0;  // received and not read; a listener's: half open
  uint32_t send_q = 0;  // queued and not acknowledged
  std::string local;    // "10.77.0.2:7"
  std::string foreign;  // "0.0.0.0:*" where there is none
  std::string state;    // as netstat spells it; empty for UDP
  bool server = false;  // waits for whoever comes
  uint32_t core = 0;
  std::optional<ControlInfo> control;
};

SocketRow ToRow(const SocketRecord& record);

// A place in the walk over a core's sockets; 0 starts it.
using Cursor = uint64_t;

// netstat's spelling, "ESTABLISHED".
const char* NetstatName(tcp::State state);

struct SocketPage {
  std::vector<SocketRecord> rows;
  std::optional<Cursor> next;  // nullopt: that was all
};

inline constexpr uint32_t kScannedPerSlice = 1024;

struct PageLimits {
  size_t rows = 64;
  // Records looked at, most of which may be unused: bounds how long packets
  // wait for a snapshot (bench/inspect_bench).
  uint32_t scanned = kScannedPerSlice;
};

// To be run by the core itself, between two turns. What opens or closes while
// pages are fetched may be missed, but nothing is seen twice. With filter.top
// a page holds the best of what was scanned, in no order.
SocketPage ReadSockets(dataplane::Pipeline& pipeline, Cursor from,
                       const PageLimits& limits,
                       const SocketFilter& filter = {});

// Adds the record to a heap of the filter.top best.
void KeepBest(std::vector<SocketRecord>& best, const SocketRecord& record,
              const SocketFilter& filter);

// What another core knows of sockets that several may have, which are one to
// people: takes the core's own listeners and UDP sockets out of `records`
// (`keep` false), or adds what waits at them to those. To be run by the core.
void MergeShared(dataplane::Pipeline& pipeline, bool keep,
                 std::vector<SocketRecord>& records);

// The row as it goes over the telemetry socket. `wide` adds the control
// information.
nlohmann::ordered_json ToJson(const SocketRow& row, bool wide);
absl::StatusOr<SocketRow> SocketFromJson(const nlohmann::ordered_json& json);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_SOCKETS_H_
