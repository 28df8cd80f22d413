// The stack as packetdrill drives it: one core, one card, a virtual clock, and
// at most two threads.
//
// packetdrill's main thread feeds packets, takes packets, lets time pass and
// makes the calls that must not block. A call that a script expects to block is
// made by a second thread, which sleeps here until the main thread's doings
// have run a turn of the loop, and looks again.
#ifndef CORELANE_TESTS_PACKETDRILL_STACK_H_
#define CORELANE_TESTS_PACKETDRILL_STACK_H_

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/socket/driver.h"
#include "dataplane/socket/socket_stack.h"
#include "tests/sim/heap_packets.h"
#include "tests/sim/sim_port.h"

namespace corelane::packetdrill {

// What --so_flags says: "local=198.18.0.1/16 gateway=198.18.0.2 mtu=1500".
struct StackFlags {
  Ipv4Prefix local{Ipv4Address(198, 18, 0, 1), 16};
  Ipv4Address gateway{198, 18, 0, 2};
  uint16_t mtu = 1500;
  bool trace = false;  // tells stderr of every packet

  // False if the text makes no sense.
  bool Parse(const std::string& text);
};

inline constexpr int kFirstFd = 100000;

class Stack : public socket::Driver {
 public:
  explicit Stack(const StackFlags& flags);
  ~Stack() override;

  // Makes a system call and lets the stack do what became due by it.
  template <typename Call>
  auto Do(Call call) {
    std::unique_lock lock(mutex_);
    lock_ = &lock;
    pipeline_->BeginTurn(now_);
    const auto result = call(*sockets_);
    const int error = errno;
    Settle();
    errno = error;
    return result;
  }
  // Sockets start out with what the sysctls say now.
  void ReadSysctls();

  // ---- The other end of the wire
  void Send(ByteView packet);
  // The next packet that leaves. If there is none yet, time passes until there
  // is one; false if that would be for ever.
  bool Receive(std::vector<uint8_t>& packet, Time& at);

  // ---- The clock
  Time Now();  // moves on by a microsecond each time
  void Sleep(Duration time);

  // Packets that left and were not asked for.
  size_t unclaimed();

  // socket::Driver
  bool Turn(Time until) override;

 private:
  enum class Sleeper { kNone, kSleeping, kAwake };

  void Settle();
  uint32_t TurnOnce();
  void TakeSent();
  bool Pass(Time until);  // to the next deadline, but not past `until`
  Time NextDeadline() const;
  void WakeSleeper();

  // With room for all TCP options.
  uint16_t largest_payload() const {
    return static_cast<uint16_t>(flags_.mtu - 80);
  }

  StackFlags flags_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_lock<std::mutex>* lock_ = nullptr;  // of the call that runs
  std::thread::id main_;
  Sleeper sleeper_ = Sleeper::kNone;
  Time sleeper_until_ = kTimeNever;

  Time now_;
  sim::HeapPackets heap_;
  std::unique_ptr<dataplane::PacketPool> pool_;
  // What the peer would put into a segment; it said so itself, more or less.
  uint16_t peer_mss_;
  std::unique_ptr<sim::SimPort> port_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  std::unique_ptr<socket::SocketStack> sockets_;
  struct Sent {
    std::vector<uint8_t> packet;
    Time at;
  };
  std::deque<Sent> sent_;
};

}  // namespace corelane::packetdrill

#endif  // CORELANE_TESTS_PACKETDRILL_STACK_H_
