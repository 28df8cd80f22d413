#include <algorithm>
#include <vector>

#include "bench/scenarios.h"
#include "bench/stack_harness.h"
#include "bench/visits.h"
#include "dataplane/app/echo.h"

namespace corelane::bench {
namespace {

constexpr uint16_t kPort = 7;
constexpr uint8_t kDatagram[18] = {};  // a frame of 60 bytes, 64 with FCS
constexpr uint8_t kByte[1] = {'x'};

void FillUdp(StackHarness& stack, std::vector<Packet*>& burst) {
  for (uint32_t i = 0; i < kBatch; ++i) {
    burst.push_back(
        stack.UdpFrame(static_cast<uint16_t>(1024 + i), kPort, kDatagram));
  }
}

class Swap : public Scenario {
 public:
  Sample Step() override {
    FillUdp(stack_, burst_);
    const double ns = stack_.RunSwap(burst_);
    return {ns, stack_.Collect()};
  }

 private:
  StackHarness stack_{{}};
  std::vector<Packet*> burst_;
};

class UdpEcho : public Scenario {
 public:
  explicit UdpEcho(bool offload) : stack_({.offload = offload}) {
    const uint16_t app = stack_.pipeline().AddApplication(&echo_);
    stack_.pipeline().udp().Bind(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Introduce();
  }
  Sample Step() override {
    FillUdp(stack_, burst_);
    const double ns = stack_.RunBurst(burst_);
    return {ns, stack_.Collect()};
  }

 private:
  dataplane::EchoApp echo_;
  StackHarness stack_;
  std::vector<Packet*> burst_;
};

class TcpEcho : public Scenario {
 public:
  explicit TcpEcho(const StackOptions& options)
      : stack_(options),
        visits_(options.connections),
        batch_(std::min(kBatch, options.connections)) {
    const uint16_t app = stack_.pipeline().AddApplication(&echo_);
    stack_.pipeline().tcp().Listen(Ipv4Address(), kPort, app).IgnoreError();
    stack_.Establish(kPort);
    // Each has queues and has had something in flight when time is taken.
    for (uint32_t i = 0; i < options.connections; i += batch_) Step();
  }
  Sample Step() override {
    for (uint32_t i = 0; i < batch_; ++i) {
      burst_.push_back(
          stack_.TcpFrame(visits_.Next(), kPort, tcp::kAck | tcp::kPsh, kByte));
    }
    const double ns = stack_.options().cores > 1 ? stack_.RunShared(burst_)
                                                 : stack_.RunBurst(burst_);
    return {ns, stack_.Collect()};
  }

 private:
  dataplane::EchoApp echo_;
  StackHarness stack_;
  Visits visits_;
  uint32_t batch_;
  std::vector<Packet*> burst_;
};

}  // namespace

std::unique_ptr<Scenario> MakeSwap() { return std::make_unique<Swap>(); }

std::unique_ptr<Scenario> MakeUdpEcho(bool offload) {
  return std::make_unique<UdpEcho>(offload);
}

std::unique_ptr<Scenario> MakeTcpEcho(uint32_t connections, bool offload,
                                      bool peer_options) {
  return std::make_unique<TcpEcho>(StackOptions{.offload = offload,
                                                .peer_options = peer_options,
                                                .connections = connections});
}

std::unique_ptr<Scenario> MakeTcpEchoOfMany(uint32_t connections,
                                            uint16_t cores) {
  return std::make_unique<TcpEcho>(
      StackOptions{.connections = connections, .cores = cores});
}

}  // namespace corelane::bench
