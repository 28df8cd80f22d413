// One core's stack, run to completion.
//
//   rx burst -> parse -> demux -> ingest (all) -> timers -> application
//            -> emit (once per touched connection) -> tx burst
//
// Whoever owns the devices and the clock drives it (loop.h): the runtime with
// DPDK ports and the TSC, the simulator with wires and virtual time.
#ifndef CORELANE_DATAPLANE_PIPELINE_PIPELINE_H_
#define CORELANE_DATAPLANE_PIPELINE_PIPELINE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/api/application.h"
#include "dataplane/api/frame_sink.h"
#include "dataplane/packet/packet_pool.h"
#include "dataplane/pipeline/arp_layer.h"
#include "dataplane/pipeline/core.h"
#include "dataplane/pipeline/icmp_layer.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/pipeline/ipv4_layer.h"
#include "dataplane/pipeline/link_layer.h"
#include "dataplane/pipeline/notice.h"
#include "dataplane/pipeline/tcp_layer.h"
#include "dataplane/pipeline/udp_layer.h"
#include "proto/tcp/config.h"

namespace corelane::dataplane {

struct StaticRoute {
  Ipv4Prefix destination;
  Ipv4Address gateway;
};

struct PipelineConfig {
  // The devices in their order, and then their VLANs' sub-interfaces.
  std::vector<InterfaceConfig> interfaces;
  std::vector<StaticRoute> routes;
  tcp::Config tcp;
  TcpLimits limits;
  ArpOptions arp;
  bool weak_host = false;  // see Core
  Secrets secrets;
  NoticeSink notices;
};

// What may change while a stack runs.
struct NetworkConfig {
  std::vector<std::vector<Ipv4Prefix>> addresses;  // of each interface
  std::vector<StaticRoute> routes;
};

class Pipeline {
  struct Passkey {};  // only Create can make one

 public:
  Pipeline(Passkey, const PipelineConfig& config, PacketPool* pool, Time now);
  // `pool` outlives the pipeline. `now` is the first reading of its clock.
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(
      const PipelineConfig& config, PacketPool* pool, Time now);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // The number under which sockets name the application. It outlives the
  // pipeline.
  uint16_t AddApplication(Application* application);
  // Also calls its OnTurn from now on.
  void AddTicker(Application* application) {
    tickers_.push_back(application);
    tick_at_ = core_.now;
  }

  // Who sees frames first from now on; nullptr: nobody but the stack.
  void SetFrameSink(FrameSink* sink) { frame_sink_ = sink; }

  // ---- One turn: BeginTurn, Receive for each burst, EndTurn, then hand
  // tx(i).frames() to the devices.
  void BeginTurn(Time now) { core_.SetTime(now); }
  // Takes ownership of the packets.
  void Receive(uint16_t interface, std::span<Packet*> burst);
  // A fragment that another core passed on; it starts at its IP header.
  void ReceiveFragment(uint16_t interface, Packet* packet);
  // A segment that another core passed on, or a connection that it sent.
  void ReceivePassedOn(uint16_t interface, Packet* packet, bool congestion);
  void ReceiveMoved(std::unique_ptr<MovedConnection> moved);
  void EndTurn();
  TxQueue& tx(uint16_t interface) { return interfaces_[interface].tx(); }

  // The next turn is due then at the latest, even if nothing arrives.
  Time NextDeadline() const;

  // Between two turns. New addresses are probed for and announced (RFC 5227);
  // connections of those that are gone stay until they are aborted. All of it
  // or, with an error, nothing.
  absl::Status Reconfigure(const NetworkConfig& network);

  const std::vector<Interface>& interfaces() const { return interfaces_; }
  Core& core() { return core_; }
  const Core& core() const { return core_; }
  ArpLayer& arp() { return arp_; }
  Ipv4Layer& ip() { return ip_; }
  UdpLayer& udp() { return udp_; }
  TcpLayer& tcp() { return tcp_; }
  const TcpLayer& tcp() const { return tcp_; }

 private:
  // fast_receive.cc
  bool ReceivePredicted(Interface& interface, Packet* packet);
  bool ReceiveDatagram(Packet* packet, const tcp::FlowKey& key,
                       uint16_t length);
  void CountPredicted(const Packet* packet);
  void ReceiveOne(Interface& interface, Packet* packet);
  // The sub-interface of a device for a VLAN; nullptr if there is none.
  Interface* SubInterface(const Interface& device, uint16_t vlan);
  Packet* Linearize(Packet* packet);
  void Tick();

  Core core_;
  std::vector<Interface> interfaces_;
  std::vector<Application*> applications_;
  std::vector<Application*> tickers_;
  Time tick_at_ = kTimeNever;
  FrameSink* frame_sink_ = nullptr;
  LinkLayer link_;
  Ipv4Layer ip_;
  ArpLayer arp_;
  IcmpLayer icmp_;
  UdpLayer udp_;
  TcpLayer tcp_;
  uint32_t turns_ = 0;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_PIPELINE_H_
