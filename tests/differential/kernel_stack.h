// The Linux kernel's TCP/IP as a script sees a stack: frames in and out of a
// tap device, sockets behind it, in a network namespace of its own.
#ifndef CORELANE_TESTS_DIFFERENTIAL_KERNEL_STACK_H_
#define CORELANE_TESTS_DIFFERENTIAL_KERNEL_STACK_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/frames.h"
#include "tests/sim/script_app.h"

namespace corelane::sim {

class KernelStack {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;

  KernelStack() = default;
  ~KernelStack();
  KernelStack(const KernelStack&) = delete;
  KernelStack& operator=(const KernelStack&) = delete;

  // Moves the process into a new namespace and brings the device up there; as
  // root. Returns what is wrong, or which setting has no counterpart.
  std::string Start(const Settings& settings);

  // Addresses are those of the script: inside, others are used.
  void Deliver(Frame frame);
  // The next frame that the kernel sends, other than ARP (which is answered)
  // and what is no IPv4; nothing if there is none before the time is over.
  std::optional<Frame> Receive(std::chrono::microseconds patience);
  // Returns what is wrong.
  std::string Do(std::vector<std::string> words);

 private:
  enum class Reading : uint8_t { kWhenTold, kEcho, kSink };

  std::string Configure(const std::string& name, const std::string& value);
  std::string OpenTap();
  std::string Listen(uint16_t port);
  std::string Connect(const FlowName& name);
  std::string Act(const FlowName& name, const std::vector<std::string>& words);
  void Serve();
  void Accept(int listener);
  int Prepared(int type) const;

  int tap_ = -1;
  uint16_t mtu_ = 1500;
  std::string congestion_;
  bool nodelay_ = false;
  std::map<uint16_t, int> listeners_;
  std::map<FlowName, int> streams_;
  std::vector<int> datagrams_;
  Reading reading_ = Reading::kWhenTold;
};

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_DIFFERENTIAL_KERNEL_STACK_H_
