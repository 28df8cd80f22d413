// Tests at the level of single segments, as text: inject this, expect that, at
// these virtual times. One file per rule, in tests/sim/scripts.
//
//   set receive_buffer 4096        before the first timed line; see Configure
//   0     listen
//   +0    < S 0:0(0) win 65535 <mss 1000>
//   +0    > S. 0:0(0) ack 1 <mss 1460>
//   +.01  < . 1:1(0) ack 1
//   +0    app send 500             the stack's application
//   +0    > P. 1:501(500) ack 1
//   +1    quiet                    nothing else was sent up to now
//   +0    check state ESTABLISHED
//
// The stack is 10.0.0.1, the peer 10.0.0.2; their ports are 80 and 5000 unless
// a line says otherwise. Sequence numbers count from each side's SYN. Times are
// seconds from the start, or after `+` from the line before; what is expected
// may be off by a millisecond, the resolution of the stack's timers rounded up.
// ARP goes on by itself unless `set arp manual`.
#ifndef CORELANE_TESTS_SIM_SCRIPT_H_
#define CORELANE_TESTS_SIM_SCRIPT_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/time.h"
#include "tests/sim/frames.h"
#include "tests/sim/node.h"
#include "tests/sim/oracle.h"
#include "tests/sim/script_app.h"
#include "tests/sim/script_line.h"

namespace corelane::sim {

class Script {
 public:
  Script();
  ~Script();

  // Runs a whole text. Empty, or what went wrong in which line.
  std::string Run(const std::string& text);

 private:
  using Words = std::vector<std::string>;
  struct Sent {
    Time at;
    Frame frame;
  };

  std::string RunLine(Words words);
  std::string Configure(const Words& words);
  void Start();

  // ---- Commands; each returns what went wrong, if anything.
  std::string Inject(const Words& words);
  std::string InjectTcp(const Words& words);
  std::string InjectIcmp(const Words& words);
  std::string InjectArp(const Words& words);
  std::string InjectUdp(const Words& words);
  std::string Expect(const Words& words);
  std::string ExpectTcp(const TcpText& t, const Frame& frame) const;
  std::string Quiet();
  std::string App(const Words& words);
  std::string Check(const Words& words);

  Frame BuildTcp(const TcpText& t) const;
  void Deliver(const Frame& frame);
  void RunTo(Time until);
  void Poll();
  void Collect();
  bool AnswerArp(const Frame& frame);
  const tcp::ControlBlock* Block() const;

  NodeConfig config_;
  Time now_;
  bool arp_by_itself_ = true;
  uint32_t peer_isn_ = 1'000'000;
  uint32_t iss_ = 0;  // learnt from the stack's SYN
  std::unique_ptr<Node> node_;
  ScriptApp* app_ = nullptr;
  uint16_t app_number_ = 0;
  Oracle oracle_;
  std::deque<Sent> sent_;
  std::string broken_;  // what the oracle found
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SCRIPT_H_
