// A network card of the simulation: what the loop polls instead of a DPDK port.
#ifndef CORELANE_TESTS_SIM_SIM_PORT_H_
#define CORELANE_TESTS_SIM_SIM_PORT_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/packet_pool.h"
#include "dataplane/pipeline/interface.h"
#include "dataplane/pipeline/loop.h"
#include "tests/sim/frames.h"

namespace corelane::sim {

struct SimPortConfig {
  dataplane::DeviceCaps caps;  // the same that the interface is told
  uint16_t mtu = 1500;
  // Verifies checksums of what it receives and says "good" or "bad".
  bool rx_checksum = false;
  // Delivers frames in segments of so many bytes; 0: in one piece.
  uint16_t rx_segment = 0;
  uint32_t rx_queue = 512;  // frames; the rest is missed
  // Sent packets that it keeps before it lets go of the oldest.
  uint32_t tx_hold = 0;
  uint32_t tx_burst = 512;      // packets it takes in one call
  uint32_t tx_stall_every = 0;  // every so many calls it takes none; 0: never
};

class SimPort {
 public:
  SimPort(dataplane::PacketPool* pool, const SimPortConfig& config)
      : pool_(pool), config_(config) {}
  ~SimPort() { ReleaseHeld(); }
  SimPort(SimPort&&) = default;
  SimPort& operator=(SimPort&&) = delete;

  // ---- The loop's side
  uint16_t RxBurst(dataplane::Packet** packets, uint16_t n);
  uint16_t TxBurst(dataplane::Packet** packets, uint16_t n);

  // ---- The world's side
  void Deliver(Frame frame);
  bool rx_pending() const { return !rx_.empty(); }
  // What was sent since the last call.
  std::vector<Frame> TakeSent();
  // Lets go of packets that were sent, as a card does when its ring is cleaned.
  void ReleaseHeld();

  uint64_t missed() const { return missed_; }
  uint64_t no_packet() const { return no_packet_; }
  // What the stack did that a card would not put up with; nullptr if nothing.
  const char* problem() const { return problem_; }

 private:
  dataplane::Packet* ToPacket(const Frame& frame);
  uint64_t ChecksumFlags(ByteView frame) const;
  static Frame Flatten(const dataplane::Packet* packet);
  void SendPieces(const dataplane::Packet* packet);
  void Send(Frame frame);
  void Offload(const dataplane::Packet* packet, Frame& frame);
  void CheckSent(const dataplane::Packet* packet);

  dataplane::PacketPool* pool_;
  SimPortConfig config_;
  std::deque<Frame> rx_;
  std::vector<Frame> sent_;
  std::deque<dataplane::Packet*> held_;
  uint32_t tx_calls_ = 0;
  uint64_t missed_ = 0;
  uint64_t no_packet_ = 0;
  const char* problem_ = nullptr;
};
static_assert(dataplane::PortLike<SimPort>);

}  // namespace corelane::sim

#endif  // CORELANE_TESTS_SIM_SIM_PORT_H_
