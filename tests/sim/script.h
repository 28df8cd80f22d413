// Tests at the level of single segments, as text: inject this, expect that, at
// these virtual times. One file per rule, in tests/sim/scripts.
//
//   set receive_buffer 4096        before the first timed line: script_config.h
//   0       listen
//   +0      < S 0:0(0) win 65535 <mss 1000>
//   +0      > S. 0:0(0) ack 1 <mss 1460>
//   +.01    < . 1:1(0) ack 1
//   +0      app send 500           the stack's application
//   +0      > P. 1:501(500) ack 1
//   +.1~.3  > P. 1:501(500) ack 1  at some time between
//   +1      quiet                  nothing else was sent up to now
//   +0      check state ESTABLISHED
//
// The stack is 10.0.0.1, the peer 10.0.0.2; their ports are 80 and 5000 unless
// a line says otherwise (`port N`, `our_port N`, `from A`). Sequence numbers
// count from each side's SYN, the stack's timestamps from its first. Times are
// seconds from the start, or after `+` from the line before; what is expected
// may be off by a millisecond, the resolution of the stack's timers rounded up.
// ARP goes on by itself unless `set arp manual`. Segments: script_line.h and
// script_options.h.
//
// What the application does, for the connection that `port N` names:
//   listen [PORT], unlisten [PORT], bind PORT
//   app connect [fails] [local A] | send N [TAKEN] | read N | shutdown | close
//   | abort app nodelay [off] | timer SECONDS | echo | sink | wait
// What can be checked: see script_check.cc.
#ifndef CORELANE_TESTS_SIM_SCRIPT_H_
#define CORELANE_TESTS_SIM_SCRIPT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/script_app.h"
#include "tests/sim/script_line.h"
#include "tests/sim/script_record.h"

namespace corelane::sim {

class Script {
 public:
  Script();
  ~Script();

  // Runs a whole text. Empty, or what went wrong in which line.
  std::string Run(const std::string& text);

  // What happened, step by step, goes there as well: for comparing with another
  // stack. It outlives the script.
  void set_record(ScriptRecord* record) { record_ = record; }

  // Goes on after a line that failed, and reports them all: for people.
  void set_keep_going(bool on) { keep_going_ = on; }

 private:
  using Words = std::vector<std::string>;
  struct Sent {
    Time at;
    Frame frame;
  };
  // What was learnt of a connection from what the stack sent.
  struct Flow {
    bool known = false;
    uint32_t iss = 0;
    bool has_timestamps = false;
    uint32_t first_timestamp = 0;
    uint32_t last_timestamp = 0;
  };
  // When a line happens: at `from`, or, expected, up to `to`.
  struct When {
    Time from;
    Time to;
  };

  std::string RunLine(Words words);
  When ParseTime(const std::string& text) const;
  std::string RunCommand(const Words& words);
  std::string Configure(const Words& words);
  void Start();

  // ---- Commands; each returns what went wrong, if anything.
  std::string Listen(const Words& words);
  std::string Inject(const Words& words);
  std::string InjectTcp(const Words& words);
  std::string InjectIcmp(const Words& words);
  std::string InjectArp(const Words& words);
  std::string InjectUdp(const Words& words);
  std::string ExpectLine(const When& when, const Words& words);
  std::string ExpectNext(const When& when, const TcpText* tcp,
                         const std::string& other);
  std::string ExpectTcp(const TcpText& t, const Frame& frame) const;
  std::string Quiet();
  std::string App(Words words);
  std::string AppConnect(const FlowName& name, const Words& words);
  std::string Check(Words words);
  bool BlockValue(const std::string& what, const FlowName& name,
                  std::string& got) const;
  bool OtherValue(const std::string& what, const FlowName& name,
                  std::string& got);

  Frame BuildTcp(const TcpText& t) const;
  OptionBases BasesFor(const Flow& flow, uint32_t sequence) const;
  // The frame arrives; RunTo lets the stack see it.
  void Put(const Frame& frame);
  void Deliver(const Frame& frame);
  void Note(ScriptEvent::Kind kind, Frame frame, Words words = {});
  void RunTo(Time until);
  void Poll();
  void Collect();
  void Learn(const ParsedFrame& f);
  bool AnswerArp(const Frame& frame);
  Flow FlowOf(const FlowName& name) const;
  // The block of that connection; kNoIndex if there is none.
  uint32_t BlockIndex(const FlowName& name) const;

  NodeConfig config_;
  Time now_;
  bool arp_by_itself_ = true;
  bool keep_going_ = false;
  uint32_t peer_isn_ = 1'000'000;
  std::map<FlowName, Flow> flows_;
  std::map<uint16_t, uint32_t> listeners_;  // by port
  std::unique_ptr<Node> node_;
  ScriptApp* app_ = nullptr;
  uint16_t app_number_ = 0;
  Oracle oracle_;
  ScriptRecord* record_ = nullptr;
  std::deque<Sent> sent_;
  std::string broken_;  // what the oracle found
};

// The ports that lines mean unless they say otherwise.
inline constexpr uint16_t kScriptOurPort = 80;
inline constexpr uint16_t kScriptPeerPort = 5000;

// Which connection a line of a segment belongs to; `peer` is its address there.
FlowName FlowNameOf(const TcpText& t, std::optional<Ipv4Address> peer);
// Takes `port N`, `our_port N` and `from A` off the end of a command.
FlowName TakeFlowName(std::vector<std::string>& words);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_H_
