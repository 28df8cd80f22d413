// A stack by itself: frames are made in memory before the clock runs, taken
// through one pipeline while it runs, and read from memory afterwards. No
// device, no generator in the figure.
#ifndef CORELANE_BENCH_STACK_HARNESS_H_
#define CORELANE_BENCH_STACK_HARNESS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "proto/tcp/header.h"
#include "tests/sim/heap_packets.h"

namespace corelane::bench {

using dataplane::Packet;

inline constexpr uint32_t kBatch = 32;

// What the peer of one connection knows.
struct Peer {
  Ipv4Address address;
  uint16_t port = 0;
  SeqNum seq;  // of the next byte it sends
  SeqNum ack;  // of the next byte it expects
};

struct StackOptions {
  // Checksums are left to "the device": received ones are flagged good, sent
  // ones are not computed.
  bool offload = true;
  uint32_t connections = 1;
  uint32_t packets = 32768;
};

class StackHarness {
 public:
  explicit StackHarness(const StackOptions& options);
  ~StackHarness();

  dataplane::Pipeline& pipeline() { return *pipeline_; }
  std::vector<Peer>& peers() { return peers_; }

  // Completes options.connections handshakes with `port`.
  void Establish(uint16_t port);

  // A frame from a peer, in a packet of the stack's pool.
  Packet* TcpFrame(const Peer& peer, uint16_t port, uint8_t flags,
                   ByteView payload);
  Packet* UdpFrame(uint16_t from, uint16_t to, ByteView payload);

  // The timed part: one burst through the pipeline. Returns nanoseconds.
  uint64_t RunBurst(std::vector<Packet*>& frames);
  // The floor: the same frames with only addresses and ports swapped.
  uint64_t RunSwap(std::vector<Packet*>& frames);

  // Advances the peers by what the stack sent, and frees it; returns how many
  // frames there were.
  uint32_t Collect();

  // Virtual time that passes with each burst.
  void set_step(Duration step) { step_ = step; }

 private:
  void Finish(Packet* packet);
  void NoteSegment(const uint8_t* frame, size_t length);

  StackOptions options_;
  sim::HeapPackets heap_;
  dataplane::PacketPool pool_;
  std::unique_ptr<dataplane::Pipeline> pipeline_;
  std::vector<Peer> peers_;
  Time now_ = Time(1s);
  Duration step_ = 10us;
};

}  // namespace corelane::bench

#endif  // CORELANE_BENCH_STACK_HARNESS_H_
