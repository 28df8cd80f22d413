// What a script's application does, and what can be checked:
//
//   check state ESTABLISHED         or none
//   check cwnd 14600                and ssthresh, mss, peer_mss, snd_wnd,
//                                   rcv_wnd, in_flight, retransmits, in bytes
//   check cwnd_segments 10          cwnd in whole segments
//   check rto_ms 200, srtt_ms 10, rttvar_ms 5
//   check phase Recovery            of the sender; see send_state.h
//   check readable N, send_space N, at_end yes
//   check events opened readable    all since the last such line
//   check error reset               or none, refused, timed_out, ...
//   check connections N, requests N, time_waits N
//   check tcp NAME N, drop NAME N, counter NAME N
//
// A number may be a range, A..B. `port N` behind it names the connection.
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dataplane/pipeline/counters.h"
#include "proto/tcp/counters.h"
#include "proto/tcp/send_state.h"
#include "tests/sim/scenario.h"
#include "tests/sim/script.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {
namespace {

const char* ErrorName(tcp::Error error) {
  static constexpr const char* kNames[] = {
      "none", "refused", "reset", "timed_out", "unreachable", "aborted"};
  return kNames[static_cast<int>(error)];
}

const char* PhaseName(tcp::SendPhase phase) {
  static constexpr const char* kNames[] = {"Open", "Disorder", "Cwr",
                                           "Recovery", "Loss"};
  return kNames[static_cast<int>(phase)];
}

// Where a connection keeps its SendState is the layer's affair; without one it
// has nothing in flight.
template <typename Layer>
const tcp::SendState* SendStateOf(const Layer& layer, uint32_t index) {
  if constexpr (requires { layer.send_state(index); }) {
    return layer.send_state(index);
  } else {
    return nullptr;
  }
}

// "10..20", or the very text.
bool Fits(const std::string& got, const std::string& want) {
  const size_t dots = want.find("..");
  if (dots == std::string::npos) return got == want;
  const uint32_t n = Number(got);
  return Number(want.substr(0, dots)) <= n &&
         n <= Number(want.substr(dots + 2));
}

// Counters that features bring with them are named here before they exist.
template <typename Counters>
bool TcpCounter(const Counters& c, const std::string& name, std::string& out) {
#define CORELANE_COUNTER(field)            \
  if (name == #field) {                    \
    if constexpr (requires { c.field; }) { \
      out = absl::StrCat(c.field);         \
      return true;                         \
    }                                      \
  }
  CORELANE_COUNTER(segments_in)
  CORELANE_COUNTER(segments_out)
  CORELANE_COUNTER(bytes_in)
  CORELANE_COUNTER(bytes_out)
  CORELANE_COUNTER(active_opens)
  CORELANE_COUNTER(passive_opens)
  CORELANE_COUNTER(failed_opens)
  CORELANE_COUNTER(resets_in)
  CORELANE_COUNTER(resets_out)
  CORELANE_COUNTER(retransmits)
  CORELANE_COUNTER(fast_retransmits)
  CORELANE_COUNTER(timeouts)
  CORELANE_COUNTER(window_probes)
  CORELANE_COUNTER(out_of_order)
  CORELANE_COUNTER(duplicate_data)
  CORELANE_COUNTER(duplicate_acks)
  CORELANE_COUNTER(unacceptable)
  CORELANE_COUNTER(challenge_acks)
  CORELANE_COUNTER(delayed_acks)
  CORELANE_COUNTER(gave_up)
  CORELANE_COUNTER(spurious_timeouts)
  CORELANE_COUNTER(undos)
  CORELANE_COUNTER(tail_probes)
  CORELANE_COUNTER(dsacks_in)
  CORELANE_COUNTER(ecn_reductions)
  CORELANE_COUNTER(ecn_marks_in)
  CORELANE_COUNTER(paws_dropped)
  CORELANE_COUNTER(keepalive_probes)
  CORELANE_COUNTER(syn_cookies_sent)
  CORELANE_COUNTER(syn_cookies_accepted)
  CORELANE_COUNTER(syn_cookies_failed)
#undef CORELANE_COUNTER
  return false;
}

// `kind` is drop, counter or tcp. False if there is no such counter.
bool CounterValue(const dataplane::Counters& counters, const std::string& kind,
                  const std::string& name, std::string& out) {
  if (kind == "tcp") return TcpCounter(counters.tcp, name, out);
  if (kind == "drop") {
    for (size_t i = 0; i < dataplane::kDropReasonCount; ++i) {
      if (name == DropReasonName(static_cast<dataplane::DropReason>(i))) {
        out = absl::StrCat(counters.drops[i]);
        return true;
      }
    }
  }
  if (kind == "counter") {
#define X(id, text) \
  if (name == #id) out = absl::StrCat(counters.id);
    CORELANE_COUNTERS(X)
#undef X
  }
  return !out.empty();
}

bool SenderValue(const tcp::ControlBlock& cb, const std::string& what,
                 std::string& got) {
  const uint32_t mss = cb.mss == 0 ? 1 : cb.mss;
  if (what == "cwnd") got = absl::StrCat(cb.cwnd);
  if (what == "cwnd_segments") got = absl::StrCat(cb.cwnd / mss);
  if (what == "ssthresh") got = absl::StrCat(cb.ssthresh);
  if (what == "mss") got = absl::StrCat(cb.mss);
  if (what == "peer_mss") got = absl::StrCat(cb.peer_mss);
  if (what == "rto_ms") got = absl::StrCat(cb.rto_us / 1000);
  if (what == "srtt_ms") got = absl::StrCat(cb.srtt_us / 8 / 1000);
  if (what == "rttvar_ms") got = absl::StrCat(cb.rttvar_us / 4 / 1000);
  if (what == "snd_wnd") got = absl::StrCat(cb.SendWindow());
  if (what == "rcv_wnd") got = absl::StrCat(cb.ReceiveWindow());
  if (what == "in_flight") got = absl::StrCat(cb.snd_nxt - cb.snd_una);
  if (what == "retransmits") got = absl::StrCat(cb.retransmits);
  return !got.empty();
}

}  // namespace

// --------------------------------------------------------- the application

// `app connect [fails] [local ADDRESS]`
std::string Script::AppConnect(const FlowName& name, const Words& words) {
  const bool fails = words.size() > 1 && words[1] == "fails";
  Ipv4Address local;
  if (words.size() > 2 && words[words.size() - 2] == "local") {
    local = ParseIpv4(words.back()).value_or(local);
  }
  auto connection = node_->pipeline().tcp().Connect(
      Ipv4Address(name.peer_address), name.peer_port, app_number_, local,
      name.our_port);
  if (connection.ok() == fails) {
    return fails ? "it did not fail" : connection.status().ToString();
  }
  if (fails) return "";
  ScriptApp::Stream& stream = app_->stream(name);
  stream = ScriptApp::Stream{};
  stream.connection = *connection;
  stream.open = true;
  return "";
}

std::string Script::App(Words words) {
  const FlowName name = TakeFlowName(words);
  if (words.empty()) return "app does what?";
  const std::string& what = words[0];
  const uint32_t n = words.size() > 1 ? Number(words[1]) : 0;
  ScriptApp::Stream& stream = app_->stream(name);
  dataplane::Connection c = stream.connection;
  std::string wrong;
  if (what == "connect") {
    wrong = AppConnect(name, words);
  } else if (what == "echo") {
    app_->set_reading(ScriptApp::Reading::kEcho);
  } else if (what == "sink") {
    app_->set_reading(ScriptApp::Reading::kSink);
  } else if (what == "wait") {
    app_->set_reading(ScriptApp::Reading::kWhenTold);
  } else if (!stream.open) {
    return "there is no such connection";
  } else if (what == "send") {
    const uint32_t taken = ScriptApp::Send(stream, n);
    const uint32_t want = words.size() > 2 ? Number(words[2]) : n;
    if (taken != want) wrong = absl::StrCat("only ", taken, " were taken");
  } else if (what == "read") {
    if (!ScriptApp::Read(stream, n)) {
      wrong = absl::StrCat("cannot read that; there are ", c.readable());
    }
  } else if (what == "shutdown") {
    c.ShutdownSend();
  } else if (what == "close" || what == "abort") {
    stream.open = false;
    what == "close" ? c.Close() : c.Abort();
  } else if (what == "nodelay") {
    c.SetNoDelay(words.size() < 2 || words[1] != "off");
  } else if (what == "timer") {
    c.SetTimer(Seconds(words.at(1)));
  } else {
    return absl::StrCat("no such action: ", what);
  }
  RunTo(now_);
  return wrong;
}

// ------------------------------------------------------------------ looking

uint32_t Script::BlockIndex(const FlowName& name) const {
  const auto& blocks = node_->pipeline().tcp().blocks();
  for (uint32_t i = 0; i < blocks.high_water(); ++i) {
    const tcp::FlowKey& key = blocks[i].key;
    if (blocks[i].generation != 0 && key.remote_address == name.peer_address &&
        key.remote_port == name.peer_port && key.local_port == name.our_port) {
      return i;
    }
  }
  return tcp::kNoIndex;
}

// What the control block says. False if that is not its affair.
bool Script::BlockValue(const std::string& what, const FlowName& name,
                        std::string& got) const {
  const dataplane::TcpLayer& tcp = node_->pipeline().tcp();
  const uint32_t index = BlockIndex(name);
  if (index == tcp::kNoIndex) {
    if (what == "state" || what == "phase") got = "none";
    return !got.empty() || SenderValue(tcp::ControlBlock{}, what, got);
  }
  const tcp::ControlBlock& cb = tcp.block(index);
  if (what == "state") {
    got = tcp::StateName(cb.state);
    return true;
  }
  if (what == "phase") {
    const tcp::SendState* state = SendStateOf(tcp, index);
    got = PhaseName(state == nullptr ? tcp::SendPhase::kOpen : state->phase);
    return true;
  }
  return SenderValue(cb, what, got);
}

bool Script::OtherValue(const std::string& what, const FlowName& name,
                        std::string& got) {
  const dataplane::TcpLayer& tcp = node_->pipeline().tcp();
  ScriptApp::Stream& stream = app_->stream(name);
  if (what == "events") {
    got = ScriptApp::TakeEvents(stream);
    if (got.empty()) got = "none";
    return true;
  }
  if (what == "error") got = ErrorName(stream.error);
  if (what == "datagrams") got = absl::StrCat(app_->datagrams());
  if (what == "datagram_errors") got = absl::StrCat(app_->datagram_errors());
  if (what == "connections") got = absl::StrCat(tcp.blocks().in_use());
  if (what == "time_waits") got = absl::StrCat(tcp.time_waits().in_use());
  if (what == "requests") got = absl::StrCat(tcp.requests().in_use());
  if (stream.open) {
    const dataplane::Connection c = stream.connection;
    if (what == "readable") got = absl::StrCat(c.readable());
    if (what == "send_space") got = absl::StrCat(c.send_space());
    if (what == "at_end") got = c.at_end() ? "yes" : "no";
  }
  return !got.empty();
}

std::string Script::Check(Words words) {
  const FlowName name = TakeFlowName(words);
  if (words.size() < 2) return "check what?";
  std::string what = words[0];
  std::string want = absl::StrJoin(words.begin() + 1, words.end(), " ");
  std::string got;
  if (what == "tcp" || what == "drop" || what == "counter") {
    if (words.size() != 3) return "check tcp|drop|counter NAME VALUE";
    want = words[2];
    if (!CounterValue(node_->pipeline().core().counters, what, words[1], got)) {
      return "no such counter";
    }
    what = words[1];
  } else if (!BlockValue(what, name, got)) {
    got.clear();
    if (!OtherValue(what, name, got)) {
      return absl::StrCat("cannot check ", what);
    }
  }
  return Fits(got, want) ? ""
                         : absl::StrCat(what, " is ", got, ", expected ", want);
}

}  // namespace corelane::sim
